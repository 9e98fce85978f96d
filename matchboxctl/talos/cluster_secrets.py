"""`matchboxctl talos secrets`: new secrets of a cluster, or those that `talosctl gen secrets` made."""

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from matchboxctl.cli.errors import FailedError, UsageError
from matchboxctl.cli.output import as_yaml, print_result
from matchboxctl.cli.tables import table
from matchboxctl.secrets.stores import SecretWriter
from matchboxctl.talos.cluster import check_name
from matchboxctl.talos.machine_config import ConfigError, values_in
from matchboxctl.talos.secret_values import PARTS, Secrets, bundle_document, part_name

_MISSING = "this command needs cryptography: pip install 'lambda-matchbox[talos]'"
# Written last: a cluster that has it has them all, whoever made them.
_LAST = next(iter(PARTS))


def make(store: SecretWriter, cluster: str, file: Path | None, export: Path | None, output: str) -> None:
    """Store the secrets that a cluster lacks, and print which; no value. Raises CommandError."""
    try:
        check_name(cluster)
    except ConfigError as error:
        raise UsageError(str(error)) from None
    names = {part: part_name(cluster, part) for part in PARTS}
    stored = _stored(store, names)
    made: dict[str, str] = {}
    if file is not None:
        made = _from_file(file, cluster, stored)
    elif _LAST not in stored:
        made = _new()
    changes = {part: "kept" if part in stored else "created" if part in made else "absent" for part in PARTS}
    for part in reversed(PARTS):
        if part in made and made[part] != stored.get(part):
            store.set(names[part], made[part])
    if export is not None:
        _export(export, {**made, **stored})
    rows = [(names[part], change) for part, change in changes.items()]
    print_result(
        output,
        lambda: [{"name": name, "change": change} for name, change in rows],
        lambda: table(("NAME", "CHANGE"), rows),
    )


def _stored(store: SecretWriter, names: Mapping[str, str]) -> dict[str, str]:
    values = store.values(names.values())
    return {part: values[name] for part, name in names.items() if name in values}


def _new() -> dict[str, str]:
    try:
        from matchboxctl.talos.new_secrets import new_secrets
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] != "cryptography":
            raise
        raise UsageError(_MISSING) from error
    made = Secrets()
    for secret in new_secrets(datetime.now(UTC)):
        made.add(secret, "new")
    return made.texts({})


def _from_file(file: Path, cluster: str, stored: Mapping[str, str]) -> dict[str, str]:
    bundle = Secrets()
    try:
        for document in values_in(file.read_text()):
            bundle.add_bundle(document if isinstance(document, dict) else {}, file.name)
        replaced = bundle.replaced(stored)
    except OSError as error:
        raise FailedError(f"{file}: cannot be read: {error.strerror}") from error
    except (ConfigError, ValueError) as error:
        raise FailedError(f"{file}: {error}") from None
    if _LAST not in bundle.parts:
        raise FailedError(f"{file} is not what `talosctl gen secrets` writes: nothing was written")
    if replaced:
        raise FailedError(f"cluster {cluster} has other secrets, which are never overwritten: nothing was written")
    return bundle.texts(stored)


def _export(path: Path, parts: Mapping[str, str]) -> None:
    """Write a file that only its owner can read. Raises FailedError, also if there is one."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(as_yaml(bundle_document(parts)))
    except OSError as error:
        raise FailedError(f"{path}: cannot be written: {error.strerror}") from error
