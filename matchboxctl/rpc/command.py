"""`matchboxctl rpc`: the gRPC server on table and bucket, beside Terraform."""

import os
from typing import TYPE_CHECKING

from lambda_matchbox.web.access_log import Log
from matchboxctl.cli.ending import END_SECONDS, EndSignals, exit_after
from matchboxctl.log.settings import LogSettings
from matchboxctl.log.standard_error import standard_error_log
from matchboxctl.rpc.editable_catalog import EditableCatalog, editable_table
from matchboxctl.rpc.settings import RpcSettings
from matchboxctl.store.check import checked_summary
from matchboxctl.store.mode import StoreSettings

if TYPE_CHECKING:
    from matchboxctl.rpc.server import RpcServer

RPC_SERVICE = "rpc"
"""The service in lines of the log."""


def rpc(store: StoreSettings, settings: RpcSettings, log: LogSettings) -> None:
    """Serve until SIGINT or SIGTERM. Raises UsageError."""
    signals = EndSignals()
    summary = checked_summary(store, meanwhile="calls wait")
    server = rpc_server(settings, editable_table(store), standard_error_log(log, RPC_SERVICE))
    for line in (f"editing {store.description}{summary}", *server.lines):
        print(line, flush=True)
    server.start()
    signals.wait()
    exit_after(END_SECONDS)
    server.stop()


def rpc_server(settings: RpcSettings, documents: EditableCatalog, log: Log) -> "RpcServer":
    """A gRPC server on these documents, not started yet. Raises UsageError."""
    # grpc reads this when it is imported. Its own log has lines of another format for each client that is refused.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    from matchboxctl.rpc.server import RpcServer

    return RpcServer(settings, documents, log)
