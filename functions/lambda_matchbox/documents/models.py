"""The fields of documents and their types. pydantic takes long to import: this module is imported to read one."""

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, model_validator


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


class GroupDocument(_GoDocument):
    """A group. What a selector and a policy may hold is checked by whoever parses it."""

    id: str = ""
    name: str = ""
    profile: str = ""
    # pydantic's errors would name the branches of a union, not the keys.
    selector: dict[str, Any] = {}
    metadata: dict[str, Any] = {}
    boot: Any = {}


class NetBootDocument(_GoDocument):
    """A profile's boot section."""

    kernel: str = ""
    initrd: _Texts = []
    args: _Texts = []


class ProfileDocument(_GoDocument):
    """A profile."""

    id: str = ""
    name: str = ""
    ignition_id: str = ""
    cloud_id: str = ""
    generic_id: str = ""
    boot: NetBootDocument | None = None
    metadata: dict[str, Any] = {}
