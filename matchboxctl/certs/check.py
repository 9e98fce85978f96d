"""`matchboxctl certs --check`: the problems of a set of certificates, about which gRPC's clients say nothing."""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple, TypeVar

from cryptography import x509

from matchboxctl.certs.directory import leftovers
from matchboxctl.certs.files import certificates_in, check_key, key_in, read_pem
from matchboxctl.certs.problems import (
    Trust,
    authority_problems,
    client_problems,
    name_problem,
    names_of,
    notes,
    server_problems,
    serving_problems,
    signer,
    time_text,
)
from matchboxctl.cli.errors import FailedError, UsageError
from matchboxctl.cli.output import FORMATS, print_text
from matchboxctl.cli.plurals import counted

_SOON = timedelta(days=30)

_Parsed = TypeVar("_Parsed")


class Pair(NamedTuple):
    """A certificate and its key; both may be missing unless they are `needed`."""

    file: Path
    key_file: Path
    needed: bool

    @property
    def is_absent(self) -> bool:
        """Whether both are missing, and may be."""
        return not self.needed and not os.path.lexists(self.file) and not os.path.lexists(self.key_file)


class CheckedFiles(NamedTuple):
    """The files of a set. A server does not need the client's, nor a client the server's."""

    ca_file: Path
    server: Pair
    client: Pair


def check(files: CheckedFiles, hosts: Sequence[str], output: str = "table") -> None:
    """Print a line for each certificate and each problem. Raises FailedError if there are problems.

    `hosts` are what clients connect to: the server's certificate must be for each of them.
    """
    report = _Report(datetime.now(UTC), output)
    authorities = report.certificates(files.ca_file)
    trust = Trust(files.ca_file, authorities)
    server, client = report.pair(files.server), report.pair(files.client)
    signers = [found for chain in (server, client) if chain and (found := signer(chain, trust, report.now))]
    for authority in dict.fromkeys(signers or authorities):
        report.certificate(files.ca_file, authority, authority_problems(files.ca_file, authority, report.now))
    if server:
        file = files.server.file
        problems = _server_problems(file, server, trust, hosts, report.now)
        report.certificate(file, server[0], problems, notes(file, server[0]))
    if client:
        file = files.client.file
        report.certificate(file, client[0], client_problems(file, client, trust, report.now), notes(file, client[0]))
    if files.ca_file.name:
        report.key_mode(files.ca_file.with_suffix(".key"))
    for path in leftovers(files.ca_file.parent):
        report.line("note", f"{path} contains keys of a `matchboxctl certs` that was killed: remove it")
    report.end()
    if report.failed:
        raise FailedError(f"{counted(report.failed, 'problem')}; see above")


def _server_problems(
    file: Path, chain: Sequence[x509.Certificate], trust: Trust, hosts: Sequence[str], now: datetime
) -> Iterable[str]:
    yield from serving_problems(file, chain[0])
    if names_of(chain[0]):
        yield from filter(None, (name_problem(file, chain[0], host) for host in hosts))
    yield from server_problems(file, chain, trust, now)


class _Report:
    """Prints lines, or one document at the end, and counts problems."""

    def __init__(self, now: datetime, output: str) -> None:
        self.now = now
        self.failed = 0
        self._output = output
        self._results: list[Mapping[str, str]] = []

    def certificates(self, file: Path) -> list[x509.Certificate]:
        """Those in the file; none if it has a problem."""
        return self._parsed(certificates_in, file) or []

    def pair(self, pair: Pair) -> list[x509.Certificate]:
        """The certificates of a pair; checks that the key belongs to them."""
        if pair.is_absent:
            self.line("note", f"{pair.file} and {pair.key_file.name} do not exist and are not checked")
            return []
        chain, key = self.certificates(pair.file), self._parsed(key_in, pair.key_file)
        if chain and key:
            try:
                check_key(pair.key_file, key, pair.file, chain[0])
            except UsageError as error:
                self._fail(str(error))
        self.key_mode(pair.key_file)
        return chain

    def certificate(
        self, file: Path, certificate: x509.Certificate, problems: Iterable[str], more: Iterable[str] = ()
    ) -> None:
        """Print the problems of a certificate, or that it has none, and notes on it."""
        found = list(problems)
        for problem in found:
            self._fail(problem)
        end = certificate.not_valid_after_utc
        if not found:
            name = ", ".join(names_of(certificate)) or certificate.subject.rfc4514_string()
            self.line("ok", f"{file}: {name}, until {time_text(end)}")
            for note in more:
                self.line("note", note)
        if self.now < end < self.now + _SOON:
            days = (end - self.now).days + 1
            self.line("note", f"{file} expires in less than {f'{days} days' if days > 1 else 'a day'}")

    def key_mode(self, file: Path) -> None:
        """Note if others than the owner may read or write a key."""
        try:
            mode = file.stat().st_mode & 0o777
        except OSError:
            return
        if mode & 0o077:
            self.line("note", f"{file} is accessible by others than its owner (mode {mode:04o}): chmod 600 it")

    def line(self, kind: str, line: str) -> None:
        """Print a line."""
        self._results.append({"status": kind.lower(), "message": line})
        if self._output not in FORMATS:
            print(f"{kind:<7}{line}")

    def end(self) -> None:
        """Print the document."""
        if self._output in FORMATS:
            print_text(FORMATS[self._output]({"results": self._results}))

    def _parsed(self, parse: Callable[[Path, bytes], _Parsed], file: Path) -> _Parsed | None:
        try:
            return parse(file, read_pem(file))
        except UsageError as error:
            self._fail(str(error))
            return None

    def _fail(self, line: str) -> None:
        self.failed += 1
        self.line("FAILED", line)
