"""Groups and profiles in matchbox's JSON documents.

They are read as Go reads them: keys in any case, unknown ones ignored, null for an empty value. Beyond matchbox, a
selector may list values, a group has a boot policy, and a profile has metadata.
"""

from lambda_matchbox.catalog.groups import Group, SelectorValue
from lambda_matchbox.catalog.labels import is_mac
from lambda_matchbox.catalog.profiles import NetBoot, Profile, UnsafeBootError
from lambda_matchbox.catalog.selection import MAX_COMBINATIONS, combinations
from lambda_matchbox.documents.json_text import refusal, validated
from lambda_matchbox.errors import DocumentError
from lambda_matchbox.golang.hardware_address import InvalidMACError, normalise_mac
from lambda_matchbox.machines.policy import PolicyError, policy_in


class WrongPolicyError(DocumentError):
    """A group whose boot policy cannot be; `group` is the group without it, whose machines must not fall to another."""

    def __init__(self, error: DocumentError, group: Group) -> None:
        super().__init__(error.reason, error.line)
        self.group = group


def parse_group(name: str, text: bytes) -> Group:
    """The group in a file called `name`.json, which is its id. Raises DocumentError, among them WrongPolicyError."""
    from lambda_matchbox.documents.models import GroupDocument

    document = validated(GroupDocument, text)
    selector = {key: _wanted(key, value, text) for key, value in document.selector.items()}
    number = combinations(selector)
    if number > MAX_COMBINATIONS:
        why = f"its lists have {number} combinations, more than {MAX_COMBINATIONS}: split the group"
        raise refusal(text, ("selector",), why)
    group = Group(name, document.name, document.profile, selector, document.metadata)
    if document.boot is None:
        return group
    if not isinstance(document.boot, dict):
        raise WrongPolicyError(refusal(text, ("boot",), "not an object"), group)
    try:
        return group._replace(boot=policy_in(document.boot))
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
    from lambda_matchbox.documents.models import NetBootDocument, ProfileDocument

    document = validated(ProfileDocument, text)
    found = document.boot or NetBootDocument()
    boot = NetBoot(found.kernel, tuple(found.initrd), tuple(found.args))
    try:
        boot.check()
    except UnsafeBootError as error:
        raise refusal(text, error.path, error.reason) from error
    return Profile(
        id=name,
        name=document.name,
        ignition_id=document.ignition_id,
        cloud_id=document.cloud_id,
        generic_id=document.generic_id,
        boot=None if document.boot is None else boot,
        metadata=document.metadata,
    )
