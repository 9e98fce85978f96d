"""Groups and profiles in matchbox's JSON documents.

They are read as Go reads them: keys in any case, unknown ones ignored, null for an empty value. Beyond matchbox, a
selector may list values, a group has a boot policy, and a profile has metadata.
"""

from collections.abc import Mapping

from lambda_matchbox.catalog.groups import Group, SelectorValue
from lambda_matchbox.catalog.labels import is_mac
from lambda_matchbox.catalog.profiles import NetBoot, Profile, UnsafeBootError
from lambda_matchbox.catalog.selection import MAX_COMBINATIONS, combinations
from lambda_matchbox.documents.json_text import json_object, members, refusal
from lambda_matchbox.errors import DocumentError
from lambda_matchbox.golang.hardware_address import InvalidMACError, normalise_mac
from lambda_matchbox.machines.policy import PolicyError, policy_in

_GROUP: Mapping[str, type] = {
    "id": str,
    "name": str,
    "profile": str,
    "selector": dict,
    "metadata": dict,
    "boot": object,
}
_PROFILE: Mapping[str, type] = {
    "id": str,
    "name": str,
    "ignition_id": str,
    "cloud_id": str,
    "generic_id": str,
    "boot": dict,
    "metadata": dict,
}
_BOOT: Mapping[str, type] = {"kernel": str, "initrd": list, "args": list}


class WrongPolicyError(DocumentError):
    """A group whose boot policy cannot be; `group` is the group without it, whose machines must not fall to another."""

    def __init__(self, error: DocumentError, group: Group) -> None:
        super().__init__(error.reason, error.line)
        self.group = group


def parse_group(name: str, text: bytes) -> Group:
    """The group in a file called `name`.json, which is its id. Raises DocumentError, among them WrongPolicyError."""
    fields = members(json_object(text), _GROUP, text)
    policy = fields.pop("boot", {})
    selector = {key: _wanted(key, value, text) for key, value in fields.get("selector", {}).items()}
    number = combinations(selector)
    if number > MAX_COMBINATIONS:
        why = f"its lists have {number} combinations, more than {MAX_COMBINATIONS}: split the group"
        raise refusal(text, ("selector",), why)
    group = Group(**{**fields, "id": name, "selector": selector})
    if not isinstance(policy, dict):
        raise WrongPolicyError(refusal(text, ("boot",), "not an object"), group)
    try:
        return group._replace(boot=policy_in(policy)) if policy else group
    except PolicyError as error:
        raise WrongPolicyError(refusal(text, ("boot", error.field), error.reason), group) from error


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
    fields = members(json_object(text), _PROFILE, text)
    if (section := fields.get("boot")) is not None:
        boot = members(section, _BOOT, text, ("boot",))
        boot.update((key, _texts(key, boot[key], text)) for key in ("initrd", "args") if key in boot)
        fields["boot"] = NetBoot(**boot)
        try:
            fields["boot"].check()
        except UnsafeBootError as error:
            raise refusal(text, error.path, error.reason) from error
    return Profile(**{**fields, "id": name})


def _texts(key: str, values: list[object], text: bytes) -> tuple[str, ...]:
    """The strings of a list in the boot section."""
    for at, value in enumerate(values):
        if not isinstance(value, str | None):
            raise refusal(text, ("boot", key, at), "not a string")
    return tuple(str(value or "") for value in values)
