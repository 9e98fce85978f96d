"""actionlint, built from its Go module, and the checker of shell scripts that it asks."""

import os
import subprocess
from pathlib import Path

from tests.rigs.cache import cached
from tests.rigs.go_toolchain import go_build
from tests.rigs.install import on_path

VERSION = "v1.7.12"

_MODULE = "github.com/rhysd/actionlint"


def findings(workflow: Path) -> str:
    """What is wrong in a workflow and its scripts.

    Raises RigUnavailableError.
    """
    directory = cached(
        f"actionlint-{VERSION}", lambda unfinished: go_build(f"{_MODULE}@{VERSION}", "./cmd/actionlint", unfinished)
    )
    command = [directory / "actionlint", "-oneline", "-shellcheck", on_path("shellcheck", "shellcheck"), workflow]
    ended = subprocess.run(command, env=os.environ, capture_output=True, text=True, check=False)
    assert ended.returncode in (0, 1), ended.stderr
    return ended.stdout
