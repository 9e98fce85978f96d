"""Certificates that `matchboxctl certs` creates."""

import os
import ssl
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import grpc
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from matchboxctl.main import main
from tests.support.rpc_client import ANYWHERE, LIMIT, rpc_port
from tests.support.serving import started
from tests.unit.matchboxctl.certs.made_certificates import FILES, certificate, names, refused


def listed(directory: Path, port: int) -> bytes:
    """The response to a client with the certificate in a directory."""
    ca, key, own = ((directory / name).read_bytes() for name in ("ca.crt", "client.key", "client.crt"))
    with grpc.secure_channel(f"127.0.0.1:{port}", grpc.ssl_channel_credentials(ca, key, own)) as channel:
        response: bytes = channel.unary_unary("/rpcpb.Groups/GroupList")(b"", timeout=LIMIT)
    return response


def server_flags(directory: Path) -> list[str]:
    flags = (("--ca-file", "ca.crt"), ("--cert-file", "server.crt"), ("--key-file", "server.key"))
    return [word for flag, name in flags for word in (flag, str(directory / name))]


@pytest.mark.system
def test_server_and_client_trust_each_other(tmp_path: Path) -> None:
    """Also after a renewal, and without warnings at the start."""
    made = tmp_path / "certs"
    assert 0 == main(["certs", str(made), "--name", "127.0.0.1"])
    http = ("--address", "127.0.0.1:0", "--data-path", str(tmp_path))
    with started(*http, *ANYWHERE, *server_flags(made)) as running:
        assert b"" == listed(made, rpc_port(running))
        assert 0 == main(["certs", str(made), "--renew"])
        assert b"" == listed(made, rpc_port(running))
        running.end()
    assert [] == [line for line in running.startup_banner if line.startswith(str(made))]


@pytest.mark.parametrize("end", ["server", "client"])
def test_openssl_verifies_strictly(tmp_path: Path, end: str) -> None:
    main(["certs", str(tmp_path), "--name", "matchbox.example.com"])
    client = ssl.create_default_context(cafile=tmp_path / "ca.crt")
    client.load_cert_chain(tmp_path / "client.crt", tmp_path / "client.key")
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=tmp_path / "ca.crt")
    server.load_cert_chain(tmp_path / "server.crt", tmp_path / "server.key")
    server.verify_mode = ssl.CERT_REQUIRED
    client.verify_flags |= ssl.VERIFY_X509_STRICT
    server.verify_flags |= ssl.VERIFY_X509_STRICT
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = {
        "client": client.wrap_bio(to_client, to_server, server_hostname="matchbox.example.com"),
        "server": server.wrap_bio(to_server, to_client, server_side=True),
    }
    for _ in range(3):
        for each in ends.values():
            try:
                each.do_handshake()
            except ssl.SSLWantReadError:
                continue
    other = {"server": "client", "client": "server"}[end]
    assert ((("commonName", f"matchbox {other}"),),) == (ends[end].getpeercert() or {}).get("subject")


def test_keys_are_private_whatever_the_umask(tmp_path: Path) -> None:
    made = tmp_path / "etc" / "matchbox"
    umask = os.umask(0)
    try:
        main(["certs", str(made), "--name", "localhost"])
    finally:
        os.umask(umask)
    assert FILES == sorted(path.name for path in made.iterdir())
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in made.iterdir()}
    assert {name: 0o600 if name.endswith(".key") else 0o644 for name in FILES} == modes
    assert 0o700 == stat.S_IMODE(made.stat().st_mode)


def test_extensions_and_validity(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    main(["certs", str(tmp_path), "--name", "localhost", "--days", "90"])
    authority = certificate(tmp_path, "ca")
    assert x509.BasicConstraints(ca=True, path_length=0) == (
        authority.extensions.get_extension_for_class(x509.BasicConstraints).value
    )
    usage = authority.extensions.get_extension_for_class(x509.KeyUsage).value
    assert (True, False) == (usage.key_cert_sign, usage.digital_signature)
    for name, purpose in (("server", ExtendedKeyUsageOID.SERVER_AUTH), ("client", ExtendedKeyUsageOID.CLIENT_AUTH)):
        made = certificate(tmp_path, name)
        extensions = made.extensions
        assert [purpose] == list(extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)
        assert not extensions.get_extension_for_class(x509.BasicConstraints).value.ca
        assert extensions.get_extension_for_class(x509.KeyUsage).value.digital_signature
        key = made.public_key()
        assert isinstance(key, ec.EllipticCurvePublicKey)
        assert "secp256r1" == key.curve.name
        assert now + timedelta(days=90, seconds=-1) <= made.not_valid_after_utc <= now + timedelta(days=91)
        assert made.not_valid_before_utc <= now - timedelta(minutes=59)
    assert now + timedelta(days=3649) < authority.not_valid_after_utc


def test_names_are_normalised(tmp_path: Path) -> None:
    given = ["Matchbox.example.com", "10.0.0.1", "0:0::1", "*.example.com", "10.0.0.1", "my_host"]
    main(["certs", str(tmp_path), *(word for name in given for word in ("-name", name))])
    assert (["matchbox.example.com", "*.example.com", "my_host"], ["10.0.0.1", "::1"]) == names(tmp_path)


@pytest.mark.parametrize(
    "name",
    [
        *("", " ", "localhost:8081", "127.0.0.1:8081", "[::1]", "https://localhost", "a b", "a..b", ".a", "a.", "-a"),
        *("a-", "10.0.0.256", "10.0.1", "*", "*.com", "a.*.com", "fe80::1%eth0", "a" * 64, ("a" * 50 + ".") * 5 + "a"),
        *("bücher.example", "a\n", "٣"),
    ],
)
def test_invalid_name_creates_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    line = refused(capsys, tmp_path / "certs", f"--name={name}")
    assert line.startswith(f"invalid --name {name!r}: use a host name or IP address")
    assert [] == list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["0.0.0.0", "::"])
def test_unspecified_address_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    assert f"--name {name!r} stands for every address: " in refused(capsys, tmp_path / "certs", "--name", name)


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["DIR"], "certs needs --name HOST, the host name or IP address by which clients reach the server"),
        (["--name", "localhost"], "certs needs a directory: certs DIR --name HOST"),
        (["--renew"], "certs needs a directory: certs DIR --name HOST"),
        (["DIR", "--name", "localhost", "--ca-file", "ca.crt"], "--ca-file is for --check only"),
        (["DIR", "--renew", "--client-key-file", "x"], "--client-key-file is for --check only"),
        (["DIR", "--check", "--days", "3"], "--days cannot be combined with --check"),
    ],
)
def test_conflicting_arguments(capsys: pytest.CaptureFixture[str], arguments: list[str], why: str) -> None:
    assert refused(capsys, *arguments).startswith(why)


@pytest.mark.parametrize("days", ["0", "-1", "3651", "x", "1.5", "٣"])
def test_invalid_days(capsys: pytest.CaptureFixture[str], days: str) -> None:
    assert 2 == main(["certs", "DIR", "--name", "localhost", f"--days={days}"])
    assert f"invalid number of days {days!r}: use 1 to 3650" in capsys.readouterr().err


@pytest.mark.parametrize("name", FILES)
def test_existing_file_is_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    """Also a dangling link."""
    (tmp_path / name).symlink_to("nowhere")
    assert refused(capsys, tmp_path, "--name", "localhost").startswith(f"{tmp_path} already has {name}")
    assert [name] == [path.name for path in tmp_path.iterdir()]


def test_summary_has_flags_for_a_shell(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = tmp_path / "my certs"
    main(["certs", str(made), "--name", "127.0.0.1", "--name", "localhost"])
    first, server, terraform, bootcmd, last = capsys.readouterr().out.splitlines()
    assert first.startswith(f"created in {made}: certificates for localhost, 127.0.0.1, until ")
    assert (
        f"server     --ca-file '{made}/ca.crt' --cert-file '{made}/server.crt' --key-file '{made}/server.key'" == server
    )
    assert "Terraform  ca: ca.crt, client_cert: client.crt, client_key: client.key" == terraform
    assert f"bootcmd    --ca-file '{made}/ca.crt' --cert-file '{made}/client.crt' --key-file '{made}/client.key'" == (
        bootcmd
    )
    assert last.startswith("keep ca.key away from the server")
