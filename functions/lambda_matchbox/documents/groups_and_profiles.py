"""Groups and profiles in matchbox's JSON documents.

They are read as Go reads them: keys in any case, unknown ones ignored, null for an empty value. Beyond matchbox, a
selector may list values, a group has a boot policy, and a profile has metadata.
"""

from collections.abc import Mapping
from typing import TypeVar

from lambda_matchbox.catalog.groups import Group, SelectorValue
from lambda_matchbox.catalog.labels import is_mac
from lambda_matchbox.catalog.profiles import NetBoot, Profile, UnsafeBootError
from lambda_matchbox.catalog.selection import MAX_COMBINATIONS, combinations
from lambda_matchbox.documents.fields import Fields
from lambda_matchbox.documents.json_text import refusal
from lambda_matchbox.errors import DocumentError
from lambda_matchbox.golang.hardware_address import InvalidMACError, normalise_mac
from lambda_matchbox.machines.policy import PolicyError, policy_in

_T = TypeVar("_T")


class WrongPolicyError(DocumentError):
    """A group whose boot policy cannot be; `group` is the group without it, whose machines must not fall to another."""

    def __init__(self, error: DocumentError, group: Group) -> None:
        super().__init__(error.reason, error.line)
        self.group = group


class _GoFields(Fields):
    """Fields by their names in lower case, without nulls; of several spellings the last wins, as in Go."""

    def __init__(self, text: bytes, members: Mapping[str, object], *path: str) -> None:
        folded = {key.lower(): value for key, value in members.items()}
        super().__init__(text, {key: value for key, value in folded.items() if value is not None}, *path)

    def _typed(self, value: object, kinds: tuple[type[_T], ...], *path: str | int) -> _T:
        return kinds[0]() if value is None else super()._typed(value, kinds, *path)


def parse_group(name: str, text: bytes) -> Group:
    """The group in a file called `name`.json, which is its id. Raises DocumentError, among them WrongPolicyError."""
    document = _GoFields.of(text)
    document.get("id", str, "")  # which may differ from the file's name
    display_name, profile = document.get("name", str, ""), document.get("profile", str, "")
    values: dict[str, object] = document.get("selector", dict, {})
    metadata = document.get("metadata", dict, {})
    selector = {key: _wanted(key, value, text) for key, value in values.items()}
    number = combinations(selector)
    if number > MAX_COMBINATIONS:
        why = f"its lists have {number} combinations, more than {MAX_COMBINATIONS}: split the group"
        raise refusal(text, ("selector",), why)
    group = Group(name, display_name, profile, selector, metadata)
    try:
        return group._replace(boot=policy_in(document.get("boot", dict, {})))
    except PolicyError as error:
        raise WrongPolicyError(refusal(text, ("boot", error.field), error.reason), group) from error
    except DocumentError as error:
        raise WrongPolicyError(error, group) from error


def _wanted(key: str, value: object, text: bytes) -> SelectorValue:
    """The value in normal form: a list without duplicates, or a single value."""
    if not isinstance(value, list):
        return _value(("selector", key), value, text)
    if not value:
        raise refusal(text, ("selector", key), "an empty list matches no machine: list values, or remove the key")
    values = tuple(dict.fromkeys(_value(("selector", key, at), one, text) for at, one in enumerate(value)))
    return values[0] if len(values) == 1 else values


def _value(path: tuple[str | int, ...], value: object, text: bytes) -> str:
    """The value at that path, whose second part is the selector's key, in normal form."""
    value = "" if value is None else value
    if not isinstance(value, str):
        raise refusal(text, path, "neither a string nor a list of strings" if len(path) == 2 else "not a string")
    if not is_mac(str(path[1])):
        return value
    try:
        return normalise_mac(value)
    except InvalidMACError as error:
        raise refusal(text, path, str(error)) from error


def parse_profile(name: str, text: bytes) -> Profile:
    """The profile in a file called `name`.json, which is its id. Raises DocumentError."""
    document = _GoFields.of(text)
    document.get("id", str, "")
    return Profile(
        id=name,
        name=document.get("name", str, ""),
        ignition_id=document.get("ignition_id", str, ""),
        cloud_id=document.get("cloud_id", str, ""),
        generic_id=document.get("generic_id", str, ""),
        boot=_net_boot(document.section("boot"), text),
        metadata=document.get("metadata", dict, {}),
    )


def _net_boot(fields: Fields | None, text: bytes) -> NetBoot | None:
    if fields is None:
        return None
    boot = NetBoot(fields.get("kernel", str, ""), tuple(fields.strings("initrd")), tuple(fields.strings("args")))
    try:
        boot.check()
    except UnsafeBootError as error:
        raise refusal(text, error.path, error.reason) from error
    return boot
