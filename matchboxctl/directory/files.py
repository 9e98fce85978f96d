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
from lambda_matchbox.documents.unknown_keys import UnknownKey, unknown_keys
from lambda_matchbox.errors import DocumentError
from lambda_matchbox.releases.sources import Source
from matchboxctl.directory.drafts import is_draft
from matchboxctl.directory.private_files import is_private

DIRECTORIES = ("profiles", "groups", *TEMPLATE_KINDS, "sources", "assets")
"""The directories of a data directory."""

FETCHING = ".fetch"
"""The directory of `matchboxctl fetch` for parts of files, beside what it places."""

_JSON = ".json"
_YAML = (".yaml", ".yml")

_Parsed = TypeVar("_Parsed")


class FileProblem(NamedTuple):
    """Why a file cannot be used, and the line where that is known; None for a directory that cannot be read."""

    file: Path | None
    reason: str
    line: int | None = None

    def __str__(self) -> str:
        where = "" if self.line is None else f"line {self.line}: "
        return self.reason if self.file is None else f"{self.file}: {where}{self.reason}"


class DataDirectory(NamedTuple):
    """The documents, by their ids the image sources, and by their paths below assets/ the files.

    `problems` are the files that cannot be used, `broken` the directories and names of their documents. `unknown_keys`
    are those of groups and profiles. `unread` are files for groups, profiles or sources that are not read: YAML, and
    whatever lies in a directory below.
    """

    profiles: list[Profile]
    groups: list[Group]
    templates: list[Template]
    sources: dict[str, Source]
    assets: dict[str, Path]
    problems: list[FileProblem]
    broken: list[tuple[str, str]]
    unknown_keys: list[tuple[Path, UnknownKey]]
    unread: list[Path]

    @property
    def documents(self) -> list[CatalogDocument]:
        """Profiles, groups and templates."""
        return [*self.profiles, *self.groups, *self.templates]

    @property
    def is_complete(self) -> bool:
        """Whether all its directories could be read."""
        return all(problem.file for problem in self.problems)


def read_directory(root: Path) -> DataDirectory:
    """Read the directory.

    Groups, profiles and sources are the .json files right in their directories; templates and assets may lie deeper.
    Links are followed.
    """
    found = DataDirectory([], [], [], {}, {}, [], [], [], [])

    def close(line: str) -> None:
        found.problems.append(FileProblem(None, line))

    def read(directory: str, parse: Callable[[str, bytes], _Parsed]) -> Iterator[_Parsed]:
        for path, file in sorted(files_below(root / directory, close)):
            name = path.removesuffix(_JSON)
            if "/" in path or path.endswith(_YAML):
                found.unread.append(file)
            if "/" in path or name == path:
                continue
            text = _read(file, found.problems)
            document = None if text is None else _parsed(parse, name, file, text, found.problems)
            if text is None or document is None:
                found.broken.append((directory, name))
                continue
            found.unknown_keys.extend((file, key) for key in unknown_keys(directory, text))
            yield document

    found.profiles.extend(read("profiles", parse_profile))
    found.groups.extend(read("groups", parse_group))
    for kind in TEMPLATE_KINDS:
        for path, file in sorted(files_below(root / kind, close)):
            if (body := _read(file, found.problems)) is not None:
                found.templates.append(Template(kind, path, body))
            else:
                found.broken.append((kind, path))
    found.sources.update((source.id, source) for source in read("sources", parse_source))
    found.assets.update(sorted(files_below(root / "assets", close)))
    for path, file in list(found.assets.items()):
        if is_private(root, file):
            found.problems.append(FileProblem(file, "is a link to a secret or a machine's state: remove it"))
            del found.assets[path]
    return found


def _read(file: Path, problems: list[FileProblem]) -> bytes | None:
    """The file's bytes; None if it cannot be read."""
    try:
        return file.read_bytes()
    except OSError as error:
        problems.append(FileProblem(file, f"cannot be read: {error.strerror}"))
        return None


def _parsed(
    parse: Callable[[str, bytes], _Parsed], name: str, file: Path, text: bytes, problems: list[FileProblem]
) -> _Parsed | None:
    """The document in a file; None if it does not parse."""
    try:
        return parse(name, text)
    except DocumentError as error:
        problems.append(FileProblem(file, error.reason, error.line))
        return None


def files_below(root: Path, report: Callable[[str], None]) -> Iterator[tuple[str, Path]]:
    """The files below a directory, by their paths with slashes; none if it does not exist.

    They are regular files, and dangling links, which cannot be read; neither drafts nor what is being fetched. `report`
    is called with a message for each unreadable directory.
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
        if FETCHING in subdirectories:
            subdirectories.remove(FETCHING)
        for name in names:
            file = here / name
            if not is_draft(name) and (file.is_file() or not file.exists()):
                yield file.relative_to(root).as_posix(), file
