"""`matchboxctl fetch`: fetch a release's files, verify them, and place them where the examples expect them."""

import fcntl
import os
import re
import shutil
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from lambda_matchbox.oci.distribution.registry_http import RegistryHttp
from lambda_matchbox.oci.distribution.retries import RetryPolicy
from matchboxctl.cli.errors import FailedError, UsageError, on_interrupt
from matchboxctl.directory.drafts import sync_directory
from matchboxctl.directory.files import FETCHING
from matchboxctl.fetch import fedora_coreos, flatcar
from matchboxctl.fetch.download import download
from matchboxctl.fetch.published import PublishedFile, PublishedRelease, RefusedFileError
from matchboxctl.fetch.server import Server

if TYPE_CHECKING:
    from matchboxctl.fetch.openpgp import Keys

_RETRIES = RetryPolicy()
_CHANNEL = re.compile(r"[a-z0-9][a-z0-9-]{0,62}", re.ASCII)
_VERSION = re.compile(r"[0-9][0-9A-Za-z.+-]{0,127}", re.ASCII)


class Wanted(NamedTuple):
    """A release to fetch; the newest one if `version` is empty. `server` is a mirror's address, or empty."""

    project: str
    channel: str
    version: str
    arch: str
    server: str

    @property
    def address(self) -> str:
        """The address of the server to ask."""
        own = flatcar.address(self.channel) if self.project == "flatcar" else fedora_coreos.ADDRESS
        return self.server or own

    def published(self, server: Server) -> PublishedRelease:
        """The release. Raises FailedError."""
        if self.project == "flatcar":
            return flatcar.release(server, self.version, self.arch)
        return fedora_coreos.release(server, self.channel, self.version, self.arch)


def fetch(wanted: Wanted, into: Path, key: Path | None, retry_policy: RetryPolicy = _RETRIES) -> None:
    """Fetch the files into the data directory; nothing changes there until all are verified.

    Raises UsageError and FailedError.
    """
    if not _CHANNEL.fullmatch(wanted.channel):
        raise UsageError(f"invalid --channel {wanted.channel!r}")
    if wanted.version and not _VERSION.fullmatch(wanted.version):
        raise UsageError(f"invalid --version {wanted.version!r}")
    keys = _keys(wanted, key)
    if not into.is_dir():
        raise UsageError(f"{into} is not a directory: name matchbox's data directory by --into")
    target = into / "assets" / wanted.project / wanted.arch
    with closing(RegistryHttp(retry_policy)) as http, _locked(target / FETCHING) as scratch:
        server = Server(wanted.address, http, retry_policy)
        with on_interrupt(f"what has arrived is kept in {scratch}, and the same command goes on from there"):
            published = wanted.published(server)
            if not _VERSION.fullmatch(published.version):
                raise FailedError(f"{server.name} has an invalid version {published.version!r}")
            _Fetch(server, published, target, keys).run(scratch)
    print(f"{wanted.project} {published.version} ({wanted.channel}, {wanted.arch}) is in {target}")


class _Fetch:
    """One run of the command."""

    def __init__(self, server: Server, published: PublishedRelease, target: Path, keys: "Keys | None") -> None:
        self._server = server
        self._published = published
        self._target = target
        self._keys = keys

    def run(self, scratch: Path) -> None:
        here = scratch / self._published.version
        for other in scratch.iterdir():
            # Parts of another version.
            if other != here:
                shutil.rmtree(other)
        here.mkdir(exist_ok=True)
        fetched = [file for file in self._published.files if not self._is_placed(file)]
        for file in fetched:
            checked = self._fetched(file, here / file.name)
            print(f"{file.name}: fetched ({checked})", flush=True)
        for file in fetched:
            (here / file.name).replace(self._target / file.name)
        sync_directory(self._target)

    def _is_placed(self, file: PublishedFile) -> bool:
        placed = self._target / file.name
        if not placed.is_file():
            return False
        try:
            checked = self._check(file, placed)
        except RefusedFileError:
            return False
        print(f"{file.name}: up to date ({checked})", flush=True)
        return True

    def _fetched(self, file: PublishedFile, partial: Path) -> str:
        """Complete the partial file; returns by what it was verified."""
        for is_last in (False, True):
            had_part = download(self._server, file.location, partial)
            try:
                checked = self._check(file, partial)
            except RefusedFileError as error:
                partial.unlink()
                if is_last or not had_part:
                    raise
                # The part may be of another file at the same address.
                print(f"matchboxctl: {error}; it is fetched anew as a whole", file=sys.stderr)
            else:
                break
        with partial.open("rb") as written:
            os.fsync(written.fileno())
        return checked

    def _check(self, file: PublishedFile, path: Path) -> str:
        """By what the file is verified. Raises RefusedFileError."""
        file.check_sha256(path)
        if self._keys is None:
            return "SHA-256 as published"
        signature = self._server.text_at(file.signature)
        if signature is None:
            raise FailedError(f"{self._server.name} has no signature of {file.name}: {file.signature.target}")
        return f"signed by {self._keys.check(path, file.name, signature)}"


def _keys(wanted: Wanted, key: Path | None) -> "Keys | None":
    """The keys in the file. Raises UsageError, also where only a signature could vouch for the files."""
    if key is not None:
        # Imported here: without a key, the library is not needed.
        from matchboxctl.fetch.openpgp import read_keys

        return read_keys(key)
    if wanted.project == "flatcar":
        raise UsageError(
            "--key FILE is required: only signatures vouch for Flatcar's files. Its image signing key is at "
            f"{flatcar.KEY}"
        )
    return None


@contextmanager
def _locked(scratch: Path) -> Iterator[Path]:
    """The directory with parts of files, for this process alone; it is removed if it is empty. Raises FailedError."""
    try:
        scratch.mkdir(parents=True, exist_ok=True)
        lock = os.open(scratch, os.O_RDONLY | os.O_DIRECTORY)
        try:
            _lock(lock, scratch)
            yield scratch
        finally:
            os.close(lock)
            for directory in (*scratch.glob("*"), scratch):
                # Unless parts are in it.
                with suppress(OSError):
                    directory.rmdir()
    except OSError as error:
        raise FailedError(f"{error.filename or scratch}: {error.strerror}") from error


def _lock(descriptor: int, scratch: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise FailedError(f"another `matchboxctl fetch` works in {scratch}") from error
