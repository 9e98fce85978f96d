"""Secrets from a data directory into Parameter Store, or back. Nothing is ever removed, and no value is printed."""

import sys
from collections.abc import Collection, Iterable, Mapping

from lambda_matchbox.catalog.templates import Template
from lambda_matchbox.secrets.references import SECRETS_MANAGER
from lambda_matchbox.secrets.stores import UnsafeSecretError
from matchboxctl.cli.errors import FailedError
from matchboxctl.cli.plurals import counted
from matchboxctl.cli.warnings import Warnings
from matchboxctl.secrets.references import users_in
from matchboxctl.secrets.stores import SecretWriter
from matchboxctl.transfer.differences import Differences, Report


def copy_secrets(
    source: SecretWriter, target: SecretWriter, warnings: Warnings, report: Report, *, dry_run: bool
) -> None:
    """Write all secrets of the source into the target, and report that. Raises the errors of both."""
    values = _values(source, carried(source), warnings)
    known = _values(target, [*values], warnings)
    shown = Differences(
        "secrets",
        added=sorted(values.keys() - known.keys()),
        changed=sorted(name for name in values.keys() & known.keys() if values[name] != known[name]),
        removed=[],
        unchanged=sum(values[name] == known[name] for name in values.keys() & known.keys()),
        prefix="secret ",
    )
    failed: set[str] = set()
    for name in () if dry_run else (*shown.added, *shown.changed):
        try:
            target.set(name, values[name])
        except (FailedError, UnsafeSecretError) as error:
            warnings.warn(str(error))
            failed.add(name)
    report.add(shown.without(failed), names=dry_run)


def carried(source: SecretWriter) -> list[str]:
    """The names of the secrets that are copied: all but those of Secrets Manager."""
    return [secret.name for secret in source.names() if not secret.name.startswith(SECRETS_MANAGER)]


def note_left(templates: Iterable[Template], done: str) -> None:
    """Say how many of the secrets that templates name are not imported or exported, and how to do it."""
    left = [name for name in users_in(templates) if not name.startswith(SECRETS_MANAGER)]
    if left:
        are = "that templates name is" if len(left) == 1 else "that templates name are"
        print(f"note: {counted(len(left), 'secret')} {are} not {done}; --secrets does", file=sys.stderr)


def _values(store: SecretWriter, names: Collection[str], warnings: Warnings) -> Mapping[str, str]:
    """The values of these secrets, with a warning for each that is not used."""
    try:
        return store.values(names)
    except UnsafeSecretError:
        found: dict[str, str] = {}
        for name in names:
            try:
                found |= store.values([name])
            except UnsafeSecretError as error:
                warnings.warn(str(error))
        return found
