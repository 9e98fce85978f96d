"""The certificate of https, from files that somebody renews."""

import ssl
from pathlib import Path
from typing import NamedTuple

from lambda_matchbox.web.access_log import Log
from matchboxctl.cli.arguments import variable
from matchboxctl.cli.errors import UsageError

_FLAGS = "--web-cert-file", "--web-key-file"

# OpenSSL's X509_V_ERR_CERT_NOT_YET_VALID and X509_V_ERR_CERT_HAS_EXPIRED.
_TIME_ERRORS = (9, 10)


class CertificateFiles(NamedTuple):
    """The files of a certificate, with those of its authorities up to the root, and of its key, in PEM."""

    certificate: Path
    key: Path


class Certificate:
    """A certificate and its key in a TLS context for servers. Raises UsageError if they cannot be used now."""

    def __init__(self, files: CertificateFiles) -> None:
        self._files = files
        self._state = self._state_of_files()
        self.context = _context(files)

    def renew(self, log: Log) -> None:
        """Read the files again if they have changed; the certificate stays if they cannot be used."""
        state = self._state_of_files()
        if state == self._state:
            return
        self._state = state
        try:
            self.context = _context(self._files)
        except UsageError as error:
            log.error("certificate not renewed, the former one is served", extra={"reason": str(error)})
        else:
            log.info("certificate renewed", extra={"file": str(self._files.certificate)})

    def _state_of_files(self) -> list[tuple[int, int, int]]:
        try:
            return [(found.st_ino, found.st_mtime_ns, found.st_size) for found in map(Path.stat, self._files)]
        except OSError:
            return []


def _context(files: CertificateFiles) -> ssl.SSLContext:
    names = [f"{flag} ({variable(flag)}) {file}" for flag, file in zip(_FLAGS, files, strict=True)]
    for file, name, kind in zip(files, names, ("CERTIFICATE", "PRIVATE KEY"), strict=True):
        try:
            content = file.read_bytes()
        except OSError as error:
            raise UsageError(f"{name} cannot be read: {error.strerror}") from error
        if f"{kind}-----".encode() not in content:
            raise UsageError(f"{name} has no {kind.lower()} in PEM")
    certificate, key = names

    def no_passphrase() -> str:
        raise UsageError(f"{key} has a passphrase: use a key without one")

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_alpn_protocols(["http/1.1"])
    try:
        context.load_cert_chain(*files, no_passphrase)
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            raise UsageError(f"{key} is not the key of {certificate}") from error
        raise UsageError(f"{certificate} and {key} cannot be used: {error.reason or error}") from error
    problem = _time_problem(context, files.certificate)
    if problem:
        raise UsageError(f"{certificate}: {problem}")
    return context


def _time_problem(context: ssl.SSLContext, certificate: Path) -> str:
    """Why a client that trusts the certificate would refuse it now, as shown by a handshake in memory."""
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname = False
    client.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    client.load_verify_locations(certificate)
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = client.wrap_bio(to_client, to_server), context.wrap_bio(to_server, to_client, server_side=True)
    for end in (*ends, *ends):
        try:
            end.do_handshake()
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLCertVerificationError as error:
            return error.verify_message if error.verify_code in _TIME_ERRORS else ""
    return ""
