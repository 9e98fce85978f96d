"""Groups and profiles as operators write them: matchbox's JSON documents.

They are read as Go reads them: keys in any case, unknown ones ignored, null for an empty value.
"""

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, model_validator

from matchbox.groups import Group
from matchbox.json_documents import refusal, validated
from matchbox.labels import InvalidMACError, is_mac, normalise_mac
from matchbox.profiles import NetBoot, Profile


def _empty_text(value: object) -> object:
    return "" if value is None else value


def _empty_map(value: object) -> object:
    return {} if value is None else value


def _empty_list(value: object) -> object:
    return [] if value is None else value


_Text = Annotated[str, BeforeValidator(_empty_text)]


class _Document(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore")

    @model_validator(mode="before")
    @classmethod
    def _known_keys(cls, value: object) -> object:
        """Keys as the fields are named; of several spellings the last wins, as with Go."""
        if not isinstance(value, dict):
            return value
        return {key.lower(): item for key, item in value.items() if key.lower() in cls.model_fields}


class _GroupDocument(_Document):
    id: _Text = ""
    name: _Text = ""
    profile: _Text = ""
    selector: Annotated[dict[str, _Text], BeforeValidator(_empty_map)] = {}
    metadata: Annotated[dict[str, Any], BeforeValidator(_empty_map)] = {}


class _NetBootDocument(_Document):
    kernel: _Text = ""
    initrd: Annotated[list[_Text], BeforeValidator(_empty_list)] = []
    args: Annotated[list[_Text], BeforeValidator(_empty_list)] = []


class _ProfileDocument(_Document):
    id: _Text = ""
    name: _Text = ""
    ignition_id: _Text = ""
    cloud_id: _Text = ""
    generic_id: _Text = ""
    boot: _NetBootDocument | None = None


def parse_group(name: str, text: bytes) -> Group:
    """The group in a file called `name`.json, known by that name. Raises DocumentError."""
    document = validated(_GroupDocument, text)
    selector = dict(document.selector)
    for key in filter(is_mac, selector):
        try:
            selector[key] = normalise_mac(selector[key])
        except InvalidMACError as error:
            raise refusal(text, ("selector", key), str(error)) from error
    return Group(name, document.name, document.profile, selector, document.metadata)


def parse_profile(name: str, text: bytes) -> Profile:
    """The profile in a file called `name`.json, known by that name. Raises DocumentError."""
    document = validated(_ProfileDocument, text)
    boot = document.boot
    return Profile(
        id=name,
        name=document.name,
        ignition_id=document.ignition_id,
        cloud_id=document.cloud_id,
        generic_id=document.generic_id,
        boot=None if boot is None else NetBoot(boot.kernel, tuple(boot.initrd), tuple(boot.args)),
    )
