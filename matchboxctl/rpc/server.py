"""The gRPC server: mutual TLS on one port."""

import sys
from concurrent.futures import ThreadPoolExecutor

import grpc
from aws_lambda_powertools import Logger

from matchboxctl.cli.arguments import Address
from matchboxctl.cli.errors import UsageError
from matchboxctl.rpc.arguments import RpcSettings
from matchboxctl.rpc.calls import MOST_CALLS, Calls
from matchboxctl.rpc.certificates import certificates
from matchboxctl.rpc.edited import Edited
from matchboxctl.rpc.services import Services

LARGEST_REQUEST = 4 * 1024 * 1024
"""The most bytes of a request, as with matchbox; an answer may have any number."""

_GRACE = 9.0
"""Seconds for calls under way: more than one attempt takes at a store that is away, after which its reason is told."""


class RpcServer:
    """A server that listens and does not answer yet; its `lines` tell an operator where, and what clients refuse."""

    def __init__(self, settings: RpcSettings, documents: Edited, log_level: str) -> None:
        """Raises UsageError with one line that says what to mend."""
        tls = certificates(settings)
        self._documents = documents
        self._server = grpc.server(
            ThreadPoolExecutor(MOST_CALLS, "rpc"),
            handlers=[Calls(Services(documents), Logger(service="rpc", level=log_level, stream=sys.stderr))],
            options=[
                ("grpc.max_receive_message_length", LARGEST_REQUEST),
                ("grpc.max_send_message_length", -1),
                # Else another process's port could be shared with it.
                ("grpc.so_reuseport", 0),
            ],
        )
        credentials = grpc.ssl_server_credentials([(tls.key, tls.chain)], tls.authority, require_client_auth=True)
        try:
            port = self._server.add_secure_port(settings.address.text, credentials)
        except RuntimeError as error:
            where = settings.address.text
            raise UsageError(f"cannot listen on {where} for gRPC: is it in use, or another host's?") from error
        place = Address(settings.address.host, port).text
        self.lines = [f"gRPC on {place}, for clients with a certificate of {settings.ca_file}", *tls.notes]

    def start(self) -> None:
        """Begin to answer."""
        self._server.start()

    def stop(self) -> None:
        """Take no more calls; those under way have a few seconds, unless they wait for a store that is away."""
        ended = self._server.stop(_GRACE)
        self._documents.end()
        ended.wait()
