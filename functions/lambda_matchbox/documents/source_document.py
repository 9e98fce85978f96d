"""The fields of an image source and their types."""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, NamedTuple

from lambda_matchbox.documents.json_text import json_object, refusal
from lambda_matchbox.releases.sources import DEFAULT_INTERVAL, DEFAULT_KEEP, DEFAULT_PLATFORM


class VerifyDocument(NamedTuple):
    """Who has to have signed a source's images."""

    key: str | None = None
    identity: str | None = None
    issuer: str | None = None
    trusted_root: object = None


class SourceDocument(NamedTuple):
    """An image source."""

    id: str
    assets: str
    image: str = ""
    schematic: str = ""
    version: str = ""
    platform: str = str(DEFAULT_PLATFORM)
    files: Mapping[str, list[str]] = {}
    interval: str = f"{DEFAULT_INTERVAL}s"
    keep: int = DEFAULT_KEEP
    verify: VerifyDocument | None = None


# A list's shape is in a list, that of any member has the name `*`, and a tuple is a shape or null.
_TEXT_OR_NULL = (str,)
_VERIFY = {"key": _TEXT_OR_NULL, "identity": _TEXT_OR_NULL, "issuer": _TEXT_OR_NULL, "trusted_root": object}
_SOURCE = {
    "id": str,
    "image": str,
    "schematic": str,
    "version": str,
    "assets": str,
    "platform": str,
    "files": {"*": [str]},
    "interval": str,
    "keep": int,
    "verify": (_VERIFY,),
}
_REQUIRED = ("id", "assets")
_NAMES = {str: "a string", int: "an integer", list: "a list", dict: "an object"}


def read_source(text: bytes) -> SourceDocument:
    """The fields of the source in `text`. Raises DocumentError."""
    members = json_object(text)
    _check(text, (), members, _SOURCE)
    for name in _REQUIRED:
        if name not in members:
            raise refusal(text, (name,), "missing")
    verify = members.get("verify")
    return SourceDocument(**members | {"verify": None if verify is None else VerifyDocument(**verify)})


def _check(text: bytes, path: tuple[str | int, ...], value: Any, shape: Any) -> None:
    """Raise DocumentError where the value at `path` has another shape."""
    if isinstance(shape, tuple):
        if value is not None:
            _check(text, path, value, shape[0])
        return
    kind = shape if isinstance(shape, type) else type(shape)
    # A boolean is an integer by isinstance().
    if kind is not object and type(value) is not kind:
        raise refusal(text, path, f"not {_NAMES[kind]}")
    if isinstance(shape, list):
        for number, each in enumerate(value):
            _check(text, (*path, number), each, shape[0])
    elif isinstance(shape, dict):
        for name, each in value.items():
            if name not in shape and "*" not in shape:
                close = [] if path else get_close_matches(name, shape, 1, cutoff=0.7)
                raise refusal(text, (*path, name), f"unknown field{f': did you mean {close[0]!r}?' if close else ''}")
            _check(text, (*path, name), each, shape.get(name, shape.get("*")))
