"""`matchboxctl export`: table and bucket into a matchbox data directory."""

import json
import sys
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import BinaryIO

from lambda_matchbox.aws.bulk.asset_objects import AssetObjects, read_asset
from lambda_matchbox.aws.catalog.items import ObjectRef, group_in, profile_in, template_in
from lambda_matchbox.aws.catalog.table_contents import TableContents, scan_table
from lambda_matchbox.aws.clients.dynamodb_json import Item
from lambda_matchbox.aws.keys import texts_of_sources
from lambda_matchbox.catalog.groups import Group
from lambda_matchbox.catalog.profiles import Profile
from lambda_matchbox.catalog.templates import Template
from lambda_matchbox.documents.groups_and_profiles import parse_group, parse_profile
from lambda_matchbox.documents.sources import parse_source
from lambda_matchbox.errors import DocumentError
from lambda_matchbox.releases.sources import Source
from matchboxctl.cli.errors import FailedError, UsageError, on_interrupt
from matchboxctl.cli.progress import Progress
from matchboxctl.cli.warnings import Warnings
from matchboxctl.cli.work import BYTES
from matchboxctl.directory.machine_states import DirectoryMachines
from matchboxctl.documents.file_texts import source_text
from matchboxctl.documents.protocol import ignore
from matchboxctl.secrets.directory_secrets import DirectorySecretWriter
from matchboxctl.secrets.opened_secrets import opened_secrets
from matchboxctl.store.advice import advising_on
from matchboxctl.store.mode import StoreSettings
from matchboxctl.transfer.compatibility import incompatibility, notes, template_incompatibility
from matchboxctl.transfer.differences import WRITTEN, Chosen, Report
from matchboxctl.transfer.files import FileCopy, TargetFile
from matchboxctl.transfer.machines import copy_states, states_in
from matchboxctl.transfer.secrets import copy_secrets, note_left

_OF_JSON = ("groups", "profiles", "sources")


def export_directory(store: StoreSettings, root: Path, chosen: Chosen, output: str = "table") -> None:
    """Write the contents of table and bucket into the directory; with `prune` remove other documents and assets.

    Machines' states come first: a group that is there before them lets machines install. Then come secrets.

    Each file is written whole or not at all, and only if its content differs; the command may be interrupted and
    repeated. Standard error has incompatibilities with matchbox, and warnings. Raises UsageError, and FailedError after
    a warning.
    """
    if root.exists() and not root.is_dir():
        raise UsageError(f"{root} is not a directory")
    print(f"exporting {store.description} into {root}", file=sys.stderr)
    if not chosen.dry_run:
        try:
            root.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(f"{root} cannot be created: {error.strerror}") from error
    warnings = Warnings()
    with advising_on(store), on_interrupt(WRITTEN):
        _Export(store, root, warnings).run(Report(output, dry_run=chosen.dry_run), chosen)
    if warnings.count:
        raise FailedError(warnings.summary("exported"))


class _Export:
    """One run of the command."""

    def __init__(self, store: StoreSettings, root: Path, warnings: Warnings) -> None:
        self._store = store
        self._root = root
        self._warnings = warnings
        self._clients = store.clients()
        self._received = Progress("getting files", 0, BYTES)
        self._spared: set[str] = set()
        self._incompatible: list[str] = []
        self._templates: list[Template] = []

    def run(self, report: Report, chosen: Chosen) -> None:
        with Progress("reading the table", 0, "items") as read:
            contents = scan_table(self._clients, read.add)
        dry_run = chosen.dry_run
        if chosen.machines:
            with closing(DirectoryMachines(self._root)) as target:
                copy_states(
                    states_in(contents.machines, self._warnings), target, self._warnings, report, dry_run=dry_run
                )
        elif contents.machines:
            print("note: the states of machines are not exported; --machines does", file=sys.stderr)
        if chosen.secrets:
            with opened_secrets(self._store, ignore) as secrets:
                copy_secrets(secrets, DirectorySecretWriter(self._root), self._warnings, report, dry_run=dry_run)
        targets = {path: target for path, target in self._targets(contents) if self._is_valid(path)}
        if not chosen.secrets:
            note_left(self._templates, "exported")
        into = FileCopy(self._root, targets, self._warnings)
        shown = into.differences(None if not chosen.prune else self._spared)
        report.add(shown if dry_run else into.carry_out(shown, self._received), names=dry_run)
        report.end()
        for line in notes(sorted(self._incompatible)):
            print(line, file=sys.stderr)

    def _targets(self, contents: TableContents) -> Iterator[tuple[str, TargetFile]]:
        """Every file by its path, with warnings for damaged items."""
        for kind, items in (("groups", contents.groups), ("profiles", contents.profiles)):
            for name, item in items.items():
                if "/" in name:
                    self._warnings.warn(f"{kind} {name!r}: not a valid file name")
                elif (target := self._document(kind, name, item)) is not None:
                    yield f"{kind}/{name}.json", target
        for (kind, name), item in contents.templates.items():
            try:
                body = template_in(item, self._object)
            except (LookupError, TypeError) as error:
                self._warnings.warn(f"{kind} template {name!r}: {_damage(error)}: see `matchboxctl fsck`")
                self._spared.add(f"{kind}/{name}")
                continue
            self._templates.append(Template(kind, name, body))
            if line := template_incompatibility(kind, name, body):
                self._incompatible.append(line)
            yield f"{kind}/{name}", TargetFile(partial(_has, body), partial(_put, body))
        for name, text in texts_of_sources(contents.sources).items():
            if (target := self._source(name, text)) is not None:
                yield f"sources/{name}.json", target
        assets = AssetObjects(self._clients)
        for path, size in assets.sizes().items():
            yield f"assets/{path}", TargetFile(partial(_is_asset, assets, path, size), partial(self._get, assets, path))

    def _document(self, kind: str, name: str, item: Item) -> TargetFile | None:
        try:
            document = (group_in if kind == "groups" else profile_in)(item, self._object)
        except (LookupError, TypeError, ValueError) as error:
            self._warnings.warn(f"{kind.removesuffix('s')} {name!r}: {_damage(error)}: see `matchboxctl fsck`")
            self._spared.add(f"{kind}/{name}.json")
            return None
        if line := incompatibility(document):
            self._incompatible.append(line)
        body = json.dumps(document.document(), indent=2, ensure_ascii=False).encode("utf-8", "surrogatepass") + b"\n"
        return TargetFile(partial(_has_document, document), partial(_put, body))

    def _source(self, name: str, text: str) -> TargetFile | None:
        try:
            source = parse_source(name, text.encode())
        except DocumentError as error:
            self._warnings.warn(f"source {name!r} cannot be read: {error}: see `matchboxctl fsck`")
            self._spared.add(f"sources/{name}.json")
            return None
        return TargetFile(partial(_is_source, source), partial(_put, source_text(source)))

    def _object(self, reference: ObjectRef) -> bytes:
        return self._clients.body(reference.key)

    def _get(self, assets: AssetObjects, path: str, file: BinaryIO) -> None:
        assets.get(path, file, self._received.add)

    def _is_valid(self, path: str) -> bool:
        """Whether the path is valid and stays in its directory; warns if not."""
        parts = path.split("/")
        valid = not any(part in ("", ".", "..") or "\0" in part for part in parts)
        if not valid:
            self._warnings.warn(f"{path!r}: not a valid path")
        return valid


def _damage(error: Exception) -> str:
    # That of a lost object; a damaged item gives a KeyError or another error, with Python's words.
    return str(error) if type(error) is LookupError else "its item cannot be read"


def _put(body: bytes, file: BinaryIO) -> None:
    file.write(body)


def _has(body: bytes, file: Path) -> bool:
    return file.read_bytes() == body


def _has_document(document: Group | Profile, file: Path) -> bool:
    """Whether the file has the same document."""
    parse = parse_group if isinstance(document, Group) else parse_profile
    try:
        return parse(document.id, file.read_bytes()) == document
    except DocumentError:
        return False


def _is_source(source: Source, file: Path) -> bool:
    try:
        return parse_source(source.id, file.read_bytes()) == source
    except DocumentError:
        return False


def _is_asset(assets: AssetObjects, path: str, size: int, file: Path) -> bool:
    return file.stat().st_size == size and read_asset(path, file).sha256 == assets.sha256(path)
