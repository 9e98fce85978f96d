"""The cost of a machine's Butane config: the CPU time of a warm translation, and the time of the first one.

The baseline of a translation is PyYAML's C parser on the same text; that of the first response is a fresh interpreter
that has imported the handler, with the layer as it is built. Run by `make bench`.
"""

import platform
import subprocess
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import yaml

from benchmarks.timing import cpu_seconds, fresh_seconds, print_table
from lambda_matchbox.answers import butane
from lambda_matchbox.gotemplate.engine import render
from lambda_matchbox.ignition.butane.translation import translate
from lambda_matchbox.secrets.function import placeholders
from lambda_matchbox.secrets.references import FUNCTION
from tests.rigs.python313 import python313_environment

ROUNDS = 400
SAMPLES = 15
EXAMPLE = Path(__file__).parents[1] / "examples" / "flatcar" / "ignition" / "flatcar.yaml"
LAYERS = Path(__file__).parents[1] / "layers"
DATA: dict[str, object] = {
    "ssh_authorized_keys": ["ssh-ed25519 AAAA"],
    "ntp_servers": "a",
    "request": {"query": {"uuid": "u", "mac": "m", "os": "installed"}},
}
# As on Lambda, but for connections.
HANDLER = "import gc, boot_api.handler; boot_api.handler._app(); gc.freeze()"
RENDERED = f"""{HANDLER}
from lambda_matchbox.gotemplate.engine import render
from lambda_matchbox.secrets.function import placeholders
text = render({EXAMPLE.read_bytes()!r}, {DATA!r}, name='a', functions={{{FUNCTION!r}: placeholders}})"""
TALOS = "\nfrom lambda_matchbox.ignition.yaml import documents; documents(text)"
BUTANE = "\nfrom lambda_matchbox.answers.butane import respond; respond('a', text)"


def main() -> None:
    """Print the tables."""
    text = render(EXAMPLE.read_bytes(), DATA, name="a", functions={FUNCTION: placeholders})
    large = text + b"".join(b"    - {name: n%d.service, enabled: true}\n" % number for number in range(300))
    _print_warm({f"{len(text):,} bytes": text, f"{len(large):,} bytes, 300 units": large})
    _print_cold()


def _print_warm(texts: dict[str, bytes]) -> None:
    for name, text in texts.items():
        baseline = f"{name}: PyYAML's nodes (baseline)"
        ways: dict[str, Callable[[], object]] = {
            baseline: partial(yaml.compose, text, Loader=yaml.CSafeLoader),
            f"{name}: translated": partial(translate, text),
            f"{name}: ... and written in matchbox's form": partial(butane.respond, "a", text),
        }
        print_table("CPU time of a warm translation", "µs", cpu_seconds(ways, ROUNDS), baseline)


def _print_cold() -> None:
    baseline = "the handler (baseline)"
    candidates = {
        baseline: HANDLER,
        "... and a rendered template": RENDERED,
        "... read as a Talos configuration": RENDERED + TALOS,
        "... served as a Butane config": RENDERED + BUTANE,
    }
    with tempfile.TemporaryDirectory() as layer:
        medians = fresh_seconds(python313_environment(), candidates, SAMPLES, _with_layer(layer))
    print_table("fresh interpreter to the end of", "ms", medians, baseline)


def _with_layer(directory: str) -> dict[str, str]:
    """The environment of a program that has the function's layer, which is built into the directory."""
    settings = {"ARTIFACTS_DIR": directory, "ARCHITECTURE": platform.machine().replace("aarch64", "arm64")}
    command = [
        "make",
        "--silent",
        "-C",
        "layers",
        "build-BootApiLayer",
        *(f"{name}={settings[name]}" for name in settings),
    ]
    subprocess.run(command, cwd=EXAMPLE.parents[3], check=True)
    return {"PYTHONPATH": f"{directory}/python"}


if __name__ == "__main__":
    main()
