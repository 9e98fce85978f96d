"""Python 3.13, Lambda's version, with the functions' packages only.

The interpreter is one that the machine has (on PATH or pyenv's) or Debian trixie's, unpacked into the cache.
"""

import hashlib
from pathlib import Path

from tests.rigs.cache import cached
from tests.rigs.debian_packages import unpack
from tests.rigs.failure import RigUnavailableError
from tests.rigs.install import install_packages, make_environment, run
from tools.python313 import find_python313

PROJECT = Path(__file__).resolve().parents[2]

# Its own C library is newer than other releases': so it is started by its own loader, and only it sees that library.
WRAPPER = """#!/bin/sh
directory=$(dirname "$(readlink -f "$0")")
libraries=$(echo "$directory"/../lib/*-linux-gnu)
exec "$libraries"/ld-linux-*.so.* --library-path "$libraries" --argv0 "$0" "$directory/python3.13.unwrapped" "$@"
"""


def python313() -> Path:
    """A Python 3.13 that runs.

    Raises RigUnavailableError when the machine has none and Debian's cannot be had either.
    """
    found = find_python313()
    if found is not None:
        return found
    try:
        unpacked = cached("debian-trixie-python3.13", _install_python)
    except RigUnavailableError as error:
        raise RigUnavailableError(f"no Python 3.13 runs here: install one\n{error}") from error
    return unpacked / "usr" / "bin" / "python3.13"


def python313_environment() -> Path:
    """The interpreter of a virtual environment with the locked packages of the functions, which it can import."""
    python = python313()
    sources = [(PROJECT / name).read_text() for name in ("requirements.lock", "pyproject.toml")]
    described = [*sources, str(PROJECT), run([python, "-VV"]), str(python)]
    key = hashlib.sha256("\0".join(described).encode()).hexdigest()[:12]
    return cached(f"python3.13-functions-{key}", lambda directory: _install(python, directory)) / "bin" / "python"


def _install(python: Path, directory: Path) -> None:
    environment = make_environment(python, directory)
    locked = ["--require-hashes", "--constraint", PROJECT / "requirements.lock"]
    install_packages(environment, *locked, "--requirements", PROJECT / "pyproject.toml", "--all-extras")
    packages = run([environment, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]).strip()
    Path(packages, "functions.pth").write_text(f"{PROJECT / 'functions'}\n")


def _install_python(directory: Path) -> None:
    unpack("trixie", "python3.13", directory)
    python = directory / "usr" / "bin" / "python3.13"
    python.rename(python.with_name("python3.13.unwrapped"))
    python.write_text(WRAPPER)
    python.chmod(0o755)
