"""Groups and profiles in matchbox's JSON documents.

They are read as Go reads them: keys in any case, unknown ones ignored, null for an empty value. Beyond matchbox, a
selector may list values, a group has a boot policy, and a profile has metadata.
"""

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, model_validator

from lambda_matchbox.catalog.groups import Group, SelectorValue
from lambda_matchbox.catalog.labels import is_mac
from lambda_matchbox.catalog.profiles import NetBoot, Profile, UnsafeBootError
from lambda_matchbox.catalog.selection import MAX_COMBINATIONS, combinations
from lambda_matchbox.documents.json_text import refusal, validated
from lambda_matchbox.golang.hardware_address import InvalidMACError, normalise_mac
from lambda_matchbox.machines.policy import PolicyError, policy_in


def _empty_text(value: object) -> object:
    return "" if value is None else value


_Texts = list[Annotated[str, BeforeValidator(_empty_text)]]


class _GoDocument(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore")

    @model_validator(mode="before")
    @classmethod
    def _known_keys(cls, value: object) -> object:
        """The members by field name, without nulls; of several spellings the last wins, as in Go."""
        if not isinstance(value, dict):
            return value
        members = {key.lower(): item for key, item in value.items() if key.lower() in cls.model_fields}
        return {key: item for key, item in members.items() if item is not None}


class _GroupDocument(_GoDocument):
    id: str = ""
    name: str = ""
    profile: str = ""
    # pydantic's errors would name the branches of a union, not the keys.
    selector: dict[str, Any] = {}
    metadata: dict[str, Any] = {}
    boot: dict[str, Any] | None = None


class _NetBootDocument(_GoDocument):
    kernel: str = ""
    initrd: _Texts = []
    args: _Texts = []


class _ProfileDocument(_GoDocument):
    id: str = ""
    name: str = ""
    ignition_id: str = ""
    cloud_id: str = ""
    generic_id: str = ""
    boot: _NetBootDocument | None = None
    metadata: dict[str, Any] = {}


def parse_group(name: str, text: bytes) -> Group:
    """The group in a file called `name`.json, which is its id. Raises DocumentError."""
    document = validated(_GroupDocument, text)
    selector = {key: _wanted(key, value, text) for key, value in document.selector.items()}
    number = combinations(selector)
    if number > MAX_COMBINATIONS:
        why = f"its lists have {number} combinations, more than {MAX_COMBINATIONS}: split the group"
        raise refusal(text, ("selector",), why)
    try:
        policy = policy_in(document.boot or {})
    except PolicyError as error:
        raise refusal(text, ("boot", error.field), error.reason) from error
    return Group(name, document.name, document.profile, selector, document.metadata, policy)


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
    value = _empty_text(value)
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
    document = validated(_ProfileDocument, text)
    found = document.boot or _NetBootDocument()
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
