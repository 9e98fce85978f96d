"""Assets in a directory, and signed addresses for the large ones."""

import errno
import hashlib
import hmac
import os
import stat
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qs

from lambda_matchbox.assets.stores import AssetFile, DirectoryListing
from lambda_matchbox.errors import NotFoundError, StoreUnavailableError
from lambda_matchbox.golang.http import content_type
from lambda_matchbox.golang.http.paths import escape_path, to_bytes
from matchboxctl.directory.drafts import is_draft

SIGNED = "/presigned/"
"""The prefix of signed addresses."""

OWN = "assets/"
"""The prefix of the operator's own assets in signed addresses."""

_ABSENT = {errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG, errno.ELOOP, errno.EINVAL}


class SignedAddresses:
    """Addresses of files that `serve` streams, signed with `secret` and valid for `lifetime` seconds."""

    def __init__(self, secret: bytes, lifetime: int, clock: Callable[[], float] = time.time) -> None:
        self._secret = secret
        self._lifetime = lifetime
        self._clock = clock

    def sign(self, name: str) -> str:
        """The address of the file with that name, without scheme and host."""
        expires = str(int(self._clock()) + self._lifetime)
        return f"{SIGNED}{escape_path(name)}?expires={expires}&signature={self._signature(name, expires)}"

    def verified(self, name: str, query: str) -> bool:
        """Whether the query has a valid signature of that name."""
        fields = parse_qs(query, keep_blank_values=True)
        expires, signature = (fields.get(name, [""])[0] for name in ("expires", "signature"))
        genuine = hmac.compare_digest(self._signature(name, expires).encode(), to_bytes(signature))
        return genuine and int(expires) >= self._clock()

    def _signature(self, name: str, expires: str) -> str:
        return hmac.new(self._secret, to_bytes(f"{expires}\n{name}"), hashlib.sha256).hexdigest()


class AssetDirectory:
    """The asset store over a directory (see `assets.stores.AssetStore`).

    `name` is the prefix of its files in signed addresses. Symbolic links are followed, as by matchbox.
    """

    def __init__(self, root: Path, addresses: SignedAddresses, name: str = OWN) -> None:
        self.root = root
        self._addresses = addresses
        self._name = name

    def path(self, path: str) -> Path:
        """The file's path on disk."""
        return self.root / os.fsdecode(to_bytes(path))

    def file(self, path: str) -> AssetFile | None:
        """The regular file at that path."""
        found = self._status(path)
        if found is None or not stat.S_ISREG(found.st_mode):
            return None
        try:
            with self.path(path).open("rb") as file:
                head = file.read(content_type.SNIFFED)
        except OSError as error:
            raise _unavailable(path, error) from error
        return AssetFile(
            size=found.st_size,
            content_type=content_type.of_file(path, head),
            etag=f'"{found.st_mtime_ns:x}-{found.st_size:x}"',
            modified=datetime.fromtimestamp(int(found.st_mtime), UTC),
        )

    def listing(self, path: str) -> DirectoryListing | None:
        """The files and directories in the directory at that path."""
        found = self._status(path)
        if found is None or not stat.S_ISDIR(found.st_mode):
            return None
        listing = DirectoryListing([], [])
        try:
            with os.scandir(self.path(path)) as entries:
                for entry in entries:
                    if not is_draft(entry.name):
                        (listing.directories if entry.is_dir() else listing.files).append(entry.name)
        except OSError as error:
            raise _unavailable(path, error) from error
        return listing

    def read(self, path: str, start: int, length: int) -> bytes:
        """`length` bytes from `start`."""
        try:
            with self.path(path).open("rb") as file:
                file.seek(start)
                read = file.read(length)
        except ValueError as error:  # a NUL
            raise NotFoundError(f"no asset {path!r}") from error
        except OSError as error:
            if error.errno in _ABSENT:
                raise NotFoundError(f"asset {path!r} is gone") from error
            raise _unavailable(path, error) from error
        if len(read) != length:
            raise StoreUnavailableError(f"asset {path!r} changed while it was read")
        return read

    def address(self, path: str, origin: str) -> str:
        """A signed address of the file, on the host of the request."""
        return origin + self._addresses.sign(self._name + path)

    def plain_address(self, path: str) -> str | None:  # noqa: ARG002 (unused)
        """None: clients that cannot follow a signed redirect get the bytes."""
        return None

    def accel_redirect(self, path: str) -> str | None:
        """The same address without a host: `serve` has no limit, and streams the file in the answer's place."""
        return self._addresses.sign(self._name + path)

    def _status(self, path: str) -> os.stat_result | None:
        try:
            return self.path(path).stat()
        except ValueError:  # a NUL
            return None
        except OSError as error:
            if error.errno in _ABSENT:
                return None
            raise _unavailable(path, error) from error


def _unavailable(path: str, error: OSError) -> StoreUnavailableError:
    return StoreUnavailableError(f"asset {path!r} cannot be read: {error.strerror}")
