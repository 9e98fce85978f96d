"""`matchboxctl serve` in store mode, for the clients that boot."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from urllib.parse import urlsplit

from tests.boot.networks import Servers
from tests.rigs.stores import Stores
from tests.support.serving import started


@contextmanager
def serving_stores(
    stores: Stores, port: int, bucket_url: str | None = None, more: Mapping[str, str] = MappingProxyType({})
) -> Iterator[Servers]:
    """`serve` over the stores on `port`, with `more` in its environment; it must end cleanly.

    The bucket's port is that of its endpoint.
    """
    environment = {**stores.environment(bucket_url), **more}
    with started("--address", f"127.0.0.1:{port}", environment=environment) as serve:
        try:
            yield Servers(serve.port, bucket=urlsplit(stores.buckets.endpoint).port)
        finally:
            serve.end()
