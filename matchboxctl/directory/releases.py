"""The releases of image sources in matchbox's data directory, below `releases/`.

    releases/pointers.json            the pointers of all sources; replaced as a whole
    releases/<source>/<directory>/<file>  the files of a release
    releases/<source>/.sync           temporary files
    releases/<source>/checked         when the source was last up to date, in seconds since 1970
    releases/.lock, <source>/.lock    locked (flock) while pointers are written, and while the source is synced

A lock ends with its process, even a killed one.
"""

import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from stat import S_ISREG

from lambda_matchbox.errors import StoreUnavailableError
from lambda_matchbox.releases.pointers import Pointer, Pointers, pointer_in, pointer_text
from lambda_matchbox.releases.store import BusyError, MovedError, ReleaseFile
from matchboxctl.directory.drafts import remove_drafts, replacing, sync_directory

SCRATCH = ".sync"
"""The directory, beside a source's releases, for temporary files."""

POINTERS = "pointers.json"
"""The file of pointers."""

# Not a valid source id.
_LOCK = ".lock"
_CHECKED = "checked"
_CHUNK = 1 << 20


class DirectoryReleaseStore:
    """The releases of one source (see `releases.store.ReleaseStore`). `root` is the data's `releases/`."""

    def __init__(self, root: Path, source_id: str) -> None:
        self._root = root
        self._source_id = source_id
        self._own = root / source_id

    def pointer(self) -> Pointer | None:
        """The pointer as it is now."""
        return read_pointers(self._root).get(self._source_id)

    def move(self, old: Pointer | None, new: Pointer | None, lease: str | None = None) -> None:  # noqa: ARG002
        """Replace the file of pointers; a lease cannot be lost while its process lives."""
        self._root.mkdir(parents=True, exist_ok=True)
        with (self._root / _LOCK).open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            pointers = dict(read_pointers(self._root))
            if pointers.get(self._source_id) != old:
                raise MovedError(f"another command moved the pointer of {self._source_id!r}")
            if new is None:
                pointers.pop(self._source_id, None)
            else:
                pointers[self._source_id] = new
            texts = {source_id: json.loads(pointer_text(pointer)) for source_id, pointer in sorted(pointers.items())}
            _write(self._root / POINTERS, json.dumps(texts, indent=2).encode() + b"\n")

    @contextmanager
    def lease(self) -> Iterator[str]:
        """Hold the source's lock. Raises BusyError."""
        self._own.mkdir(parents=True, exist_ok=True)
        with (self._own / _LOCK).open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise BusyError(f"another sync of {self._source_id!r} is running") from error
            yield ""

    def checked(self) -> int | None:
        """When the source was last up to date."""
        try:
            return int((self._own / _CHECKED).read_text())
        except (FileNotFoundError, ValueError):
            return None

    def note_checked(self, moment: int) -> None:
        """Record it."""
        self._own.mkdir(parents=True, exist_ok=True)
        _write(self._own / _CHECKED, f"{moment}\n".encode())

    def directories(self) -> Mapping[str, Mapping[str, int]]:
        """The sizes of the files of the source, by directory."""
        try:
            names = [entry.name for entry in self._own.iterdir() if entry.is_dir() and entry.name != SCRATCH]
        except FileNotFoundError:
            return {}
        return {name: self.sizes(name) for name in names}

    def sizes(self, directory: str) -> Mapping[str, int]:
        """The sizes of the files; another sync may remove some meanwhile."""
        above = self._own / directory
        sizes = {}
        for file in above.rglob("*"):
            with suppress(FileNotFoundError):
                if S_ISREG((found := file.stat()).st_mode):
                    sizes[file.relative_to(above).as_posix()] = found.st_size
        return sizes

    def put(self, directory: str, name: str, file: ReleaseFile) -> None:
        """Link the file after syncing it to disk."""
        with file.file.open("rb") as written:
            os.fsync(written.fileno())
        self._link(file.file, directory, name)

    def copy(self, directory: str, name: str, origin_directory: str, origin_name: str, sha256: str) -> bool:
        """Link the file under another name."""
        origin = self._own / origin_directory / origin_name
        try:
            with origin.open("rb") as file:
                if hashlib.file_digest(file, "sha256").hexdigest() != sha256:
                    return False
            self._link(origin, directory, name)
        except FileNotFoundError:
            return False
        return True

    def read(self, directory: str, name: str) -> bytes | None:
        """The content of the file."""
        try:
            return (self._own / directory / name).read_bytes()
        except FileNotFoundError:
            return None

    def discard(self, directory: str) -> None:
        """Remove the directory; `directories` still lists what could not be removed."""
        shutil.rmtree(self._own / directory, ignore_errors=True)

    def _link(self, origin: Path, directory: str, name: str) -> None:
        file = self._own / directory / name
        file.parent.mkdir(parents=True, exist_ok=True)
        # `os.link` does not replace a file, so the link is made beside it and renamed.
        temporary = file.with_name(f".{file.name}.new")
        temporary.unlink(missing_ok=True)
        try:
            os.link(origin, temporary)
        except FileNotFoundError:
            raise
        except OSError:
            # Another file system, or one without hard links.
            with origin.open("rb") as content, replacing(file) as copy:
                shutil.copyfileobj(content, copy, _CHUNK)
        else:
            temporary.replace(file)
        file.chmod(0o644)
        above = file.parent
        while above != self._root:
            sync_directory(above)
            above = above.parent


def read_pointers(root: Path) -> Pointers:
    """The pointers in the file; none without a file. Raises StoreUnavailableError for a damaged one."""
    file = root / POINTERS
    try:
        texts = json.loads(file.read_bytes())
        found = {source_id: pointer_in(json.dumps(fields)) for source_id, fields in texts.items()}
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise StoreUnavailableError(f"cannot read {file}: {error.strerror}") from error
    except (ValueError, AttributeError) as error:
        raise StoreUnavailableError(f"{file} is damaged ({error}); remove it and sync again") from error
    pointers = {source_id: pointer for source_id, pointer in found.items() if pointer is not None}
    if len(pointers) < len(found):
        raise StoreUnavailableError(f"{file} is damaged; remove it and sync again")
    return pointers


def _write(file: Path, body: bytes) -> None:
    remove_drafts(file.parent)
    with replacing(file) as draft:
        draft.write(body)
