"""`matchboxctl check`: does what is deployed boot a machine? Each step is asked as iPXE asks it."""

import hashlib
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from functools import partial
from typing import NamedTuple
from urllib.parse import unquote, urlencode, urlsplit, urlunsplit

from lambda_matchbox.oci.image import checksums
from matchboxctl.check.boot_client import AbsentError, BootClient, FetchError, joined, place
from matchboxctl.check.boot_script import NamedFile, files_of
from matchboxctl.cli.arguments import parse_labels
from matchboxctl.cli.errors import FailedError, UsageError

_LONGEST_SCRIPT = 1 << 20
_DIRECTORY = "${cwduri}"  # what iPXE replaces by the address that the script came from, up to its last slash


class _UnknownError(Exception):
    """What would be asked for cannot be known here."""


class Asked(NamedTuple):
    """The address of a matchbox, without a slash at its end, and the labels of a machine."""

    root: str
    labels: Sequence[tuple[str, str]]


def asked(url: str, labels: Sequence[str]) -> Asked:
    """What the arguments ask for; the address may be that of /boot.ipxe. Raises UsageError."""
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    if not good or parts.query or parts.fragment or parts.username is not None:
        raise UsageError(f"{url!r} is no address of a matchbox, such as http://HOST or http://HOST:8080")
    root = f"{parts.scheme}://{parts.netloc}{parts.path.removesuffix('/boot.ipxe').rstrip('/')}"
    return Asked(root, parse_labels(labels))


def check(what: Asked, *, user_agent: str, silence: float) -> None:
    """Print a line for each check. Raises FailedError where one has failed.

    `silence` is how many seconds the other side may be silent.
    """
    print(f"checking {what.root}", flush=True)
    with closing(BootClient(user_agent, silence)) as client:
        checks = _Checks(what, client)
        checks.run()
    if checks.failed:
        raise FailedError(f"{checks.failed} of {checks.failed + checks.passed} checks failed, as told above")
    print(f"{checks.passed} checks passed" + (f", {checks.skipped} could not be made" if checks.skipped else ""))


class _Checks:
    """The checks, each told when it ends, and how many ended how."""

    def __init__(self, what: Asked, client: BootClient) -> None:
        self.passed = self.failed = self.skipped = 0
        self._what = what
        self._client = client
        self._script = ""
        self._files: list[NamedFile] = []

    def run(self) -> None:
        labels = urlencode(self._what.labels)
        asking = f"/ipxe?{labels}" if labels else "/ipxe"
        if self._told("/boot.ipxe", self._boot_script) and self._told(asking, partial(self._machine_script, asking)):
            for file in self._files:
                self._told(file.address or f"({file.command})", partial(self._downloaded, file.address))

    def _told(self, name: str, step: Callable[[], str]) -> bool:
        """Print what became of the step, which returns what else is to be said, or raises FetchError."""
        start = time.perf_counter()
        try:
            note, good = step(), True
        except _UnknownError as error:
            self.skipped += 1
            print(f"{'-':<7}{name}  {error}", flush=True)
            return False
        except FetchError as error:
            note, good = str(error), False
        self.passed, self.failed = self.passed + good, self.failed + (not good)
        seconds = time.perf_counter() - start
        print(f"{'ok' if good else 'FAILED':<7}{name}  {seconds:.3f} s{f'  {note}' if note else ''}", flush=True)
        return good

    def _boot_script(self) -> str:
        try:
            script, _ = self._ipxe_script(f"{self._what.root}/boot.ipxe")
        except AbsentError as error:
            raise FetchError(f"{error}: it is no matchbox that answers there") from error
        if "ipxe?" not in script:
            raise FetchError("its script does not ask /ipxe: it is no matchbox that answers there")
        return ""

    def _machine_script(self, asking: str) -> str:
        try:
            script, self._script = self._ipxe_script(self._what.root + asking)
        except AbsentError as error:
            whom = "these labels" if self._what.labels else "a machine without labels (--label mac=…)"
            raise FetchError(
                f"{error}: no group takes {whom}, or its profile is absent or has no boot section; the function's log "
                "says which"
            ) from error
        self._files = files_of(script)
        if not any(file.command == "kernel" and file.address for file in self._files):
            raise FetchError("its script names no kernel")
        return f"names {' and '.join(f'{self._count(command)} {command}' for command in ('kernel', 'initrd'))}"

    def _count(self, command: str) -> int:
        return sum(file.command == command for file in self._files)

    def _ipxe_script(self, url: str) -> tuple[str, str]:
        script, end = self._client.text(url, _LONGEST_SCRIPT)
        if place(end) != place(url):
            # Its relative addresses would be another host's, and boot firmware speaks no TLS.
            raise FetchError(f"it redirects to {place(end)}, where most machines cannot go on")
        if not script.startswith("#!ipxe"):
            raise FetchError("it is no iPXE script: it is no matchbox that answers there")
        return script, end

    def _downloaded(self, address: str) -> str:
        """Fetch the file and compare it with the checksum beside it, where there is one."""
        if not address:
            raise FetchError("the profile names an empty address")
        directory = self._script.partition("?")[0].rpartition("/")[0] + "/"
        url = joined(self._script, address.replace(_DIRECTORY, directory))
        if "${" in url or urlsplit(url).scheme not in ("http", "https"):
            raise _UnknownError("cannot be made: only the machine knows that address")
        path, stated = self._checksum(url)
        sha256, size = hashlib.sha256(), 0

        def take(piece: bytes) -> None:
            nonlocal size
            sha256.update(piece)
            size += len(piece)

        end = self._client.fetch(url, take)
        if size == 0:
            raise FetchError("it is empty")
        found = sha256.hexdigest()
        if wrong := [digest for digest in stated or [] if digest != found]:
            raise FetchError(f"its SHA-256 is {found}, but {path}{checksums.SUFFIX} says {wrong[0]}")
        agrees = "no checksum beside it" if stated is None else "SHA-256 as stated"
        # Where it is sent to may be a signature, which is nobody's business.
        return f"{size:,} bytes, {agrees}" + (f", redirected to {place(end)}" if end != url else "")

    def _checksum(self, url: str) -> tuple[str, list[str] | None]:
        """The name of the file, and its digests as the file beside it states them; None where none lies there."""
        parts = urlsplit(url)
        name = unquote(parts.path).rpartition("/")[2]
        beside = urlunsplit(parts._replace(path=parts.path + checksums.SUFFIX))
        try:
            text, _ = self._client.text(beside, checksums.LARGEST)
        except AbsentError:
            return name, None
        except FetchError as error:
            raise FetchError(f"{name}{checksums.SUFFIX}: {error}") from error
        if not (stated := checksums.stated(name, text.encode())):
            raise FetchError(f"{name}{checksums.SUFFIX} states no SHA-256 of it")
        return name, stated
