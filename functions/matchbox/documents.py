"""Groups, profiles and image sources as operators write them, in JSON.

Groups and profiles are read as Go reads them: keys in any case, unknown ones ignored, null for an empty value. Sources
are ours, so that what is not understood is refused. pydantic is heavy, so
this module is for what is imported or read from a directory, never for the boot path on the table.
"""

import json
import math
import re
from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError, model_validator

from matchbox.errors import MatchboxError
from matchbox.groups import Group
from matchbox.image_reference import InvalidReferenceError, parse_image_reference, parse_platform
from matchbox.json_lines import line_at, line_of_deepest, line_of_path, line_of_value
from matchbox.labels import InvalidMACError, is_mac, normalise_mac
from matchbox.profiles import NetBoot, Profile
from matchbox.releases import RECORD
from matchbox.sources import DEFAULT_INTERVAL, DEFAULT_KEEP, DEFAULT_PLATFORM, Source


class DocumentError(MatchboxError):
    """A document that is no group, profile or image source; the message names line and field."""


def _empty_text(value: object) -> object:
    return "" if value is None else value


def _empty_map(value: object) -> object:
    return {} if value is None else value


def _empty_list(value: object) -> object:
    return [] if value is None else value


_LONGEST_SHOWN = 40
_LONGEST_PATH = 500
_MOST_KEPT = 100
# It is part of objects' keys and of directories' names.
_SOURCE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}", re.ASCII)

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


class _SourceDocument(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")

    id: str
    image: str
    assets: str
    platform: str = str(DEFAULT_PLATFORM)
    files: dict[str, list[str]] = {}
    interval: str = f"{DEFAULT_INTERVAL}s"
    keep: int = DEFAULT_KEEP


_Model = TypeVar("_Model", bound=BaseModel)


def parse_group(name: str, text: bytes) -> Group:
    """The group in a file called `name`.json, known by that name. Raises DocumentError."""
    document = _validated(_GroupDocument, text)
    selector = dict(document.selector)
    for key in filter(is_mac, selector):
        try:
            selector[key] = normalise_mac(selector[key])
        except InvalidMACError as error:
            line = line_of_path(_decoded(text), ("selector", key))
            raise DocumentError(f"line {line}: selector: {error}") from error
    return Group(name, document.name, document.profile, selector, document.metadata)


def parse_profile(name: str, text: bytes) -> Profile:
    """The profile in a file called `name`.json, known by that name. Raises DocumentError."""
    document = _validated(_ProfileDocument, text)
    boot = document.boot
    return Profile(
        id=name,
        name=document.name,
        ignition_id=document.ignition_id,
        cloud_id=document.cloud_id,
        generic_id=document.generic_id,
        boot=None if boot is None else NetBoot(boot.kernel, tuple(boot.initrd), tuple(boot.args)),
    )


def parse_source(name: str, text: bytes) -> Source:
    """The image source in a file called `name`.json. Raises DocumentError."""
    document = _validated(_SourceDocument, text)
    if document.id != name:
        raise _refused(text, "id", f"{document.id!r} is not the file's name, {name!r}")
    return _source(document, text)


def parse_stand_in(text: bytes) -> Source:
    """The image source in the text of a file whose name is not known. Raises DocumentError."""
    return _source(_validated(_SourceDocument, text), text)


def _source(document: _SourceDocument, text: bytes) -> Source:
    if not _SOURCE_ID.fullmatch(document.id):
        raise _refused(text, "id", f"{document.id!r} has other characters than letters, digits, `.`, `_` and `-`")
    if document.id.endswith(".json"):
        # It would also be the name of the file of pointers.
        raise _refused(text, "id", f"{document.id!r} is the file's name without `.json`")
    if not _is_relative(document.assets):
        raise _refused(text, "assets", f"{document.assets!r} is no path below /assets/, such as talos/arm64")
    try:
        image = parse_image_reference(document.image)
    except InvalidReferenceError as error:
        raise _refused(text, "image", str(error)) from error
    try:
        platform = parse_platform(document.platform)
    except InvalidReferenceError as error:
        raise _refused(text, "platform", str(error)) from error
    if not 1 <= document.keep <= _MOST_KEPT:
        raise _refused(text, "keep", f"{document.keep} releases cannot be kept: it is 1 to {_MOST_KEPT}")
    files = {name: tuple(map(_in_image, paths)) for name, paths in document.files.items()}
    for name, paths in files.items():
        if not _is_relative(name) or _is_made(name):
            raise _refused(text, "files", f"{name!r} is no name of a file to publish: `.sha256` and {RECORD} are made")
        if not paths or not all(map(_is_relative, paths)):
            raise _refused(text, "files", f"{name!r} needs paths in the image, such as talos/arm64/vmlinuz")
        if below := [other for other in files if other.startswith(f"{name}/")]:
            raise _refused(text, "files", f"{name!r} is a file, and {below[0]!r} lies below it")
    interval = _interval(document.interval, text)
    return Source(document.id, image, document.assets, platform, files, interval, document.keep)


def source_document(source: Source) -> dict[str, object]:
    """The source as it stands in a file: what is as usual left out."""
    fields: dict[str, object] = {"id": source.id, "image": str(source.image), "assets": source.assets}
    if source.platform != DEFAULT_PLATFORM:
        fields["platform"] = str(source.platform)
    if source.files:
        fields["files"] = {name: list(paths) for name, paths in source.files.items()}
    if source.interval != DEFAULT_INTERVAL:
        fields["interval"] = f"{source.interval}s"
    if source.keep != DEFAULT_KEEP:
        fields["keep"] = source.keep
    return fields


def _interval(value: str, text: bytes) -> int:
    found = re.fullmatch(r"([1-9][0-9]{0,6})([smh])", value, re.ASCII)
    if found is None:
        raise _refused(text, "interval", f"{value!r} is no interval, such as 30s, 10m or 1h")
    return int(found[1]) * {"s": 1, "m": 60, "h": 3600}[found[2]]


def _in_image(path: str) -> str:
    """The path without what may stand before it."""
    return path.removeprefix(".").lstrip("/") if path.startswith(("./", "/")) else path


def _is_relative(path: str) -> bool:
    """Whether the path stays below where it begins, in one spelling only, and is text that every store can hold."""
    parts = path.split("/")
    return path.isprintable() and len(path) <= _LONGEST_PATH and not any(part in ("", ".", "..") for part in parts)


def _is_made(name: str) -> bool:
    """Whether a sync itself makes a file of this name, or one where this name needs a directory."""
    parts = name.split("/")
    return parts[0] == RECORD or any(part.endswith(".sha256") for part in parts)


def _refused(text: bytes, field: str, why: str) -> DocumentError:
    return DocumentError(f"line {line_of_path(_decoded(text), (field,))}: {field}: {why}")


def _validated(model: type[_Model], text: bytes) -> _Model:
    try:
        return model.model_validate(_json_object(text))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        line = line_of_path(_decoded(text), first["loc"])
        raise DocumentError(f"line {line}: {field}: {first['msg']}") from error


def _json_object(text: bytes) -> object:
    """The JSON in `text`, in which what is no UTF-8 or half a surrogate pair is U+FFFD, as with Go."""
    written = _decoded(text)
    try:
        parsed: object = json.loads(written, parse_constant=_no_constant, parse_float=_finite, parse_int=_integer)
        if re.search(rb"\\u[dD]", text):
            parsed = _paired(parsed)
    except _UnusableValueError as error:
        raise DocumentError(f"line {line_of_value(written, error.value)}: {error}") from error
    except json.JSONDecodeError as error:
        raise DocumentError(f"line {error.lineno}: not JSON: {error.msg}") from error
    except RecursionError as error:
        raise DocumentError(f"line {line_of_deepest(written)}: nested too deeply") from error
    if not isinstance(parsed, dict):
        raise DocumentError(f"line {line_at(written, len(written) - len(written.lstrip()))}: not a JSON object")
    return parsed


def _decoded(text: bytes) -> str:
    return text.decode("utf-8", "replace")


class _UnusableValueError(Exception):
    """A number or word that Go's JSON does not know; where it stands is not told to who finds it."""

    def __init__(self, value: str, why: str) -> None:
        super().__init__(why)
        self.value = value


def _no_constant(name: str) -> object:
    raise _UnusableValueError(name, f"{name} is not JSON")


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        shown = text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}..."
        raise _UnusableValueError(text, f"the number {shown} is too large")
    return number


def _integer(text: str) -> int:
    """A whole number, which Go takes for a float: it may not be larger than one."""
    _finite(text)
    return int(text)


def _paired(value: object) -> object:
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, Mapping):
        return {_paired(key): _paired(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_paired(item) for item in value]
    return value
