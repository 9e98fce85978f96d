"""The values that a template renders without those of nodes, and where two such differ."""

from collections.abc import Callable, Iterator, Mapping

from lambda_matchbox.gotemplate.engine import Literals, TemplateError, render
from lambda_matchbox.secrets.references import FUNCTION
from matchboxctl.talos.machine_config import ConfigError, MachineConfig, dotted, value_of


def template_values(body: bytes) -> Mapping[str, object]:
    """The values by the titles of their documents, with the names of secrets in their place; none if it fails."""
    try:
        rendered = render(body, {}, name="template", functions={FUNCTION: _names})
        documents = MachineConfig(rendered.decode()).documents
        return {document.title: value_of(document.node) for document in documents}
    except (TemplateError, ConfigError, UnicodeDecodeError):
        return {}


def _names(_: Literals) -> Callable[..., object]:
    return lambda *arguments: " ".join(map(str, arguments))


def differing_paths(before: object, after: object) -> list[str]:
    """The paths of values that differ; lists are one value."""
    return list(_differing(before, after, ()))


def _differing(before: object, after: object, path: tuple[str, ...]) -> Iterator[str]:
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in {**before, **after}:
            yield from _differing(before.get(key), after.get(key), (*path, str(key)) if key else path)
    elif before != after:
        yield dotted(path)
