"""`matchboxctl certs --check`: what is wrong with a set of certificates? Its clients would wait in silence."""

import os
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple, TypeVar

from cryptography import x509

from matchboxctl.certs.directory import left_behind
from matchboxctl.certs.faults import (
    Trust,
    authority_faults,
    client_faults,
    name_fault,
    names_of,
    notes,
    server_faults,
    serving_faults,
    signer,
)
from matchboxctl.certs.files import certificates_in, check_key, key_in, pem_in
from matchboxctl.cli.errors import FailedError, UsageError

_SOON = timedelta(days=30)

_Parsed = TypeVar("_Parsed")


class Pair(NamedTuple):
    """A certificate and its key; one that is not `needed` may be absent with its key."""

    file: Path
    key_file: Path
    needed: bool

    @property
    def absent(self) -> bool:
        """Are both not there, and need not be?"""
        return not self.needed and not os.path.lexists(self.file) and not os.path.lexists(self.key_file)


class CheckedFiles(NamedTuple):
    """The files of a set. A server has no need of a client's, nor a client of a server's."""

    ca_file: Path
    server: Pair
    client: Pair


def check(files: CheckedFiles, hosts: Sequence[str]) -> None:
    """Print a line for each certificate and for what is wrong with it. Raises FailedError where something is wrong.

    `hosts` are what clients connect to: the server's certificate has to be for each of them.
    """
    checked = _Check(datetime.now(UTC))
    authorities = checked.certificates(files.ca_file)
    trust = Trust(files.ca_file, authorities)
    server, client = (checked.pair(each) for each in (files.server, files.client))
    vouching = [found for chain in (server, client) if chain and (found := signer(chain, trust, checked.now))]
    for authority in dict.fromkeys(vouching or authorities):
        checked.told(files.ca_file, authority, authority_faults(files.ca_file, authority, checked.now))
    if server:
        file = files.server.file
        faults = _server_faults(file, server, trust, hosts, checked.now)
        checked.told(file, server[0], faults, notes(file, server[0]))
    if client:
        file = files.client.file
        checked.told(file, client[0], client_faults(file, client, trust, checked.now), notes(file, client[0]))
    if files.ca_file.name:
        checked.mode(files.ca_file.with_suffix(".key"))
    checked.litter(files.ca_file.parent)
    if checked.failed:
        raise FailedError(
            f"{checked.failed} {'thing is' if checked.failed == 1 else 'things are'} wrong, as told above"
        )


def _server_faults(
    file: Path, chain: Sequence[x509.Certificate], trust: Trust, hosts: Sequence[str], now: datetime
) -> Iterable[str]:
    yield from serving_faults(file, chain[0])
    if names_of(chain[0]):
        yield from filter(None, (name_fault(file, chain[0], host) for host in hosts))
    yield from server_faults(file, chain, trust, now)


class _Check:
    """What has been told so far."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.failed = 0

    def certificates(self, file: Path) -> list[x509.Certificate]:
        """Those in the file; none, and told of, where it holds none."""
        return self._parsed(certificates_in, file) or []

    def pair(self, pair: Pair) -> list[x509.Certificate]:
        """The certificates of a pair that belongs together; what does not is told of."""
        if pair.absent:
            self._line("note", f"{pair.file} and {pair.key_file.name} are not there, and not checked")
            return []
        chain, key = self.certificates(pair.file), self._parsed(key_in, pair.key_file)
        if chain and key:
            try:
                check_key(pair.key_file, key, pair.file, chain[0])
            except UsageError as error:
                self._fail(str(error))
        self.mode(pair.key_file)
        return chain

    def told(self, file: Path, certificate: x509.Certificate, faults: Iterable[str], more: Iterable[str] = ()) -> None:
        """Tell of the faults of a certificate that could be read, or that it has none, and of more."""
        found = list(faults)
        for fault in found:
            self._fail(fault)
        end = certificate.not_valid_after_utc
        if not found:
            name = ", ".join(names_of(certificate)) or certificate.subject.rfc4514_string()
            self._line("ok", f"{file}: {name}, until {end:%Y-%m-%d %H:%M} UTC")
            for note in more:
                self._line("note", note)
        if self.now < end < self.now + _SOON:
            days = (end - self.now).days + 1
            self._line("note", f"{file} ends in less than {f'{days} days' if days > 1 else 'a day'}")

    def mode(self, file: Path) -> None:
        """Note where others than its owner may read a key, or write it."""
        try:
            mode = file.stat().st_mode & 0o777
        except OSError:
            return
        if mode & 0o077:
            self._line("note", f"{file} is open to others than its owner (mode {mode:04o}): chmod 600 closes it")

    def litter(self, directory: Path) -> None:
        """Note what no command will take away."""
        for path in left_behind(directory):
            self._line("note", f"{path} is of a `matchboxctl certs` that was killed, and holds keys: remove it")

    def _parsed(self, parse: Callable[[Path, bytes], _Parsed], file: Path) -> _Parsed | None:
        try:
            return parse(file, pem_in(file))
        except UsageError as error:
            self._fail(str(error))
            return None

    def _fail(self, line: str) -> None:
        self.failed += 1
        self._line("FAILED", line)

    def _line(self, how: str, line: str) -> None:
        print(f"{how:<7}{line}")
