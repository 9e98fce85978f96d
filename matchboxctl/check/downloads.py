"""Files that a machine downloads in full, each once for all machines."""

import hashlib
import re
from typing import NamedTuple
from urllib.parse import unquote, urlsplit, urlunsplit

from lambda_matchbox.oci.image import checksums
from matchboxctl.check.boot_client import AbsentError, BootClient, FetchError, origin
from matchboxctl.cli.progress import Progress
from matchboxctl.cli.work import BYTES

_DIGEST = re.compile(r"(sha256|sha512)-([0-9a-fA-F]+)")


class Download(NamedTuple):
    """Size and SHA-256 of a file, and what is to be said of them; `body` is None if it is longer than asked for."""

    size: int
    sha256: str
    note: str
    body: bytes | None


class Downloads:
    """Downloads by one client. A file that was downloaded before is not downloaded again."""

    def __init__(self, client: BootClient) -> None:
        self._client = client
        self._done: dict[tuple[str, str], Download | FetchError] = {}

    def file(self, url: str, *, digest: str = "", keep: int = 0) -> Download:
        """The file at `url`, compared with `digest`, or with the checksum beside it if there is one.

        `digest` is like `sha256-…`, as in Ignition configs. The body is kept up to `keep` bytes. Raises FetchError.
        """
        key = (url, digest)
        if key in self._done:
            found = self._done[key]
            if isinstance(found, FetchError):
                raise found
            return found._replace(note=f"{found.note}, as downloaded before")
        try:
            self._done[key] = found = self._download(url, digest, keep)
        except FetchError as error:
            self._done[key] = error
            raise
        return found

    def _download(self, url: str, digest: str, keep: int) -> Download:
        hashes = {name: hashlib.new(name) for name in ("sha256", "sha512")}
        size, body = 0, bytearray()
        with Progress(_name(url), 0, BYTES) as progress:

            def take(piece: bytes) -> None:
                nonlocal size
                size += len(piece)
                for one in hashes.values():
                    one.update(piece)
                if size <= keep:
                    body.extend(piece)
                progress.add(len(piece))

            def begin(total: int) -> None:
                progress.total = total

            end = self._client.fetch(url, take, begin)
        if size == 0:
            raise FetchError("the file is empty")
        found = {name: one.hexdigest() for name, one in hashes.items()}
        note = _compared_with(digest, found) if digest else self._compared_beside(url, found["sha256"])
        # The target of a redirect may contain a signature, which is not shown.
        note += f", redirected to {origin(end)}" if end != url else ""
        return Download(size, found["sha256"], f"{size:,} bytes, {note}", bytes(body) if size <= keep else None)

    def _compared_beside(self, url: str, found: str) -> str:
        """Compare a digest with the checksum file beside the file, if there is one. Raises FetchError."""
        parts = urlsplit(url)
        name = _name(url)
        beside = urlunsplit(parts._replace(path=parts.path + checksums.SUFFIX))
        try:
            text, _ = self._client.body(beside, checksums.MAX_SIZE)
        except AbsentError:
            return "no checksum beside it"
        except FetchError as error:
            raise FetchError(f"{name}{checksums.SUFFIX}: {error}") from error
        if not (stated := checksums.stated(name, text)):
            raise FetchError(f"{name}{checksums.SUFFIX} has no SHA-256 of the file")
        if wrong := [digest for digest in stated if digest != found]:
            raise FetchError(f"the SHA-256 is {found}, but {name}{checksums.SUFFIX} states {wrong[0]}")
        return "SHA-256 as stated"


def _name(url: str) -> str:
    return unquote(urlsplit(url).path).rpartition("/")[2]


def _compared_with(digest: str, found: dict[str, str]) -> str:
    parts = _DIGEST.fullmatch(digest)
    if parts is None:
        return "its hash is of a kind that is not checked"
    if found[parts[1]] != parts[2].lower():
        raise FetchError(f"the hash is {parts[1]}-{found[parts[1]]}, but {digest} is stated")
    return f"{parts[1].upper().replace('SHA', 'SHA-')} as stated"
