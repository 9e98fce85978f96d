"""Problems that `matchboxctl certs --check` reports."""

import json
import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID

from matchboxctl.main import main
from tests.support.certificates import DAY, HOUR, Authority, bare_authority, private_pem
from tests.unit.matchboxctl.certs.certificate_checker import (
    AUTHORITY,
    CLIENT_AUTH,
    RSA,
    SERVER_AUTH,
    YEAR,
    Checker,
    client,
    server,
)

ANY = ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE
SHORT_RSA = rsa.generate_private_key(65537, 1024)
P521, P224 = ec.generate_private_key(ec.SECP521R1()), ec.generate_private_key(ec.SECP224R1())
EDWARDS = ed25519.Ed25519PrivateKey.generate()

BETWEEN = Authority("between", times=(-HOUR, 10 * YEAR), above=AUTHORITY)
NO_BETWEEN = Authority("between", signs=False, above=AUTHORITY)
ENDED_BETWEEN = Authority("between", times=(-2 * HOUR, -HOUR), above=AUTHORITY)
OTHER = Authority("other", times=(-HOUR, 10 * YEAR))
ENDED, NO_AUTHORITY = Authority(times=(-2 * HOUR, -HOUR)), Authority(signs=False, times=(-HOUR, 10 * YEAR))


@pytest.fixture
def checker(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Checker:
    return Checker(tmp_path, capsys)


def chained(made: dict[str, bytes], name: str, authority: Authority) -> dict[str, bytes]:
    """With the certificate of the intermediate authority."""
    return {**made, name: made[name] + authority.certificate}


def with_sha1(made: dict[str, bytes], name: str) -> dict[str, bytes]:
    """The same certificate, signed with SHA-1 by the authority's RSA key: the two algorithms differ in one byte."""
    parsed = x509.load_pem_x509_certificate(made[name])
    sha256, sha1 = (bytes.fromhex(f"2a864886f70d0101{end}") for end in ("0b", "05"))
    body = parsed.tbs_certificate_bytes.replace(sha256, sha1)
    whole = parsed.public_bytes(serialization.Encoding.DER).replace(sha256, sha1)
    whole = whole.replace(parsed.signature, RSA.sign(body, padding.PKCS1v15(), hashes.SHA1()))
    signed = x509.load_der_x509_certificate(whole)
    return {**made, name: signed.public_bytes(serialization.Encoding.PEM)}


def test_valid_set_has_line_for_each_certificate(checker: Checker) -> None:
    output = checker.check("--name", "localhost", "--name", "127.0.0.1")
    assert (0, "") == (output.code, output.error)
    end = r"until \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"
    expected = [
        f"ca.crt: CN=authority of the tests, {end}",
        f"server.crt: localhost, 127.0.0.1, {end}",
        f"client.crt: CN=client, {end}",
    ]
    assert 3 == len(output.lines)
    for pattern, (how, line) in zip(expected, output.lines, strict=True):
        assert "ok" == how
        assert re.fullmatch(pattern, line)


GOOD = {
    "an authority in between": {
        **chained(server(BETWEEN), "server.crt", BETWEEN),
        **chained(client(BETWEEN), "client.crt", BETWEEN),
    },
    "one of several authorities": {"ca.crt": OTHER.certificate + AUTHORITY.certificate},
    "an authority for each end": {"ca.crt": OTHER.certificate + AUTHORITY.certificate, **client(OTHER)},
    "no usage": {**server(usage=None), **client(usage=None)},
    "any usage of a server": server(usage=ANY),
    "RSA": {**server(key=RSA), **client(key=RSA)},
    "an old one of the same authority": {
        "ca.crt": Authority(key=RSA, times=(-2 * HOUR, -HOUR)).certificate + AUTHORITY.certificate
    },
}


@pytest.mark.parametrize("bodies", GOOD.values(), ids=GOOD)
def test_other_valid_sets_have_no_problems(checker: Checker, bodies: Mapping[str, bytes]) -> None:
    checker.put(bodies)
    output = checker.check()
    assert (0, {"ok"}) == (output.code, {how for how, _ in output.lines}), output.lines


WRONG: dict[str, tuple[Mapping[str, bytes | None], Sequence[str]]] = {
    **{
        f"no {name}": ({name: None}, [f"{name} does not exist: create one with `matchboxctl certs`"])
        for name in ("ca.crt", "server.crt", "server.key", "client.crt", "client.key")
    },
    **{
        f"{name} of nonsense": ({name: b"nonsense"}, [f"{name} is not a certificate in PEM"])
        for name in ("ca.crt", "server.crt", "client.crt")
    },
    "a key for a certificate": ({"server.crt": private_pem(RSA)}, ["server.crt is not a certificate in PEM"]),
    "a certificate for a key": ({"client.key": AUTHORITY.certificate}, ["client.key is not a private key in PEM"]),
    "another key": ({"server.key": private_pem(RSA)}, ["server.key is not the key of server.crt"]),
    "a client's other key": ({"client.key": private_pem(RSA)}, ["client.key is not the key of client.crt"]),
    "an encrypted key": ({"server.key": private_pem(RSA, b"secret")}, ["server.key is encrypted"]),
    "no name": (server(names=[]), ["server.crt has no subject alternative names"]),
    "another authority": (
        {"ca.crt": OTHER.certificate},
        [
            "server.crt is not signed by ca.crt: clients that trust this authority refuse it",
            "client.crt is not signed by ca.crt: a server that trusts this authority refuses it",
        ],
    ),
    "a client of another authority": (client(OTHER), ["client.crt is not signed by ca.crt"]),
    "an authority in between that is left out": (server(BETWEEN), ["server.crt is not signed by ca.crt"]),
    "an authority in between that has ended": (
        chained(server(ENDED_BETWEEN), "server.crt", ENDED_BETWEEN),
        ["server.crt: its issuer CN=between expired at"],
    ),
    "no authority in between": (
        chained(server(NO_BETWEEN), "server.crt", NO_BETWEEN),
        ["server.crt is not signed by ca.crt"],
    ),
    "another authority of the client, which has ended": (
        {"ca.crt": AUTHORITY.certificate + ENDED.certificate, **client(ENDED)},
        ["ca.crt expired at"],
    ),
    "an authority that does not say so": (
        {"ca.crt": bare_authority(RSA)},
        ["ca.crt is not an authority by its basic constraints or key usage"],
    ),
    "senseless names": (
        {"server.crt": bare_authority(RSA, x509.UnrecognizedExtension(ExtensionOID.SUBJECT_ALTERNATIVE_NAME, b"x"))},
        ["server.crt is not a certificate in PEM"],
    ),
    "an authority that has ended": (
        {"ca.crt": ENDED.certificate, **server(ENDED), **client(ENDED)},
        ["ca.crt expired at"],
    ),
    "no authority": (
        {"ca.crt": NO_AUTHORITY.certificate, **server(NO_AUTHORITY), **client(NO_AUTHORITY)},
        ["ca.crt is not an authority by its basic constraints or key usage"],
    ),
    "a server that has ended": (server(begins=-2 * HOUR, ends=-HOUR), ["server.crt expired at"]),
    "a server that begins": (server(begins=HOUR), ["server.crt is not valid before"]),
    "a client that has ended": (client(begins=-2 * HOUR, ends=-HOUR), ["client.crt expired at"]),
    "a server for clients": (server(usage=CLIENT_AUTH), ["server.crt is not for servers by its extended key usage"]),
    "a client for servers": (client(usage=SERVER_AUTH), ["client.crt is not for clients by its extended key usage"]),
    "a client for any usage": (client(usage=ANY), ["client.crt is not for clients by its extended key usage"]),
    "a server that does not sign": (server(signs=True), ["server.crt is not for digital signatures"]),
    "a client that does not sign": (client(signs=True), ["client.crt is not for digital signatures"]),
    "a server on a rare curve": (server(key=P224), ["server.crt has a key of a type that gRPC cannot serve with"]),
    "a client on a rare curve": (client(key=P521), ["client.crt has a key of a type that the server refuses"]),
    "a client on Edwards' curve": (client(key=EDWARDS), ["client.crt has a key of a type that the server refuses"]),
    "SHA-1": (with_sha1(server(), "server.crt"), ["server.crt is signed with SHA-1: clients refuse it"]),
    "several": (
        {**server(OTHER, usage=CLIENT_AUTH), "client.key": None},
        ["client.key does not exist", "server.crt is not signed by ca.crt", "server.crt is not for servers"],
    ),
}


@pytest.mark.parametrize(("bodies", "problems"), WRONG.values(), ids=WRONG)
def test_each_problem_is_one_line(
    checker: Checker, bodies: Mapping[str, bytes | None], problems: Sequence[str]
) -> None:
    checker.put(bodies)
    output = checker.check()
    failed = output.of("FAILED")
    assert (1, len(problems)) == (output.code, len(failed)), failed
    assert [] == [line for problem, line in zip(problems, failed, strict=True) if not line.startswith(problem)]
    count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
    assert f"matchboxctl: {count}; see above\n" == output.error


NOTES = {
    "a server's that ends": (server(ends=timedelta(days=9, hours=1)), "server.crt expires in less than 10 days"),
    "a client's that ends": (client(ends=timedelta(hours=23)), "client.crt expires in less than a day"),
    "a server on P-521": (server(key=P521), "server.crt has a key of a type that some programs refuse"),
    "a server on Edwards' curve": (server(key=EDWARDS), "server.crt has a key of a type that some programs refuse"),
    "a short key": (client(key=SHORT_RSA), "client.crt has an RSA key of 1024 bits, which some programs refuse"),
    "RSA for encryption alone": (
        server(key=RSA, signs=True),
        "server.crt is not for digital signatures by its key usage: some programs refuse it",
    ),
}


@pytest.mark.parametrize(("bodies", "note"), NOTES.values(), ids=NOTES)
def test_partial_incompatibilities_are_notes(checker: Checker, bodies: Mapping[str, bytes], note: str) -> None:
    checker.put(bodies)
    output = checker.check()
    (line,) = output.of("note")
    assert (0, 3) == (output.code, len(output.of("ok")))
    assert line.startswith(note)


def test_expiry_of_authority_is_noted(checker: Checker) -> None:
    soon = Authority(times=DAY)
    checker.put({"ca.crt": soon.certificate, **server(soon), **client(soon)})
    assert ["ca.crt expires in less than a day"] == checker.check().of("note")


@pytest.mark.parametrize("name", ["ca.key", "server.key", "client.key"])
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o622])
def test_accessible_keys_are_noted(checker: Checker, name: str, mode: int) -> None:
    checker.put({"ca.key": private_pem(AUTHORITY.key)})
    (checker.directory / name).chmod(mode)
    output = checker.check()
    expected = f"{name} is accessible by others than its owner (mode {mode:04o}): chmod 600 it"
    assert (0, [expected]) == (output.code, output.of("note"))


def test_document_has_each_result(checker: Checker, capsys: pytest.CaptureFixture[str]) -> None:
    checker.put({"server.key": None})
    lines = checker.check().lines
    assert 1 == main(["certs", "--check", str(checker.directory), "-o", "json"])
    document = json.loads(capsys.readouterr().out)
    results = [{"status": kind.lower(), "message": line} for kind, line in lines]
    for result in document["results"]:
        result["message"] = result["message"].replace(f"{checker.directory}/", "")
    assert {"results": results} == document
    assert {"ok", "failed"} == {result["status"] for result in results}
