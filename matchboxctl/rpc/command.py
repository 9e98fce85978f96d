"""`matchboxctl rpc`: gRPC beside Terraform, onto table and bucket, with the credentials of whoever runs it."""

import signal
from threading import Event

from matchboxctl.documents.table_documents import TableDocuments
from matchboxctl.rpc.arguments import RpcSettings
from matchboxctl.rpc.calls import MOST_CALLS, PATIENCE
from matchboxctl.rpc.server import RpcServer
from matchboxctl.store.check import found
from matchboxctl.store.mode import StoreSettings


def rpc(store: StoreSettings, settings: RpcSettings, log_level: str) -> None:
    """Serve until SIGINT or SIGTERM. Raises UsageError with one line that says what to mend."""
    ended = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    there = found(store, meanwhile="calls wait")
    server = RpcServer(settings, TableDocuments(store, PATIENCE, MOST_CALLS), log_level)
    for line in (f"editing {store.place}{there}", *server.lines):
        print(line, flush=True)
    server.start()
    ended.wait()
    server.stop()
