"""What is at the addresses in kernel arguments: configurations, what they refer to, and files."""

from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from matchboxctl.check.boot_client import AbsentError, BootClient, DeliveryError, FetchError, origin
from matchboxctl.check.downloads import Download, Downloads
from matchboxctl.check.result import Result, Status
from matchboxctl.check.selected_group import SelectedGroup
from matchboxctl.netboot.addresses import REPOSITORY_FILES, Address, Expected, Reader
from matchboxctl.netboot.treeinfo import DEFAULT_IMAGES, NAME, TreeInfo, read_treeinfo

if TYPE_CHECKING:
    from matchboxctl.netboot.configuration import Configuration, Source

_MAX_CONFIGURATION = 16 * 1024 * 1024
_MAX_TEXT = 1 << 20
_MAX_SOURCES = 100
_SEED_FILES = {"meta-data": Reader.UNKNOWN, "user-data": Reader.CLOUD_INIT}
_MAY_BE_EMPTY = (Reader.CLOUD_INIT, Reader.UNKNOWN)


class Target(NamedTuple):
    """A complete address, what it is for, such as `talos.config`, and the labels in it whose values are made up."""

    what: str
    url: str
    made_up: tuple[str, ...] = ()


class Contents:
    """What a machine of this group finds at addresses; those on the server at `root` are shown without it."""

    def __init__(self, root: str, group: SelectedGroup, client: BootClient, downloads: Downloads) -> None:
        self._root = root
        self._group = group
        self._client = client
        self._downloads = downloads
        self._followed: set[str] = set()

    def results(self, address: Address, target: Target) -> Iterator[Result]:
        """Fetch what is expected at the address, and what that refers to."""
        match address.expected:
            case Expected.CONFIGURATION:
                yield from self._configuration(target, address.reader)
            case Expected.TREE:
                yield self._tree(target._replace(url=target.url.rstrip("/")))
            case Expected.REPOSITORY:
                yield self._repository(target._replace(url=target.url.rstrip("/")))
            case Expected.SEED:
                for name, reader in _SEED_FILES.items():
                    of_seed = target._replace(what=f"{target.what} {name}", url=target.url + name)
                    yield from self._configuration(of_seed, reader)
            case Expected.NOTHING:
                yield self._result(Status.SKIPPED, target, "not fetched: the machine connects to it later")
            case Expected.FILE:
                yield self._file(target)
            case Expected.ANY:
                yield from self._file_or_configuration(target)

    def _configuration(self, target: Target, reader: Reader) -> Iterator[Result]:
        self._followed.add(target.url)
        try:
            body, _ = self._client.body(target.url, _MAX_CONFIGURATION)
        except DeliveryError as error:
            yield self._not_fetched(target, error)
            return
        except FetchError as error:
            yield self._result(Status.FAILED, target, self._why(target, error))
            return
        found = _read(body, reader)
        if found.kind == "empty" and reader in _MAY_BE_EMPTY:
            yield self._result(Status.OK, target, "empty")._replace(configuration="empty")
        else:
            yield from self._described(target, found, f"{len(body):,} bytes")
        with suppress(FetchError):
            if self._group.is_public(target.url, body):
                public = "whoever on the internet names its labels gets its metadata: no token is asked for"
                yield self._result(Status.WARNING, target, public)

    def _not_fetched(self, target: Target, error: DeliveryError) -> Result:
        """A configuration whose content is not looked at."""
        with suppress(FetchError):
            if problem := self._group.problem(target.url, target.made_up):
                return self._result(Status.FAILED, target, problem)
        return self._result(Status.OK, target, str(error))

    def _described(self, target: Target, found: "Configuration", note: str) -> Iterator[Result]:
        """A configuration that was fetched, and what it makes the machine fetch."""
        made_up = f", with made-up {' and '.join(target.made_up)}" if target.made_up else ""
        try:
            problems = [self._group.problem(target.url, target.made_up)]
        except FetchError:
            problems = []
        if found.problem:
            problems.append(f"{found.kind}: {found.problem}")
        if any(problems):
            result = self._result(Status.FAILED, target, "; ".join(filter(None, problems)))
        else:
            status = Status.WARNING if found.placeholders else Status.OK
            result = self._result(status, target, f"{found.kind}, {note}{made_up}")
        yield result._replace(configuration=found.kind, placeholders=found.placeholders)
        for source in found.sources:
            if source.address not in self._followed and len(self._followed) < _MAX_SOURCES:
                self._followed.add(source.address)
                yield from self._source(source)

    def _source(self, source: "Source") -> Iterator[Result]:
        """What an Ignition config refers to."""
        target = Target(source.path.removeprefix("$."), source.address)
        if source.has_headers:
            yield self._result(Status.SKIPPED, target, "not fetched: the request needs headers")
            return
        if source.is_config and not source.is_packed:
            yield from self._configuration(target, Reader.IGNITION)
        if source.digest or source.is_packed or not source.is_config:
            yield self._file(target, "" if source.is_packed else source.digest)

    def _file(self, target: Target, digest: str = "") -> Result:
        try:
            return self._downloaded(target, self._downloads.file(target.url, digest=digest))
        except DeliveryError as error:
            return self._not_fetched(target, error)
        except FetchError as error:
            return self._result(Status.FAILED, target, str(error))

    def _file_or_configuration(self, target: Target) -> Iterator[Result]:
        try:
            download = self._downloads.file(target.url, keep=_MAX_TEXT)
        except DeliveryError as error:
            yield self._not_fetched(target, error)
            return
        except FetchError as error:
            # A program may add to the address of a directory.
            is_directory = isinstance(error, AbsentError) and target.url.endswith("/")
            yield self._result(Status.WARNING if is_directory else Status.FAILED, target, str(error))
            return
        found = _read(download.body) if download.body and _is_text(download.body) else None
        if found is None or (found.kind in ("text", "HTML page") and not found.placeholders):
            yield self._downloaded(target, download)
        else:
            yield from self._described(target, found, download.note)

    def _tree(self, target: Target) -> Result:
        """The image of Anaconda's second stage below the address."""
        try:
            info = self._tree_info(target.url)
            images = list(dict.fromkeys([info.image or DEFAULT_IMAGES[0], DEFAULT_IMAGES[-1]]))
            for image in images:
                digest = f"sha256-{info.sha256}" if info.sha256 and image == info.image else ""
                of_image = target._replace(url=f"{target.url}/{image}")
                try:
                    return self._downloaded(of_image, self._downloads.file(of_image.url, digest=digest))
                except AbsentError:
                    continue
        except FetchError as error:
            return self._result(Status.FAILED, target, str(error))
        reason = f"404 from {origin(target.url)}: there is neither {' nor '.join(images)} below it"
        return self._result(Status.FAILED, target, reason)

    def _repository(self, target: Target) -> Result:
        """The index of the repository at the address."""
        for name in REPOSITORY_FILES:
            index = target._replace(url=f"{target.url}/{name}")
            try:
                return self._downloaded(index, self._downloads.file(index.url))
            except AbsentError:
                continue
            except FetchError as error:
                return self._result(Status.FAILED, index, str(error))
        reason = f"404 from {origin(target.url)}: it is no repository, without {', '.join(REPOSITORY_FILES[:3])}"
        return self._result(Status.FAILED, target, reason)

    def _tree_info(self, url: str) -> TreeInfo:
        try:
            body, _ = self._client.body(f"{url}/{NAME}", _MAX_TEXT)
        except AbsentError:
            return TreeInfo("", "")
        return read_treeinfo(body.decode("utf-8", "replace"))

    def _why(self, target: Target, error: FetchError) -> str:
        """Why a configuration cannot be fetched."""
        reasons: list[str] = []
        if isinstance(error, AbsentError):
            with suppress(FetchError):
                reasons.append(self._group.problem(target.url, target.made_up))
            with suppress(FetchError):
                reasons.append(self._group.reason_of_404(target.url))
        elif target.made_up:
            labels = " ".join(f"--label {label}=…" for label in target.made_up)
            reasons.append(f"tried with made-up {' and '.join(target.made_up)}; give {labels}")
        known = "; ".join(filter(None, reasons))
        return f"{error}: {known}" if known else str(error)

    def _downloaded(self, target: Target, download: Download) -> Result:
        result = self._result(Status.OK, target, download.note)
        return result._replace(size=download.size, sha256=download.sha256)

    def _result(self, status: Status, target: Target, found: str) -> Result:
        is_own = target.url.startswith(f"{self._root}/")
        return Result(status, target.what, target.url.removeprefix(self._root) if is_own else target.url, found)


def _read(body: bytes, reader: Reader = Reader.UNKNOWN) -> "Configuration":
    # Imported here: many boots end before their first configuration.
    from matchboxctl.netboot.configuration import read_configuration

    return read_configuration(body, reader)


def _is_text(body: bytes) -> bool:
    if b"\0" in body:
        return False
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True
