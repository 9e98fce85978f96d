"""Rendering of templates of Talos with the secrets that were taken out of them."""

from collections.abc import Collection, Mapping

from lambda_matchbox.gotemplate.engine import render
from lambda_matchbox.secrets.function import stored_in
from lambda_matchbox.secrets.references import FUNCTION
from matchboxctl.talos.machine_config import MachineConfig
from matchboxctl.talos.secret_values import Secrets, part_name
from matchboxctl.talos.template import edited, secret_edits


class Stored:
    """The secrets of cluster `demo` as they are stored."""

    def __init__(self, secrets: Secrets) -> None:
        self._values = {part_name("demo", part): text for part, text in secrets.texts({}).items()}

    def values(self, names: Collection[str]) -> Mapping[str, str]:
        return {name: self._values[name] for name in names if name in self._values}


def rendered(template: str, secrets: Secrets, metadata: Mapping[str, object]) -> str:
    """What a node with this metadata gets."""
    functions = {FUNCTION: stored_in(Stored(secrets))}
    return render(template.encode(), metadata, name="t", functions=functions).decode()


def put_together_again(text: str) -> str:
    """A configuration after its secrets were taken out and put in again."""
    secrets = Secrets()
    edits, _ = secret_edits(MachineConfig(text), "demo", secrets, "f.yaml")
    return rendered(edited(text, edits), secrets, {})
