"""`matchboxctl check`: the requests of a booting machine, made to a running matchbox as iPXE makes them."""

import hashlib
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from functools import partial
from urllib.parse import unquote, urlencode, urlsplit, urlunsplit

from lambda_matchbox.oci.image import checksums
from matchboxctl.check.boot_client import AbsentError, BootClient, FetchError, origin, resolve
from matchboxctl.cli.arguments import parse_labels
from matchboxctl.cli.errors import FailedError, UsageError
from matchboxctl.cli.plurals import counted
from matchboxctl.netboot.script import ScriptFile, script_files

_MAX_SCRIPT = 1 << 20
_DIRECTORY = "${cwduri}"  # iPXE's variable for the script's address up to its last slash
_FILE_COMMANDS = ("kernel", "initrd")
_NOT_MATCHBOX = "this server is not a matchbox"


class _SkippedError(Exception):
    """A check that cannot be made from here."""


def _root(url: str) -> str:
    """The address without a trailing slash; it may be that of /boot.ipxe. Raises UsageError."""
    try:
        parts = urlsplit(url)
        valid = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        valid = False
    if not valid or parts.query or parts.fragment or parts.username is not None:
        raise UsageError(f"invalid address {url!r}: use one such as http://HOST or http://HOST:8080")
    return f"{parts.scheme}://{parts.netloc}{parts.path.removesuffix('/boot.ipxe').rstrip('/')}"


def check(url: str, labels: Sequence[str], *, user_agent: str, timeout: float) -> None:
    """Print a line for each check of the matchbox at `url`, as a machine with these labels; `timeout` is in seconds.

    Raises UsageError, and FailedError if a check has failed.
    """
    root, pairs = _root(url), parse_labels(labels)
    print(f"checking {root}", flush=True)
    with closing(BootClient(user_agent, timeout)) as client:
        checks = _Checks(root, pairs, client)
        checks.run()
    if checks.failed:
        raise FailedError(f"{checks.failed} of {counted(checks.failed + checks.passed, 'check')} failed; see above")
    print(counted(checks.passed, "check") + " passed" + (f", {checks.skipped} skipped" if checks.skipped else ""))


class _Checks:
    """The checks, and how many ended how."""

    def __init__(self, root: str, labels: Sequence[tuple[str, str]], client: BootClient) -> None:
        self.passed = self.failed = self.skipped = 0
        self._root = root
        self._labels = labels
        self._client = client
        self._script = ""
        self._files: list[ScriptFile] = []

    def run(self) -> None:
        labels = urlencode(self._labels)
        path = f"/ipxe?{labels}" if labels else "/ipxe"
        if self._step("/boot.ipxe", self._boot_script) and self._step(path, partial(self._machine_script, path)):
            for file in self._files:
                self._step(file.address or f"({file.command})", partial(self._download, file.address))

    def _step(self, name: str, step: Callable[[], str]) -> bool:
        """Run a step, which returns a note or raises FetchError, and print its result."""
        start = time.perf_counter()
        try:
            note, passed = step(), True
        except _SkippedError as error:
            self.skipped += 1
            print(f"{'-':<7}{name}  {error}", flush=True)
            return False
        except FetchError as error:
            note, passed = str(error), False
        self.passed, self.failed = self.passed + passed, self.failed + (not passed)
        seconds = time.perf_counter() - start
        print(f"{'ok' if passed else 'FAILED':<7}{name}  {seconds:.3f} s{f'  {note}' if note else ''}", flush=True)
        return passed

    def _boot_script(self) -> str:
        try:
            script, _ = self._ipxe_script(f"{self._root}/boot.ipxe")
        except AbsentError as error:
            raise FetchError(f"{error}: {_NOT_MATCHBOX}") from error
        if "ipxe?" not in script:
            raise FetchError(f"the script does not chain to /ipxe: {_NOT_MATCHBOX}")
        return ""

    def _machine_script(self, path: str) -> str:
        try:
            script, self._script = self._ipxe_script(self._root + path)
        except AbsentError as error:
            labels = "these labels" if self._labels else "a machine without labels (--label mac=…)"
            raise FetchError(
                f"{error}: no group matches {labels}, or its profile is absent or has no boot section; see the "
                "function's log"
            ) from error
        self._files = script_files(script)
        if not any(file.command == "kernel" and file.address for file in self._files):
            raise FetchError("the script names no kernel")
        return f"names {' and '.join(f'{self._count(command)} {command}' for command in _FILE_COMMANDS)}"

    def _count(self, command: str) -> int:
        return sum(file.command == command for file in self._files)

    def _ipxe_script(self, url: str) -> tuple[str, str]:
        script, end = self._client.text(url, _MAX_SCRIPT)
        if origin(end) != origin(url):
            # Its relative addresses would refer to another host, and boot firmware lacks TLS.
            raise FetchError(f"redirected to {origin(end)}, which most machines cannot follow")
        if not script.startswith("#!ipxe"):
            raise FetchError(f"not an iPXE script: {_NOT_MATCHBOX}")
        return script, end

    def _download(self, address: str) -> str:
        """Fetch the file and compare it with the checksum beside it, if there is one."""
        if not address:
            raise FetchError("the profile has an empty address")
        directory = self._script.partition("?")[0].rpartition("/")[0] + "/"
        url = resolve(self._script, address.replace(_DIRECTORY, directory))
        if "${" in url or urlsplit(url).scheme not in ("http", "https"):
            raise _SkippedError("skipped: only the machine knows this address")
        path, stated = self._checksum(url)
        sha256, size = hashlib.sha256(), 0

        def take(piece: bytes) -> None:
            nonlocal size
            sha256.update(piece)
            size += len(piece)

        end = self._client.fetch(url, take)
        if size == 0:
            raise FetchError("the file is empty")
        found = sha256.hexdigest()
        if wrong := [digest for digest in stated or [] if digest != found]:
            raise FetchError(f"the SHA-256 is {found}, but {path}{checksums.SUFFIX} states {wrong[0]}")
        result = "no checksum beside it" if stated is None else "SHA-256 as stated"
        # The target of a redirect may contain a signature, which is not shown.
        return f"{size:,} bytes, {result}" + (f", redirected to {origin(end)}" if end != url else "")

    def _checksum(self, url: str) -> tuple[str, list[str] | None]:
        """The name of the file, and its digests in the checksum file beside it; None if there is no such file."""
        parts = urlsplit(url)
        name = unquote(parts.path).rpartition("/")[2]
        beside = urlunsplit(parts._replace(path=parts.path + checksums.SUFFIX))
        try:
            text, _ = self._client.text(beside, checksums.MAX_SIZE)
        except AbsentError:
            return name, None
        except FetchError as error:
            raise FetchError(f"{name}{checksums.SUFFIX}: {error}") from error
        if not (stated := checksums.stated(name, text.encode())):
            raise FetchError(f"{name}{checksums.SUFFIX} has no SHA-256 of the file")
        return name, stated
