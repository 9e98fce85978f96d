"""`matchboxctl serve` with gRPC, on a data directory or on stores, and a client."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from tests.rigs.stores import Stores
from tests.support.rpc_client import ANYWHERE, Client, Files, connected, files_in, rpc_port
from tests.support.serving import Serve, started


class RpcServe(NamedTuple):
    """A running `serve`, a client, and the files for other clients."""

    serve: Serve
    client: Client
    files: Files


@contextmanager
def serving_rpc(stores: Stores | None, directory: Path) -> Iterator[RpcServe]:
    """Serve new stores, or else `data` in the directory; the certificates are in the directory too."""
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
        yield RpcServe(serve, client, files)
        serve.end()
