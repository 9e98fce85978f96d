"""The certificate of https: what is refused at the start, and what is read again."""

import datetime
import io
import json
import ssl
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from lambda_matchbox.web.json_log import JsonLog
from matchboxctl.cli.errors import UsageError
from matchboxctl.serve.certificate import Certificate, CertificateFiles
from tests.support.certificates import HOUR, Authority, Issued, private_pem

AUTHORITY = Authority()
GOOD = AUTHORITY.issue("boot.test", ["127.0.0.1"])
OTHER_KEY = ec.generate_private_key(ec.SECP256R1())


@pytest.fixture
def files(tmp_path: Path) -> CertificateFiles:
    made = CertificateFiles(tmp_path / "server.crt", tmp_path / "server.key")
    write(made, GOOD)
    return made


def write(files: CertificateFiles, issued: Issued) -> None:
    files.certificate.write_bytes(issued.certificate)
    files.key.write_bytes(issued.key)


def refused(files: CertificateFiles) -> str:
    with pytest.raises(UsageError) as error:
        Certificate(files)
    return str(error.value)


def test_good_certificate_is_accepted(files: CertificateFiles) -> None:
    """Also with its authority's certificate below it, or in one file with its key."""
    assert isinstance(Certificate(files).context, ssl.SSLContext)
    files.certificate.write_bytes(GOOD.certificate + AUTHORITY.certificate)
    assert Certificate(files).context
    files.certificate.write_bytes(GOOD.key + GOOD.certificate)
    assert Certificate(CertificateFiles(files.certificate, files.certificate)).context


@pytest.mark.parametrize("name", ["certificate", "key"])
def test_file_that_cannot_be_read_is_named_with_its_flag(files: CertificateFiles, name: str) -> None:
    file: Path = getattr(files, name)
    flag = {"certificate": "--web-cert-file (MATCHBOX_WEB_CERT_FILE)", "key": "--web-key-file (MATCHBOX_WEB_KEY_FILE)"}
    file.unlink()
    assert f"{flag[name]} {file} cannot be read: No such file or directory" == refused(files)
    file.mkdir()
    assert f"{flag[name]} {file} cannot be read: Is a directory" == refused(files)


def test_files_without_pem_are_named(files: CertificateFiles) -> None:
    files.certificate.write_bytes(GOOD.key)
    assert f"{files.certificate} has no certificate in PEM" in refused(files)
    write(files, Issued(GOOD.certificate, GOOD.certificate))
    assert f"{files.key} has no private key in PEM" in refused(files)
    write(files, Issued(b"-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n", GOOD.key))
    assert "cannot be used: " in refused(files)


def test_key_of_another_certificate_is_refused(files: CertificateFiles) -> None:
    files.key.write_bytes(private_pem(OTHER_KEY))
    message = refused(files)
    assert f"{files.key} is not the key of " in message
    assert message.endswith(f"{files.certificate}")


def test_key_with_a_passphrase_is_refused(files: CertificateFiles) -> None:
    """Nobody is asked for it."""
    files.key.write_bytes(private_pem(OTHER_KEY, b"secret"))
    assert f"{files.key} has a passphrase: use a key without one" in refused(files)


@pytest.mark.parametrize(
    ("begins", "ends", "problem"),
    [(-2 * HOUR, -HOUR, "certificate has expired"), (HOUR, 2 * HOUR, "certificate is not yet valid")],
)
def test_certificate_is_valid_now(
    files: CertificateFiles, begins: datetime.timedelta, ends: datetime.timedelta, problem: str
) -> None:
    write(files, AUTHORITY.issue("boot.test", ["127.0.0.1"], begins=begins, ends=ends))
    assert f"{files.certificate}: {problem}" in refused(files)


def test_renewed_certificate_is_read_once_its_files_have_changed(files: CertificateFiles) -> None:
    """One that cannot be used leaves the former one, and is reported once."""
    certificate, log = Certificate(files), io.StringIO()

    def renewed() -> list[dict[str, Any]]:
        log.seek(0)
        log.truncate()
        for _ in range(2):
            certificate.renew(JsonLog("info", log))
        return [json.loads(line) for line in log.getvalue().splitlines()]

    first = certificate.context
    assert [] == renewed()
    files.key.write_bytes(private_pem(OTHER_KEY))
    (line,) = renewed()
    assert ("ERROR", "certificate not renewed, the former one is served") == (line["level"], line["message"])
    assert "is not the key of" in line["reason"]
    assert first is certificate.context
    write(files, AUTHORITY.issue("boot.test", ["127.0.0.1"]))
    assert ["certificate renewed"] == [line["message"] for line in renewed()]
    assert first is not certificate.context
    files.key.unlink()
    (line,) = renewed()
    assert "No such file or directory" in line["reason"]
