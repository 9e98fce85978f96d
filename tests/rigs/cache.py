"""The cache of installed test programs."""

import fcntl
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


def cache_root() -> Path:
    """`$XDG_CACHE_HOME/lambda-matchbox/rigs`, made if need be (XDG_CACHE_HOME defaults to ~/.cache)."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    root = Path(home).absolute() / "lambda-matchbox" / "rigs"
    root.mkdir(parents=True, exist_ok=True)
    return root


def cached(name: str, build: Callable[[Path], None]) -> Path:
    """The directory `name` of the cache; `build` fills it when it is not there yet.

    `build` is given an empty directory that is renamed to its place only when `build` returns, so what exists is
    whole. It must not write its own location into what it builds. Two processes that want the same name build once.
    """
    directory = cache_root() / name
    if directory.is_dir():
        return directory
    with alone(name):
        if directory.is_dir():
            return directory
        print(f"rigs: installing {name}, on first use only", file=sys.stderr, flush=True)
        begun = time.monotonic()
        unfinished = Path(tempfile.mkdtemp(prefix=f".{name}.", dir=directory.parent))
        try:
            build(unfinished)
            unfinished.chmod(0o755)
            unfinished.rename(directory)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)
        print(f"rigs: installed {name} in {time.monotonic() - begun:.0f} s", file=sys.stderr, flush=True)
    return directory


@contextmanager
def alone(name: str) -> Iterator[None]:
    """Wait until no other process on this machine is in a block of that name."""
    with (cache_root() / f".{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
