"""Everything in a matchbox data directory, read at once for an import."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple, TypeVar

from lambda_matchbox.catalog.groups import Group
from lambda_matchbox.catalog.profiles import Profile
from lambda_matchbox.catalog.templates import TEMPLATE_KINDS, CatalogDocument, Template
from lambda_matchbox.documents.groups_and_profiles import parse_group, parse_profile
from lambda_matchbox.documents.sources import parse_source
from lambda_matchbox.errors import DocumentError
from lambda_matchbox.releases.sources import Source
from matchboxctl.directory.drafts import is_draft

DIRECTORIES = ("profiles", "groups", *TEMPLATE_KINDS, "sources", "assets")
"""The directories of a data directory."""

_JSON = ".json"

_Parsed = TypeVar("_Parsed")


class DataDirectory(NamedTuple):
    """The documents, by their ids the image sources, and by their paths below assets/ the files.

    `broken` are the directories and names of documents whose files cannot be used, `broken_sources` the ids of such
    sources. `closed` are the directories that cannot be read.
    """

    documents: list[CatalogDocument]
    sources: dict[str, Source]
    assets: dict[str, Path]
    broken: list[tuple[str, str]]
    broken_sources: list[str]
    closed: list[str]


def read_directory(root: Path, report: Callable[[str], None]) -> DataDirectory:
    """Read the directory; `report` is called with a message for each unusable file.

    Groups, profiles and sources are the .json files right in their directories; templates and assets may lie deeper.
    Links are followed.
    """
    found = DataDirectory([], {}, {}, [], [], [])

    def close(line: str) -> None:
        report(line)
        found.closed.append(line)

    parsers: dict[str, Callable[[str, bytes], Group | Profile]] = {"profiles": parse_profile, "groups": parse_group}
    for directory, parse in parsers.items():
        for name, file in _json_files(root / directory, close):
            if (document := _parsed(parse, name, file, report)) is not None:
                found.documents.append(document)
            else:
                found.broken.append((directory, name))
    for kind in TEMPLATE_KINDS:
        for path, file in sorted(files_below(root / kind, close)):
            try:
                found.documents.append(Template(kind, path, file.read_bytes()))
            except OSError as error:
                report(f"{file}: cannot be read: {error.strerror}")
                found.broken.append((kind, path))
    for name, file in _json_files(root / "sources", close):
        if (source := _parsed(parse_source, name, file, report)) is not None:
            found.sources[name] = source
        else:
            found.broken_sources.append(name)
    found.assets.update(sorted(files_below(root / "assets", close)))
    return found


def _parsed(
    parse: Callable[[str, bytes], _Parsed], name: str, file: Path, report: Callable[[str], None]
) -> _Parsed | None:
    """The document in a file; None if it is unusable, after a report."""
    try:
        return parse(name, file.read_bytes())
    except DocumentError as error:
        report(f"{file}: {error}")
    except OSError as error:
        report(f"{file}: cannot be read: {error.strerror}")
    return None


def _json_files(directory: Path, close: Callable[[str], None]) -> list[tuple[str, Path]]:
    """The .json files right in the directory, by their names without the suffix."""
    found = sorted(files_below(directory, close))
    return [(path.removesuffix(_JSON), file) for path, file in found if path.endswith(_JSON) and "/" not in path]


def files_below(root: Path, report: Callable[[str], None]) -> Iterator[tuple[str, Path]]:
    """The files below a directory, by their paths with slashes; none if it does not exist.

    They are regular files other than drafts, and dangling links, which cannot be read. `report` is called with a
    message for each unreadable directory.
    """

    def report_error(error: OSError) -> None:
        if not isinstance(error, FileNotFoundError):
            report(f"{error.filename}: cannot be read: {error.strerror}")

    above: dict[Path, frozenset[tuple[int, int]]] = {}
    for directory, subdirectories, names in os.walk(root, followlinks=True, onerror=report_error):
        here = Path(directory)
        status = here.stat()
        identity = (status.st_dev, status.st_ino)
        ancestors = above.get(here.parent, frozenset())
        # A link may lead back to an ancestor; several links to one directory give its files several paths.
        if identity in ancestors:
            subdirectories.clear()
            continue
        above[here] = ancestors | {identity}
        for name in names:
            file = here / name
            if not is_draft(name) and (file.is_file() or not file.exists()):
                yield file.relative_to(root).as_posix(), file
