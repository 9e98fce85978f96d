"""Settings of `serve`."""

from collections.abc import Collection
from typing import TYPE_CHECKING, NamedTuple

from matchboxctl.log.settings import LogSettings
from matchboxctl.rpc.settings import RpcSettings
from matchboxctl.serve.backends import Directories
from matchboxctl.serve.certificate import CertificateFiles
from matchboxctl.store.mode import StoreSettings

if TYPE_CHECKING:
    from lambda_matchbox.signing.key import SigningKey


class HttpSettings(NamedTuple):
    """The limits of connections, the seconds that downloads have to end after SIGTERM, and the host names to which the
    server answers (any if there are none)."""

    connections: int
    connections_per_address: int
    grace: float
    host_names: Collection[str] = ()


class HttpsSettings(NamedTuple):
    """The certificate, and an address of its own, beside that of http; without one https takes its place."""

    files: CertificateFiles
    address: str = ""


class ServeSettings(NamedTuple):
    """What `serve` serves and where: with TLS by `https`, gRPC as well with `rpc`; `sync` syncs image sources.
    Machines have a history of `history_days`.

    `key` signs responses. `processes` share the address. See `web.settings.Settings` for `base_url`. Metrics are at
    `metrics_address` and a console at `console_address`, unless they are empty.
    """

    address: str
    http: HttpSettings
    https: HttpsSettings | None
    processes: int
    log: LogSettings
    source: Directories | StoreSettings
    rpc: RpcSettings | None
    sync: bool
    history_days: int
    key: "SigningKey | None"
    base_url: str
    metrics_address: str
    console_address: str = ""
