"""The catalogues that one suite holds to one contract, each with what writes it."""

import json
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from lambda_matchbox.catalog.groups import Group
from lambda_matchbox.catalog.profiles import Profile
from lambda_matchbox.catalog.stores import Catalog
from tests.support.memory_catalog import MemoryCatalog


class Writer(Protocol):
    """The verbs that change a catalogue."""

    def put_group(self, group: Group) -> object: ...
    def delete_group(self, group_id: str) -> object: ...
    def put_profile(self, profile: Profile) -> object: ...
    def delete_profile(self, profile_id: str) -> object: ...
    def put_template(self, kind: str, template_id: str, body: bytes) -> object: ...
    def delete_template(self, kind: str, template_id: str) -> object: ...


class Subject:
    """A catalogue and what writes it."""

    def __init__(self, catalog: Catalog, writer: Writer) -> None:
        self.catalog = catalog
        self.writer = writer

    def put(self, *groups: Group) -> None:
        for group in groups:
            self.writer.put_group(group)

    def chosen(self, labels: Mapping[str, str]) -> str | None:
        """The id of the group selected."""
        selection = self.catalog.select(labels)
        return None if selection is None else selection.group.id


NewSubject = Callable[[], AbstractContextManager[Subject]]


class MemoryWriter:
    """Writes the catalogue in memory."""

    def __init__(self, catalog: MemoryCatalog) -> None:
        self._catalog = catalog

    def put_group(self, group: Group) -> None:
        self._catalog.groups.put(group)

    def delete_group(self, group_id: str) -> None:
        self._catalog.groups.discard(group_id)

    def put_profile(self, profile: Profile) -> None:
        self._catalog.profiles[profile.id] = profile

    def delete_profile(self, profile_id: str) -> None:
        self._catalog.profiles.pop(profile_id, None)

    def put_template(self, kind: str, template_id: str, body: bytes) -> None:
        self._catalog.templates[kind, template_id] = body

    def delete_template(self, kind: str, template_id: str) -> None:
        self._catalog.templates.pop((kind, template_id), None)


class FileWriter:
    """Writes matchbox's data directory, as an operator with an editor does."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def put_group(self, group: Group) -> None:
        self._write(f"groups/{group.id}.json", json.dumps(group._asdict()).encode())

    def delete_group(self, group_id: str) -> None:
        (self._root / f"groups/{group_id}.json").unlink(missing_ok=True)

    def put_profile(self, profile: Profile) -> None:
        self._write(f"profiles/{profile.id}.json", json.dumps(profile.document()).encode())

    def delete_profile(self, profile_id: str) -> None:
        (self._root / f"profiles/{profile_id}.json").unlink(missing_ok=True)

    def put_template(self, kind: str, template_id: str, body: bytes) -> None:
        self._write(f"{kind}/{template_id}", body)

    def delete_template(self, kind: str, template_id: str) -> None:
        (self._root / kind / template_id).unlink(missing_ok=True)

    def _write(self, path: str, content: bytes) -> None:
        file = self._root / path
        # A profile's id may hold a slash.
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
