"""What the answers need of a store.

Each protocol has at least two implementations, and one suite of tests holds them together.
"""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import NamedTuple, Protocol

from lambda_matchbox.catalog.groups import Group
from lambda_matchbox.catalog.profiles import Profile
from lambda_matchbox.releases.pointers import Pointers


class Selection(NamedTuple):
    """The group that a machine belongs to, and its profile, None where the group names one that is not there.

    `pointers` are those of the moment of the selection.
    """

    group: Group
    profile: Profile | None
    pointers: Pointers = MappingProxyType({})


class Catalog(Protocol):
    """Groups, profiles and templates. Every method raises StoreUnavailableError when it cannot answer just now."""

    def select(self, labels: Mapping[str, str] | None) -> Selection | None:
        """The selection for these labels, or None where no group matches. Labels of None are no machine's."""

    def profile(self, profile_id: str) -> Profile | None:
        """The profile of that id."""

    def template(self, kind: str, template_id: str) -> bytes | None:
        """The template of that id; `kind` is ignition, cloud or generic."""


class AssetFile(NamedTuple):
    """What is known of an asset without reading it. `etag` has its quotes."""

    size: int
    content_type: str
    etag: str | None
    modified: datetime | None


class Listing(NamedTuple):
    """The names in a directory, without slashes."""

    files: list[str]
    directories: list[str]


class AssetStore(Protocol):
    """The files below /assets/. A path has no leading slash and neither `.` nor `..`; the root is empty.

    Every method raises StoreUnavailableError when it cannot answer just now.
    """

    def file(self, path: str) -> AssetFile | None:
        """The file at that path, or None where there is none (a directory is none)."""

    def listing(self, path: str) -> Listing | None:
        """What is in the directory at that path, or None where there is no directory."""

    def read(self, path: str, start: int, length: int) -> bytes:
        """`length` bytes from `start`. Raises NotFoundError where the file has gone."""

    def address(self, path: str, origin: str) -> str:
        """An address that serves the file by itself for a while; `origin` is scheme and host as the client asked."""

    def plain_address(self, path: str) -> str | None:
        """The address that serves the file without a signature, None where there is none."""

    def delivered_by_front(self, path: str) -> str | None:
        """Where the front end itself finds the file to stream it in our answer's place, None where it cannot."""


class Releases(Protocol):
    """What is published of image sources. Every method raises StoreUnavailableError when it cannot answer just now."""

    def pointers(self) -> Pointers:
        """What is served of each source, as of this moment."""

    def files(self, source_id: str, place: str) -> AssetStore:
        """The files of the release that lies at this place."""


class Kept(NamedTuple):
    """Where an answer waits: at an address that serves it by itself, or where the front end finds it to stream it."""

    address: str
    with_front: bool


class AnswerStore(Protocol):
    """Takes the answers that the balancer cannot carry."""

    def keep(self, body: bytes, content_type: str, origin: str) -> Kept:
        """Keep the answer for some hours at least; `origin` is scheme and host as the client asked.

        Raises StoreUnavailableError when it cannot just now.
        """
