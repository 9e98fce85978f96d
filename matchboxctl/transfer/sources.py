"""Import of a data directory's image sources into the table."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from lambda_matchbox.aws.clients.light_clients import LightClients
from lambda_matchbox.aws.releases.source_table import SourceTable
from lambda_matchbox.aws.releases.store import TableReleaseStore
from lambda_matchbox.documents.sources import source_document
from lambda_matchbox.image_sync.sources import image_sources
from lambda_matchbox.image_sync.withdrawal import withdraw
from lambda_matchbox.releases.sources import Source, apart
from lambda_matchbox.releases.store import ReleaseStoreError
from matchboxctl.cli.warnings import Warnings
from matchboxctl.transfer.differences import Differences


class SourceImport:
    """Replaces the table's sources, `existing`, by those of the directory `root`.

    With `prune`, sources that are not in the directory are removed with their releases, except the ids in `spared`.
    """

    def __init__(
        self,
        root: Path,
        sources: Mapping[str, Source],
        existing: Mapping[str, str],
        spared: Iterable[str],
        warnings: Warnings,
        *,
        prune: bool,
    ) -> None:
        self._warnings = warnings
        removed = existing.keys() - sources.keys() - set(spared) if prune else set()
        kept = {name: text.encode() for name, text in existing.items() if name not in sources and name not in removed}
        known = image_sources(kept, "")
        for line in known.refused:
            warnings.warn(line)
        accepted, refused = apart([*sources.values(), *known.sources.values()])
        for name, reason in refused.items():
            warnings.warn(
                f"{root / 'sources' / name}.json: {reason}" if name in sources else f"source {name!r}: {reason}"
            )
        self._documents = {one.id: json.dumps(source_document(one)) for one in accepted if one.id in sources}
        same = [name for name, text in self._documents.items() if existing.get(name) == text]
        self.differences = Differences(
            "image sources",
            added=sorted(self._documents.keys() - existing.keys()),
            changed=sorted(self._documents.keys() & existing.keys() - set(same)),
            removed=sorted(removed),
            unchanged=len(same),
            prefix="source ",
        )

    def carry_out(self, clients: LightClients) -> None:
        """Write them. Raises StoreUnavailableError and AWSError."""
        table = SourceTable(clients)
        for name in [*self.differences.added, *self.differences.changed]:
            table.put(name, self._documents[name])
        for name in list(self.differences.removed):
            releases = TableReleaseStore(clients, name)
            try:
                withdraw(releases)
                # Last, so that the same command completes an interrupted run.
                table.delete(name)
            except ReleaseStoreError as error:
                self._warnings.warn(f"source {name!r} is not removed: {error}; run the same command again")
                self.differences.removed.remove(name)


def hidden_assets(sources: Iterable[Source], assets: Iterable[str]) -> list[str]:
    """A line for each source that hides assets, given by their paths."""
    paths = list(assets)
    lines = []
    for source in sources:
        below = sum(path.startswith(f"{source.assets}/") for path in paths)
        if below:
            lines.append(
                f"assets below {source.assets}/: {below}; once the source {source.id!r} has a release, only its files "
                "are served there"
            )
    return lines
