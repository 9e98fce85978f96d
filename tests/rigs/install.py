"""Installation of programs and packages for the rigs."""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.rigs.cache import alone
from tests.rigs.failure import RigUnavailableError

# Users other than root often lack the directories of programs such as dnsmasq.
_PATH = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"


def on_path(program: str, package: str) -> str:
    """The path of `program`; Debian's `package` is installed for it when root misses it.

    Raises RigUnavailableError when the program is missing and cannot be installed.
    """
    # What another process is installing is not looked at before that is done, and apt does not wait for its like.
    with alone("apt"):
        found = shutil.which(program, path=_PATH)
        if found is None and os.geteuid() == 0 and shutil.which("apt-get") is not None:
            found = _installed(program, package)
    if found is None:
        raise RigUnavailableError(f"{program!r} is not on PATH: install it (Debian's package is {package!r})")
    return found


def _installed(program: str, package: str) -> str | None:
    print(f"rigs: installing Debian's {package} for {program}", file=sys.stderr, flush=True)
    # A third-party source that cannot be reached fails an update that brought all that is needed.
    subprocess.run(["apt-get", "-q", "update"], stdin=subprocess.DEVNULL, capture_output=True, check=False)
    run(
        ["apt-get", "-q", "-y", "install", "--no-install-recommends", package],
        environment={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
    )
    return shutil.which(program, path=_PATH)


def run(
    arguments: Sequence[str | Path], *, environment: dict[str, str] | None = None, directory: Path | None = None
) -> str:
    """Run an installing command to its end; its standard output.

    Raises RigUnavailableError with the last lines of its output if it fails.
    """
    done = subprocess.run(
        arguments,
        env=environment,
        cwd=directory,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode != 0:
        said = (done.stdout + done.stderr).strip().splitlines()[-20:]
        raise RigUnavailableError(
            "\n".join([f"{' '.join(map(str, arguments))!r} ended with {done.returncode}:", *said])
        )
    return done.stdout


def make_environment(python: Path, directory: Path) -> Path:
    """Make a virtual environment in `directory`, an empty directory; its interpreter."""
    run([python, "-m", "venv", "--without-pip", directory])
    return directory / "bin" / "python"


def install_packages(python: Path, *arguments: str | Path) -> None:
    """Run `uv pip install` for the environment of `python`."""
    run([Path(sys.executable).with_name("uv"), "pip", "install", "--quiet", "--python", python, *arguments])


def install_locked(python: Path, requirements: Path, *options: str | Path) -> None:
    """Install the wheels of a file of `make lock`, and no others."""
    install_packages(python, "--no-deps", "--require-hashes", "--only-binary=:all:", *options, "-r", requirements)
