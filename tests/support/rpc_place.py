"""A running `serve` with gRPC, on a directory or on stores, and a client of it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from tests.rigs.stores import Stores
from tests.support.rpc_client import ANYWHERE, Client, Files, connected, files_in, rpc_port
from tests.support.serving import Serve, started


class Place(NamedTuple):
    """A running `serve`, the client, and what other clients need."""

    serve: Serve
    client: Client
    files: Files


@contextmanager
def placed(stores: Stores | None, directory: Path) -> Iterator[Place]:
    """Serve the stores, which are made, or else `data` in the directory, where the certificates are as well."""
    files = files_in(directory)
    environment: Mapping[str, str] | None = None
    flags = ["--address", "127.0.0.1:0", "--log-level", "error", *ANYWHERE, *files.flags]
    if stores is None:
        (directory / "data").mkdir()
        flags += ["--data-path", str(directory / "data")]
    else:
        stores.create()
        environment = stores.environment()
    with started(*flags, environment=environment) as serve, connected(rpc_port(serve), files) as client:
        yield Place(serve, client, files)
        serve.end()
