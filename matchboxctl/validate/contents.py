"""What is validated: the contents of a data directory, or of table and bucket."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from lambda_matchbox.assets.released import ReleasedAssets
from lambda_matchbox.assets.stores import AssetStore
from lambda_matchbox.catalog.groups import Group
from lambda_matchbox.catalog.profiles import Profile
from lambda_matchbox.catalog.templates import TEMPLATE_KINDS, Template
from lambda_matchbox.errors import StoreUnavailableError
from lambda_matchbox.releases.pointers import Pointers
from lambda_matchbox.releases.sources import Source, apart
from matchboxctl.directory.assets import AssetDirectory
from matchboxctl.directory.files import DataDirectory, read_directory
from matchboxctl.directory.served_releases import DirectoryReleases
from matchboxctl.documents.directory_documents import DirectoryDocuments
from matchboxctl.documents.protocol import FileError
from matchboxctl.secrets.stored_names import Stored, stored_secrets
from matchboxctl.validate.findings import Finding, Severity
from matchboxctl.validate.references import Holds
from matchboxctl.validate.stray_groups import stray_findings


class Contents(NamedTuple):
    """The documents that can be read, and what was found as they were read.

    `holds` says whether a document of a kind exists, also under an id in another spelling.
    `root` is the data directory, and `assets_path` that of its assets; None in store mode. `pointers` are those of the
    `sources`. `secrets` reads which secrets exist.
    """

    root: Path | None
    assets_path: Path | None
    groups: Sequence[Group]
    profiles: Sequence[Profile]
    templates: Sequence[Template]
    holds: Holds
    assets: AssetStore
    sources: Mapping[str, Source]
    pointers: Pointers
    found: Sequence[Finding]
    secrets: Stored

    def sync_command(self, source_id: str) -> str:
        """The command that syncs a source."""
        return " ".join(["matchboxctl sync", *([] if self.root is None else [f"--data-path {self.root}"]), source_id])

    def file(self, kind: str, name: str) -> str:
        """The path of a document of that kind."""
        path = f"{kind}/{name}" if kind in TEMPLATE_KINDS else f"{kind}/{name}.json"
        return path if self.root is None else str(self.root / path)


def directory_contents(root: Path, assets_path: Path | None = None) -> Contents:
    """The contents of a data directory."""
    return contents_of(root, read_directory(root), assets_path)


def contents_of(root: Path, directory: DataDirectory, assets_path: Path | None = None) -> Contents:
    """The contents of a data directory that has been read; its assets may lie elsewhere."""
    assets_path = assets_path or root / "assets"
    releases = DirectoryReleases(root / "releases")
    has_groups = bool(directory.groups) or any(kind == "groups" for kind, _ in directory.broken)
    found = [
        Finding(Severity.FAULT, "unreadable", str(one.file or ""), one.reason, "correct it: it is not served", one.line)
        for one in directory.problems
    ]
    found += stray_findings(root, directory.unread, has_groups=has_groups)
    for file, key in directory.unknown_keys:
        severity = Severity.FAULT if key.meant else Severity.NOTE
        advice = "" if key.meant else "remove it, or move it into metadata"
        found.append(Finding(severity, "unknown-key", str(file), str(key), advice, key.line))
    try:
        pointers = releases.pointers()
    except StoreUnavailableError as error:
        pointers = {}
        found.append(Finding(Severity.FAULT, "unreadable", str(root / "releases" / "pointers.json"), str(error)))
    accepted, refused = apart(directory.sources.values())
    for source_id, why in refused.items():
        found.append(Finding(Severity.FAULT, "source", str(root / "sources" / f"{source_id}.json"), why))
    return Contents(
        root,
        assets_path,
        directory.groups,
        directory.profiles,
        directory.templates,
        partial(_holds, DirectoryDocuments(root)),
        ReleasedAssets(AssetDirectory(assets_path), releases, pointers, release=None),
        {source.id: source for source in accepted},
        pointers,
        found,
        partial(stored_secrets, root),
    )


def _holds(documents: DirectoryDocuments, kind: str, name: str) -> bool:
    try:
        return documents.holds(kind, name)
    except FileError:
        # No file can have such a name, or its directory cannot be read, which is a finding of its own.
        return False
