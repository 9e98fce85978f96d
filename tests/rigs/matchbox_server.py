"""matchbox itself, built from its Go module."""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import urllib3

from tests.rigs.cache import cached
from tests.rigs.go_toolchain import go_build, go_source
from tests.rigs.matchbox_clients import MATCHBOX
from tests.rigs.program import free_port, running

_MODULE = f"github.com/poseidon/matchbox@{MATCHBOX}"


def matchbox() -> Path:
    """matchbox's server.

    Raises RigUnavailableError.
    """
    return (
        cached(f"matchbox-{MATCHBOX}", lambda unfinished: go_build(_MODULE, "./cmd/matchbox", unfinished)) / "matchbox"
    )


def matchbox_examples(directory: Path) -> Path:
    """A copy of its examples, `directory`, whose groups lie in directories below `groups`.

    Raises RigUnavailableError.
    """
    # Go's files cannot be written.
    shutil.copytree(go_source(_MODULE) / "examples", directory, copy_function=shutil.copyfile)
    for each in (directory, *(path for path in directory.rglob("*") if path.is_dir())):
        each.chmod(0o755)
    return directory


class Addresses(NamedTuple):
    """Those of matchbox's two APIs: `http://HOST:PORT`, and `HOST:PORT` of gRPC."""

    http: str
    grpc: str


@contextmanager
def running_matchbox(data: Path, directory: Path, certificates: Sequence[str | Path] = ()) -> Iterator[Addresses]:
    """matchbox with a data directory, and gRPC if there are flags for `certificates`; its log is in `directory`.

    Raises RigUnavailableError and RigFailedError.
    """
    http, grpc = (f"127.0.0.1:{free_port()}" for _ in range(2))

    def is_up() -> bool | None:
        try:
            return urllib3.request("GET", f"http://{http}", retries=False).status == 200 or None
        except urllib3.exceptions.HTTPError:
            return None

    flags = ["-rpc-address", grpc, *certificates] if certificates else []
    # It does not start without either.
    (data / "assets").mkdir(parents=True, exist_ok=True)
    arguments = [matchbox(), "-address", http, "-data-path", data, "-assets-path", data / "assets", *flags]
    with running(arguments, directory, {}) as program:
        program.wait_for(is_up, "its response")
        yield Addresses(f"http://{http}", grpc)
