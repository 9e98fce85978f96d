"""TLS of the gRPC server: which clients it accepts, and which certificates it starts with."""

import json
import os
import re
import socket
import ssl
import subprocess
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path

import grpc
import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID

from tests.support.certificates import HOUR, Authority, Issued
from tests.support.rpc_client import ANYWHERE, Files, connected, files_in, rpc_port
from tests.support.serving import COMMAND, LIMIT, refused_start, started

pytestmark = pytest.mark.system

HTTP = ("--address", "127.0.0.1:0")


class Server:
    """A running server, its files, and its port."""

    def __init__(self, files: Files, port: int) -> None:
        self.files = files
        self.port = port


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    directory = tmp_path_factory.mktemp("rpc")
    files = files_in(directory)
    with started(*HTTP, "--data-path", str(directory), *ANYWHERE, *files.flags) as running:
        yield Server(files, rpc_port(running))
        running.end()


def refused(*flags: str, environment: Mapping[str, str] | None = None) -> str:
    """The one line of an error of `serve`."""
    return refused_start(*HTTP, *flags, environment=environment).removeprefix("matchboxctl: ")


def code_of(server: Server, client: Issued | None) -> str:
    """The code of a call by a client with this certificate or none."""
    credentials = grpc.ssl_channel_credentials(
        server.files.authority.certificate,
        None if client is None else client.key,
        None if client is None else client.certificate,
    )
    with grpc.secure_channel(f"127.0.0.1:{server.port}", credentials) as channel:
        try:
            channel.unary_unary("/rpcpb.Groups/GroupList")(b"", timeout=LIMIT)
        except grpc.RpcError as error:
            return str(error.code().name)
    return "OK"


def test_any_client_certificate_of_the_authority_is_accepted(server: Server) -> None:
    assert "OK" == code_of(server, server.files.authority.issue("anybody"))
    assert "OK" == code_of(server, server.files.authority.issue("client", usage=ExtendedKeyUsageOID.CLIENT_AUTH))


def test_other_clients_are_refused(server: Server) -> None:
    """No certificate, another authority, a server's certificate, or an expired one."""
    own = server.files.authority
    clients = [
        None,
        Authority().issue("client"),
        own.issue("client", usage=ExtendedKeyUsageOID.SERVER_AUTH),
        own.issue("client", begins=-2 * HOUR, ends=-HOUR),
        own.issue("client", begins=HOUR),
    ]
    assert ["UNAVAILABLE"] * len(clients) == [code_of(server, client) for client in clients]


def negotiated(server: Server, client: Issued, version: ssl.TLSVersion, directory: Path) -> tuple[str | None, ...]:
    """The version of TLS and the protocol, for a client that supports only this version."""
    (directory / "client.pem").write_bytes(client.key + client.certificate)
    context = ssl.create_default_context(cadata=server.files.authority.certificate.decode())
    context.load_cert_chain(directory / "client.pem")
    context.set_ciphers("DEFAULT@SECLEVEL=0")
    context.set_alpn_protocols(["h2"])
    context.minimum_version = context.maximum_version = version
    with (
        socket.create_connection(("127.0.0.1", server.port), timeout=LIMIT) as plain,
        context.wrap_socket(plain, server_hostname="127.0.0.1") as wrapped,
    ):
        return wrapped.version(), wrapped.selected_alpn_protocol()


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_tls_1_2_and_1_3_with_http_2(server: Server, version: ssl.TLSVersion, tmp_path: Path) -> None:
    name = version.name.replace("_", ".")
    assert (name, "h2") == negotiated(server, server.files.client, version, tmp_path)


@pytest.mark.filterwarnings("ignore:.*TLSv1.*:DeprecationWarning")
@pytest.mark.parametrize("name", ["TLSv1", "TLSv1_1"])
def test_older_tls_is_refused(server: Server, name: str, tmp_path: Path) -> None:
    with pytest.raises((ssl.SSLEOFError, ConnectionResetError)):
        negotiated(server, server.files.client, ssl.TLSVersion[name], tmp_path)


def test_plain_text_is_refused(server: Server) -> None:
    with grpc.insecure_channel(f"127.0.0.1:{server.port}") as channel, pytest.raises(grpc.RpcError) as raised:
        channel.unary_unary("/rpcpb.Groups/GroupList")(b"", timeout=LIMIT)
    assert grpc.StatusCode.UNAVAILABLE == raised.value.code()


def test_missing_file_is_named(tmp_path: Path) -> None:
    files = files_in(tmp_path)
    for name, flag in (
        ("server.key", "--key-file (MATCHBOX_KEY_FILE)"),
        ("server.crt", "--cert-file (MATCHBOX_CERT_FILE)"),
    ):
        (tmp_path / name).unlink()
        line = refused("--data-path", str(tmp_path), *ANYWHERE, *files.flags)
        assert (
            f"{flag} '{tmp_path / name}' does not exist, and gRPC needs it: create it with `matchboxctl certs`" in line
        )


def test_without_any_certificate_http_is_served(tmp_path: Path) -> None:
    flags = Files(tmp_path, Authority()).flags
    with started(*HTTP, "--data-path", str(tmp_path), *ANYWHERE, *flags, "--log-level", "error") as running:
        assert 200 == running.get("/boot.ipxe").status
        running.end()
    [line] = map(json.loads, running.errors)
    assert line["level"] == "ERROR"
    assert line["message"].startswith("gRPC is off: --ca-file (MATCHBOX_CA_FILE) ")
    assert f"create them with `matchboxctl certs {tmp_path} --name HOST`" in line["message"]


def test_key_of_another_certificate_is_refused(tmp_path: Path) -> None:
    files = files_in(tmp_path)
    (tmp_path / "server.key").write_bytes(files.authority.issue("other").key)
    line = refused("--data-path", str(tmp_path), *ANYWHERE, *files.flags)
    assert f"{tmp_path}/server.key is not the key of {tmp_path}/server.crt: use two that were created together" == line


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("ca.crt", b"none", "is not a certificate in PEM"),
        ("server.crt", b"", "is not a certificate in PEM"),
        ("server.key", b"-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n", "is not a private key in PEM"),
    ],
)
def test_malformed_file_is_named(tmp_path: Path, name: str, content: bytes, why: str) -> None:
    files = files_in(tmp_path)
    (tmp_path / name).write_bytes(content)
    line = refused("--data-path", str(tmp_path), *ANYWHERE, *files.flags)
    assert line.startswith(f"{tmp_path / name} {why}")


def test_certificate_without_names_is_refused(tmp_path: Path) -> None:
    files = files_in(tmp_path, names=())
    line = refused("--data-path", str(tmp_path), *ANYWHERE, *files.flags)
    assert line.startswith(f"{tmp_path}/server.crt has no subject alternative names")
    assert "`matchboxctl certs`" in line


@pytest.mark.parametrize(
    ("address", "names", "line"),
    [
        ("127.0.0.1:0", ["matchbox.example.com"], "is for matchbox.example.com: clients that connect to 127.0.0.1"),
        ("127.0.0.1:0", ["matchbox.example.com", "127.0.0.1"], ""),
        ("0.0.0.0:0", ["matchbox.example.com"], ""),
        ("localhost:0", ["LOCALHOST"], ""),
        ("[::1]:0", ["0:0:0:0:0:0:0:1"], ""),
    ],
)
def test_certificate_for_another_name_is_a_warning(tmp_path: Path, address: str, names: list[str], line: str) -> None:
    files = files_in(tmp_path, names)
    with started(*HTTP, "--data-path", str(tmp_path), "--rpc-address", address, *files.flags) as running:
        running.end()
    warnings = [each for each in running.startup_banner if each.startswith(str(tmp_path / "server.crt"))]
    assert [f"{tmp_path}/server.crt {line} refuse it"] * bool(line) == warnings


def test_certificate_that_clients_refuse_is_a_warning(tmp_path: Path) -> None:
    files = files_in(tmp_path)
    made = Authority().issue(
        "server", ["127.0.0.1"], usage=ExtendedKeyUsageOID.CLIENT_AUTH, begins=-2 * HOUR, ends=timedelta(seconds=-1)
    )
    (tmp_path / "server.crt").write_bytes(made.certificate)
    (tmp_path / "server.key").write_bytes(made.key)
    with started(*HTTP, "--data-path", str(tmp_path), *ANYWHERE, *files.flags) as running:
        assert 200 == running.get("/boot.ipxe").status
        running.end()
    warnings = [line.partition("server.crt ")[2] for line in running.startup_banner if "server.crt " in line]
    assert f"is not signed by {tmp_path}/ca.crt: clients that trust this authority refuse it" == warnings[0]
    assert re.fullmatch(r"expired at \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ: clients refuse it", warnings[1])
    assert "is not for servers by its extended key usage: clients refuse it" == warnings[2]


def test_port_in_use(tmp_path: Path) -> None:
    files = files_in(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as other:
        address = f"127.0.0.1:{other.getsockname()[1]}"
        line = refused("--data-path", str(tmp_path), "--rpc-address", address, *files.flags)
    assert f"cannot listen on {address} for gRPC: it is in use, or not an address of this host" == line


@pytest.mark.parametrize("address", ["nonsense", "127.0.0.1:x"])
def test_invalid_address(tmp_path: Path, address: str) -> None:
    line = refused("--data-path", str(tmp_path), "--rpc-address", address)
    assert f"invalid --rpc-address (MATCHBOX_RPC_ADDRESS) {address!r}: use HOST:PORT" == line


def test_environment_and_one_dash_flags(tmp_path: Path) -> None:
    files = files_in(tmp_path)
    given = {
        "MATCHBOX_RPC_ADDRESS": "127.0.0.1:0",
        "MATCHBOX_DATA_PATH": str(tmp_path),
        "MATCHBOX_CA_FILE": str(tmp_path / "ca.crt"),
        "MATCHBOX_CERT_FILE": str(tmp_path / "server.crt"),
    }
    flags = ("-address", "127.0.0.1:0", "-key-file", str(tmp_path / "server.key"))
    with started(*flags, environment=os.environ | given) as running:
        with connected(rpc_port(running), files) as client:
            assert {} == client.ok("Groups/GroupList")
        running.end()
    nowhere = {"MATCHBOX_CERT_FILE": "/nowhere/server.crt"}
    assert "`matchboxctl certs`" in refused(*flags[2:], environment=given | nowhere)


def test_defaults_are_matchboxs() -> None:
    """gRPC is off."""
    shown = subprocess.run([*COMMAND, "--help"], capture_output=True, text=True, timeout=LIMIT, check=True)
    text = " ".join(shown.stdout.split())
    for default in (
        "[env var: MATCHBOX_RPC_ADDRESS; default: (off)]",
        "[env var: MATCHBOX_CA_FILE; default: /etc/matchbox/ca.crt]",
        "[env var: MATCHBOX_CERT_FILE; default: /etc/matchbox/server.crt]",
        "[env var: MATCHBOX_KEY_FILE; default: /etc/matchbox/server.key]",
    ):
        assert default in text


def test_sigterm_ends_it_despite_open_connections(tmp_path: Path) -> None:
    files = files_in(tmp_path)
    with (
        started(*HTTP, "--data-path", str(tmp_path), *ANYWHERE, *files.flags) as running,
        connected(rpc_port(running), files) as client,
    ):
        client.ok("Profiles/ProfilePut", {"profile": {"id": "p"}})
        running.end()
        assert "Unavailable" == client.call("Profiles/ProfileGet", {"id": "p"}).code
    assert [] == [line for line in running.errors if not line.startswith("{")]
