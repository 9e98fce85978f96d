"""The fields of documents and their types. pydantic takes long to import: this module is imported to read one."""

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, model_validator

from lambda_matchbox.releases.sources import DEFAULT_INTERVAL, DEFAULT_KEEP, DEFAULT_PLATFORM


def _empty_text(value: object) -> object:
    return "" if value is None else value


_Texts = list[Annotated[str, BeforeValidator(_empty_text)]]


class _GoDocument(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore")

    @model_validator(mode="before")
    @classmethod
    def _in_lower_case(cls, value: object) -> object:
        """The members by their names in lower case, without nulls; of several spellings the last wins, as in Go."""
        if not isinstance(value, dict):
            return value
        members = {key.lower(): item for key, item in value.items()}
        return {key: item for key, item in members.items() if item is not None}


class GroupDocument(_GoDocument):
    """A group. What a selector and a policy may hold is checked by whoever parses it."""

    id: str = ""
    name: str = ""
    profile: str = ""
    # pydantic's errors would name the branches of a union, not the keys.
    selector: dict[str, Any] = {}
    metadata: dict[str, Any] = {}
    boot: Any = None


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


class VerifyDocument(BaseModel):
    """Who has to have signed a source's images."""

    model_config = ConfigDict(strict=True, extra="forbid")

    key: str | None = None
    identity: str | None = None
    issuer: str | None = None
    # As for selectors: a string or an object.
    trusted_root: Any = None


class SourceDocument(BaseModel):
    """An image source."""

    model_config = ConfigDict(strict=True, extra="forbid")

    id: str
    image: str = ""
    schematic: str = ""
    version: str = ""
    assets: str
    platform: str = str(DEFAULT_PLATFORM)
    files: dict[str, list[str]] = {}
    interval: str = f"{DEFAULT_INTERVAL}s"
    keep: int = DEFAULT_KEEP
    verify: VerifyDocument | None = None
