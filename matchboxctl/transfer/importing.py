"""`matchboxctl import`: a matchbox data directory into table and bucket."""

import shlex
import sys
from collections.abc import Collection, Mapping
from contextlib import closing
from pathlib import Path

from lambda_matchbox.aws.bulk.asset_objects import AssetObjects, LocalAsset, invalid_paths, read_asset
from lambda_matchbox.aws.bulk.plan import Plan, plan
from lambda_matchbox.aws.bulk.run import CatalogImport
from lambda_matchbox.aws.catalog.items import display_name, key_of
from lambda_matchbox.aws.catalog.table_contents import scan_table
from lambda_matchbox.aws.keys import TEMPLATES_PREFIX, texts_of_sources
from lambda_matchbox.aws.parallel import in_parallel
from matchboxctl.cli.errors import FailedError, UsageError, on_interrupt
from matchboxctl.cli.progress import Progress
from matchboxctl.cli.warnings import Warnings
from matchboxctl.cli.work import BYTES
from matchboxctl.directory.files import DIRECTORIES, DataDirectory, read_directory
from matchboxctl.directory.machine_states import DirectoryMachines
from matchboxctl.directory.state_file import FILE
from matchboxctl.machines.opened_stores import table_machines
from matchboxctl.secrets.directory_secrets import DirectorySecretWriter
from matchboxctl.secrets.opened_secrets import opened_secrets
from matchboxctl.store.advice import advising_on
from matchboxctl.store.mode import StoreSettings
from matchboxctl.transfer.differences import WRITTEN, Chosen, Differences, Report
from matchboxctl.transfer.import_contents import import_contents
from matchboxctl.transfer.machines import copy_states
from matchboxctl.transfer.secrets import carried, copy_secrets, note_left
from matchboxctl.transfer.sources import SourceImport, hidden_assets
from matchboxctl.validate.report import short_form
from matchboxctl.validate.validation import validate

_MAX_FINDINGS = 20


def import_directory(store: StoreSettings, root: Path, chosen: Chosen, output: str = "table") -> None:
    """Write the directory's contents into table and bucket; with `prune` remove everything else.

    Machines' states come first: a group that is there before them lets machines install. Then come secrets.

    It may be interrupted and run again at any time. Raises UsageError, and FailedError where something could not be
    taken, which standard error names; the rest is.
    """
    if not root.is_dir():
        raise UsageError(f"{root} is not a directory: give matchbox's data directory")
    if chosen.prune and not any((root / name).is_dir() for name in DIRECTORIES):
        raise UsageError(
            f"{root} has none of matchbox's directories ({', '.join(DIRECTORIES)}): --prune would remove everything"
        )
    print(f"importing {root} into {store.description}", file=sys.stderr)
    warnings = Warnings()
    directory = read_directory(root)
    for problem in directory.problems:
        warnings.warn(str(problem))
    if chosen.prune and not directory.is_complete:
        print("note: nothing is pruned, because a directory could not be read", file=sys.stderr)
    with advising_on(store), on_interrupt(WRITTEN):
        report = Report(output, dry_run=chosen.dry_run)
        if chosen.machines:
            with closing(DirectoryMachines(root)) as source:
                copy_states(source.all(), table_machines(store), warnings, report, dry_run=chosen.dry_run)
        elif (root / FILE).exists():
            print(f"note: the states of machines in {root / FILE} are not imported; --machines does", file=sys.stderr)
        if chosen.secrets:
            with opened_secrets(store, lambda line: print(line, file=sys.stderr)) as secrets:
                copy_secrets(DirectorySecretWriter(root), secrets, warnings, report, dry_run=chosen.dry_run)
        else:
            note_left(directory.templates, "imported")
        into = TableImport(store, root, directory, warnings, report, chosen)
        into.validate()
        into.run()
        report.end()
    if warnings.count:
        raise FailedError(warnings.summary("imported"))


class TableImport:
    """One import of documents and assets, without machines' states and secrets."""

    def __init__(
        self,
        store: StoreSettings,
        root: Path,
        directory: DataDirectory,
        warnings: Warnings,
        report: Report,
        chosen: Chosen,
    ) -> None:
        self._store = store
        self._clients = store.clients()
        self._root = root
        self._directory = directory
        self._warnings = warnings
        self._report = report
        self._prune = chosen.prune and directory.is_complete
        self._dry_run = chosen.dry_run
        self._carried = carried(DirectorySecretWriter(root)) if chosen.secrets else []

    def validate(self) -> None:
        """Say what would keep machines from booting afterwards."""
        contents = import_contents(self._store, self._root, self._directory, self._carried, prune=self._prune)
        with Progress("trying templates", len(contents.groups), "groups") as progress:
            result = validate(contents, progress.add)
        for line in short_form(result, shlex.join(["matchboxctl", "validate", str(self._root)]), _MAX_FINDINGS):
            print(line, file=sys.stderr)

    def run(self) -> None:
        """Write what differs, and report it."""
        # Assets are stored before the profiles that name them, and deleted after those.
        files, spared = self._asset_files()
        objects = AssetObjects(self._clients)
        shown = self._assets_shown(objects, files, spared)
        if not self._dry_run:
            shown = self._put_assets(objects, shown, files)
        self._import_documents()
        if not self._dry_run:
            for _ in in_parallel(objects.delete, shown.removed):
                pass
        self._report.add(shown)

    def _import_documents(self) -> None:
        with Progress("reading the table", 0, "items") as read:
            found = scan_table(self._clients, read.add)
        objects = {listed["Key"]: listed["Size"] for listed in self._clients.objects(TEMPLATES_PREFIX)}
        broken = {key_of(kind, name) or "" for kind, name in self._directory.broken if kind != "sources"}
        changes = plan(self._directory.documents, found, objects, broken if self._prune else None)
        for line in changes.refused:
            self._warnings.warn(line)
        if not self._dry_run:
            total = len(changes.added) + len(changes.changed) + len(changes.removed)
            into = CatalogImport(self._clients)
            with Progress("writing", total, "documents") as progress:
                if not found.has_documents:
                    into.fill(changes, progress.add)
                else:
                    changes = self._without(changes, into.carry_out(changes, progress.add))
        self._report.add(_shown(changes))
        self._import_sources(texts_of_sources(found.sources))

    def _import_sources(self, existing: Mapping[str, str]) -> None:
        """After the documents, which machines need first."""
        if not self._directory.sources and not existing:
            return
        valid = self._directory.sources
        broken = [name for kind, name in self._directory.broken if kind == "sources"]
        sources = SourceImport(self._root, valid, existing, broken, self._warnings, prune=self._prune)
        for line in hidden_assets(self._directory.sources.values(), self._directory.assets):
            print(f"note: {line}", file=sys.stderr)
        if not self._dry_run:
            sources.carry_out(self._store.light_clients())
        self._report.add(sources.differences)

    def _without(self, changes: Plan, refused: Mapping[str, str]) -> Plan:
        """The changes that were made; warns of the others."""
        for line in refused.values():
            self._warnings.warn(line)
        added, changed = (
            {key: document for key, document in documents.items() if key not in refused}
            for documents in (changes.added, changes.changed)
        )
        return changes._replace(added=added, changed=changed)

    def _asset_files(self) -> tuple[dict[str, LocalAsset], set[str]]:
        """The files to store by their paths, and the paths of unusable files."""
        refused = invalid_paths(self._directory.assets)
        for line in refused.values():
            self._warnings.warn(line)
        files: dict[str, LocalAsset] = {}
        spared = set(refused)
        with Progress("reading assets", len(self._directory.assets), "files") as progress:
            for path, file in self._directory.assets.items():
                if path in refused:
                    continue
                try:
                    files[path] = read_asset(path, file)
                except OSError as error:
                    self._warnings.warn(f"{file}: cannot be read: {error.strerror}")
                    spared.add(path)
                progress.add(1)
        return files, spared

    def _assets_shown(
        self, objects: AssetObjects, files: dict[str, LocalAsset], spared: Collection[str]
    ) -> Differences:
        existing = objects.sizes()
        unchanged: set[str] = set()

        def compare(path: str) -> None:
            if objects.is_same(path, files[path]):
                unchanged.add(path)

        for _ in in_parallel(compare, [path for path, file in files.items() if existing.get(path) == file.size]):
            pass
        return Differences(
            "assets",
            added=[path for path in files if path not in existing],
            changed=[path for path in files if path in existing and path not in unchanged],
            removed=sorted(existing.keys() - files.keys() - set(spared)) if self._prune else [],
            unchanged=len(unchanged),
            prefix="asset ",
        )

    def _put_assets(self, objects: AssetObjects, shown: Differences, files: dict[str, LocalAsset]) -> Differences:
        """Store added and changed assets; returns the differences that were made."""
        paths = [*shown.added, *shown.changed]
        progress = Progress("putting assets", sum(files[path].size for path in paths), BYTES)
        gone: set[str] = set()

        def put(path: str) -> None:
            try:
                objects.put(path, files[path], progress.add)
            except (FileNotFoundError, PermissionError) as error:
                self._warnings.warn(f"{files[path].file}: cannot be read: {error.strerror}")
                gone.add(path)

        with progress:
            for _ in in_parallel(put, paths, progress.cancel):
                pass
        return shown.without(gone)


def _shown(changes: Plan) -> Differences:
    added, changed, removed = (
        list(map(display_name, keys)) for keys in (changes.added, changes.changed, changes.removed)
    )
    return Differences("groups, profiles and templates", added, changed, removed, changes.unchanged)
