"""`matchboxctl secret`: set, list, describe, used, get, delete."""

import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from lambda_matchbox.secrets.references import InvalidNameError, check_name
from matchboxctl.cli.confirmation import confirm_deletion
from matchboxctl.cli.errors import FailedError, MissingError, UsageError
from matchboxctl.cli.names import did_you_mean
from matchboxctl.cli.output import FORMATS, print_result, print_text
from matchboxctl.cli.plurals import counted
from matchboxctl.cli.tables import description, shown, table
from matchboxctl.cli.warnings import Warnings
from matchboxctl.directory.secrets import DirectorySecrets
from matchboxctl.machines.facts import rfc3339
from matchboxctl.secrets.opened_secrets import opened_secrets
from matchboxctl.secrets.references import users_of_secrets
from matchboxctl.secrets.stores import SecretInfo, SecretWriter
from matchboxctl.secrets.values import read_value
from matchboxctl.store.mode import StoreSettings

_COLUMNS = ("NAME", "SIZE", "CHANGED", "STORED AS")
_MAX_NAMED = 5


class Target(NamedTuple):
    """The store, and its secrets."""

    store: StoreSettings | Path
    secrets: SecretWriter
    warnings: Warnings


@contextmanager
def opened_target(store: StoreSettings | Path, kms_key: str) -> Iterator[Target]:
    """The secrets of the store; `kms_key` encrypts those that are set. Raises UsageError."""
    warnings = Warnings()
    if kms_key:
        if isinstance(store, Path):
            raise UsageError(f"--kms-key is for secrets in AWS, and {store} is a directory")
        store = store._replace(secrets_key=kms_key)
    with opened_secrets(store, warnings.warn) as secrets:
        yield Target(store, secrets, warnings)


def set_secret(target: Target, name: str, file: str | None) -> None:
    """Create or replace a secret by the value in the file, in standard input, or typed. Raises CommandError."""
    _check(name)
    change = target.secrets.set(name, read_value(file, name))
    print(f"secret {name} {change}")


def list_all(target: Target, output: str) -> None:
    """Print all secrets without their values. Raises FailedError after a warning for each that is not used."""
    found = target.secrets.names()
    print_result(output, lambda: [_document(one) for one in found], lambda: table(_COLUMNS, map(_row, found)))
    _warn_of_unused(target)


def describe(target: Target, name: str, output: str) -> None:
    """Print what is known of a secret, and the templates that name it. Raises CommandError."""
    _check(name)
    found = target.secrets.describe(name)
    if found is None:
        raise _absent(target, [name])
    place, users = target.secrets.place(name), users_of_secrets(target.store, target.warnings.warn).get(name, [])
    size, changed, tier = _row(found)[1:]
    facts = [("Name", name), ("Place", place), ("Size", size), ("Changed", changed), ("Stored as", tier)]
    lines = [*((fact, [value]) for fact, value in facts), ("KMS key", [found.key]), ("Templates", users)]
    print_result(output, lambda: {**_document(found), "place": place, "templates": users}, lambda: description(lines))


def used(target: Target, output: str) -> None:
    """Print which templates name which secrets. Raises FailedError if one is missing, or a template is unreadable."""
    users = users_of_secrets(target.store, target.warnings.warn)
    stored = {one.name for one in target.secrets.names()}
    states = {name: _state(name, users, stored) for name in sorted({*users, *stored})}
    print_result(
        output,
        lambda: [{"name": name, "state": state, "templates": users.get(name, [])} for name, state in states.items()],
        lambda: table(
            ("NAME", "STATE", "TEMPLATES"),
            [(name, state, " ".join(users.get(name, []))) for name, state in states.items()],
        ),
    )
    if target.warnings.count:
        raise FailedError(target.warnings.summary("read"))
    _warn_of_unused(target)
    if missing := list(states.values()).count("missing"):
        are = "is" if missing == 1 else "are"
        raise FailedError(
            f"{counted(missing, 'secret')} {are} missing: machines get 500 until `matchboxctl secret set`"
        )


def get(target: Target, name: str, output: str, *, reveal: bool) -> None:
    """Print the value of a secret, if `reveal` says so. Raises CommandError."""
    _check(name)
    if not reveal:
        raise UsageError(
            "get prints the value of a secret: add --reveal for that, or use `matchboxctl secret describe`"
        )
    value = target.secrets.values([name]).get(name)
    if value is None:
        raise _absent(target, [name])
    # As it is for programs, and with a line's end for people.
    ending = "\n" if sys.stdout is not None and sys.stdout.isatty() and not value.endswith("\n") else ""
    print_text(FORMATS[output]({"name": name, "value": value}) if output in FORMATS else value + ending)


def delete(target: Target, names: Sequence[str], *, yes: bool) -> None:
    """Delete secrets; asks first, without `yes`, if templates name them or that is not known.

    Raises MissingError if some did not exist (the rest is deleted), FailedError if the answer was no.
    """
    chosen = list(dict.fromkeys(names))
    for name in chosen:
        _check(name)
    if not yes:
        _confirm(target, chosen)
    missing = []
    for name in chosen:
        if target.secrets.delete(name):
            print(f"secret {name} deleted", flush=True)
        else:
            missing.append(name)
    if missing:
        raise _absent(target, missing)


def _warn_of_unused(target: Target) -> None:
    """Warn of each secret that is not used, as others could read it for example, and raise FailedError."""
    problems = DirectorySecrets(target.store).problems() if isinstance(target.store, Path) else ()
    for line in problems:
        target.warnings.warn(f"warning: {shown(line)}")
    if target.warnings.count:
        raise FailedError("machines get an error in place of such a secret")


def _confirm(target: Target, names: Collection[str]) -> None:
    users = users_of_secrets(target.store, target.warnings.warn)
    # A template that cannot be read may name them.
    if users.keys().isdisjoint(names) and not target.warnings.count:
        return
    for name, templates in users.items():
        if name in names:
            more = f" and {len(templates) - _MAX_NAMED} more" if len(templates) > _MAX_NAMED else ""
            print(f"secret {name} is used by {shown(', '.join(templates[:_MAX_NAMED]))}{more}", file=sys.stderr)
    confirm_deletion()


def _check(name: str) -> None:
    try:
        check_name(name)
    except InvalidNameError as error:
        raise UsageError(shown(str(error))) from error


def _absent(target: Target, names: Sequence[str]) -> MissingError:
    alike = did_you_mean(names[0], lambda: [one.name for one in target.secrets.names()]) if len(names) == 1 else ""
    return MissingError(f"no secret {', '.join(map(repr, names))}{alike}")


def _state(name: str, users: Mapping[str, Sequence[str]], stored: Collection[str]) -> str:
    if name not in stored:
        return "missing"
    return "used" if name in users else "unused"


def _row(found: SecretInfo) -> Sequence[str]:
    size = "" if found.size is None else f"{found.size}"
    return found.name, size, "" if found.changed is None else rfc3339(found.changed) or "", found.tier


def _document(found: SecretInfo) -> Mapping[str, object]:
    changed = None if found.changed is None else rfc3339(found.changed)
    return {
        "name": found.name,
        "size": found.size,
        "changed": changed,
        "stored_as": found.tier,
        "kms_key": found.key or None,
    }
