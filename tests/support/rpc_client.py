"""A client of matchbox's gRPC API."""

import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import grpc
from google.protobuf import json_format, message_factory
from google.protobuf.message import Message

from matchboxctl.rpc import matchbox_pb2 as pb
from tests.support.certificates import Authority, Issued
from tests.support.serving import Serve

LIMIT = 60
COMMAND = (sys.executable, "-m", "matchboxctl.main")
ANYWHERE = ("--rpc-address", "127.0.0.1:0")


@dataclass(frozen=True)
class Files:
    """The TLS files of a server, and certificates for its clients."""

    directory: Path
    authority: Authority

    @property
    def flags(self) -> list[str]:
        """The server's flags."""
        names = (("--ca-file", "ca.crt"), ("--cert-file", "server.crt"), ("--key-file", "server.key"))
        return [word for flag, name in names for word in (flag, str(self.directory / name))]

    @cached_property
    def client(self) -> Issued:
        """A client's certificate and key."""
        return self.authority.issue("client")


def files_in(directory: Path, names: Sequence[str] = ("127.0.0.1",)) -> Files:
    """TLS files of a server with these names, in the directory."""
    authority = Authority()
    server = authority.issue("server", names)
    (directory / "ca.crt").write_bytes(authority.certificate)
    (directory / "server.crt").write_bytes(server.certificate)
    (directory / "server.key").write_bytes(server.key)
    return Files(directory, authority)


class Reply(NamedTuple):
    """The result of a call: the response in protobuf's JSON form, or the error's code and message."""

    response: dict[str, Any] | None
    code: str = "OK"
    message: str = ""


class Client:
    """A channel to a server; see `connected`."""

    def __init__(self, channel: grpc.Channel) -> None:
        self._channel = channel

    def call(self, method: str, request: dict[str, Any] | None = None, timeout: float = LIMIT, **fields: Any) -> Reply:
        """Call a method such as `Groups/GroupGet`, with a request in JSON form and these fields."""
        service, _, name = method.partition("/")
        message = message_of(service, name, request or {})
        for field, value in fields.items():
            setattr(message, field, value)
        return self.send(f"/rpcpb.{method}", message.SerializeToString(), response_class(service, name), timeout)

    def hurried(self, method: str, request: dict[str, Any], words: str = "") -> Reply:
        """The result of a call with a short deadline, whose message contains `words`.

        The server answers a second before the deadline. A busy machine may miss it: then longer ones are tried.
        """
        for timeout in (2, 4, 8, 16):
            got = self.call(method, request, timeout=timeout)
            if got.code != "DeadlineExceeded" and words in got.message:
                break
        return got

    def send(self, path: str, raw: bytes, response: type[Message], timeout: float = LIMIT) -> Reply:
        """Send the bytes of a request."""
        call = self._channel.unary_unary(path)
        try:
            got = call(raw, timeout=timeout)
        except grpc.RpcError as error:
            return Reply(None, _pascal(error.code().name), error.details())
        message = response.FromString(got)
        return Reply(json_format.MessageToDict(message, preserving_proto_field_name=True))

    def ok(self, method: str, request: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
        """The response to a call that must succeed."""
        got = self.call(method, request, **fields)
        assert got.response is not None, got
        return got.response


def message_of(service: str, method: str, request: dict[str, Any]) -> Message:
    """The request of a method, from its JSON form."""
    kind = pb.DESCRIPTOR.services_by_name[service].methods_by_name[method].input_type
    return json_format.ParseDict(request, message_factory.GetMessageClass(kind)())


def response_class(service: str, method: str) -> type[Message]:
    """The class of a method's response."""
    kind = pb.DESCRIPTOR.services_by_name[service].methods_by_name[method].output_type
    return message_factory.GetMessageClass(kind)


class Bridge:
    """A running `matchboxctl rpc` on `port`; see `bridge`."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        assert process.stdout is not None
        self.startup_banner: list[str] = []
        while not self.startup_banner or not self.startup_banner[-1].startswith("gRPC on "):
            line = process.stdout.readline()
            assert line, f"rpc ended with {process.wait(LIMIT)}: {process.stderr and process.stderr.read()}"
            self.startup_banner.append(line.rstrip("\n"))
        self.port = _port_in(self.startup_banner[-1])

    def end(self) -> str:
        """End it by SIGTERM; it must exit with 0. Returns its standard error."""
        self._process.send_signal(signal.SIGTERM)
        code, errors = self.ended()
        assert 0 == code, errors
        return errors

    def ended(self) -> tuple[int, str]:
        """Its exit code and standard error once it has ended."""
        _, errors = self._process.communicate(timeout=LIMIT)
        return self._process.returncode, errors


@contextmanager
def bridge(environment: Mapping[str, str], files: Files, command: Sequence[str] = COMMAND) -> Iterator[Bridge]:
    """Start `rpc`."""
    with subprocess.Popen(
        [*command, "rpc", *ANYWHERE, *files.flags],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    ) as process:
        try:
            yield Bridge(process)
        finally:
            process.kill()


@contextmanager
def connected(port: int, files: Files, client: Issued | None = None) -> Iterator[Client]:
    """A client of the server on this port of 127.0.0.1, with the given certificate or its own."""
    own = client or files.client
    credentials = grpc.ssl_channel_credentials(files.authority.certificate, own.key, own.certificate)
    options = [("grpc.max_receive_message_length", -1)]
    with grpc.secure_channel(f"127.0.0.1:{port}", credentials, options) as channel:
        yield Client(channel)


def rpc_port(serve: Serve) -> int:
    """The gRPC port of a running `serve`."""
    (line,) = (line for line in serve.startup_banner if line.startswith("gRPC on "))
    return _port_in(line)


def _port_in(line: str) -> int:
    found = re.match(r"gRPC on \S*:([0-9]+), for clients with a certificate of ", line)
    assert found is not None, line
    return int(found[1])


def _pascal(name: str) -> str:
    """RESOURCE_EXHAUSTED as gRPC's documents and matchbox's log write it."""
    return "".join(part.capitalize() for part in name.split("_"))
