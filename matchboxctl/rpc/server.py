"""The gRPC server: mutual TLS on one port."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import grpc

from lambda_matchbox.web.access_log import Log
from matchboxctl.cli.arguments import Address
from matchboxctl.cli.errors import UsageError
from matchboxctl.rpc.certificates import certificates
from matchboxctl.rpc.editable_catalog import MAX_CALLS, EditableCatalog
from matchboxctl.rpc.handlers import Handlers
from matchboxctl.rpc.services import Services
from matchboxctl.rpc.settings import RpcSettings

MAX_REQUEST_SIZE = 4 * 1024 * 1024
"""Bytes, as with matchbox; a response may have any size."""

_GRACE = 9.0
"""Seconds for calls in progress: longer than one attempt at an unavailable store, after which clients are answered."""


class RpcServer:
    """A server that is bound to its port; `lines` are the address, and warnings about its certificates."""

    def __init__(self, settings: RpcSettings, documents: EditableCatalog, log: Log) -> None:
        """Raises UsageError."""
        tls = certificates(settings)
        self._documents = documents
        self._server = grpc.server(
            ThreadPoolExecutor(MAX_CALLS, "rpc"),
            handlers=[Handlers(Services(documents), log)],
            options=[
                ("grpc.max_receive_message_length", MAX_REQUEST_SIZE),
                ("grpc.max_send_message_length", -1),
                # Otherwise the port could be shared with another process.
                ("grpc.so_reuseport", 0),
            ],
        )
        credentials = grpc.ssl_server_credentials([(tls.key, tls.chain)], tls.authority, require_client_auth=True)
        wanted = settings.address.text
        try:
            port = self._server.add_secure_port(wanted, credentials)
        except RuntimeError as error:
            raise UsageError(
                f"cannot listen on {wanted} for gRPC: it is in use, or not an address of this host"
            ) from error
        address = Address(settings.address.host, port).text
        self.lines = [f"gRPC on {address}, for clients with a certificate of {settings.ca_file}", *tls.warnings]

    def start(self) -> None:
        """Start serving."""
        self._server.start()

    def begin_stop(self) -> Event:
        """Stop serving; calls in progress get a few seconds, unless they wait for an unavailable store.

        The event is set when all have ended.
        """
        ended = self._server.stop(_GRACE)
        self._documents.end()
        return ended

    def stop(self) -> None:
        """Stop serving, and wait for the calls in progress."""
        self.begin_stop().wait()
