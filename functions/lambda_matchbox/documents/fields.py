"""Fields of JSON documents, each of which has one type."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Self, TypeVar

from lambda_matchbox.documents.json_text import json_object, refusal

_T = TypeVar("_T")

_TYPES = {str: "a string", int: "an integer", list: "a list", dict: "an object"}


class Fields:
    """The fields of one object in a document. Raises DocumentError for a value of another type."""

    def __init__(self, text: bytes, members: Mapping[str, object], *path: str) -> None:
        self.members = members
        self._text = text
        self._path = path

    @classmethod
    def of(cls, text: bytes) -> Self:
        """The fields of the document itself. Raises DocumentError if it is not a JSON object."""
        return cls(text, json_object(text))

    def get(self, name: str, kind: type[_T], default: _T | None = None) -> _T:
        """The value; one without a default must be there."""
        if name in self.members:
            return self._typed(self.members[name], (kind,), name)
        if default is None:
            raise refusal(self._text, (*self._path, name), "missing")
        return default

    def optional(self, name: str, *kinds: type[_T]) -> _T | None:
        """The value, which may be absent or null."""
        value = self.members.get(name)
        return None if value is None else self._typed(value, kinds, name)

    def strings(self, name: str) -> list[str]:
        """The strings of a list, which may be absent."""
        return [self._typed(one, (str,), name, at) for at, one in enumerate(self.get(name, list, []))]

    def section(self, name: str) -> Self | None:
        """The fields of a value, which may be absent or null."""
        members: dict[str, object] | None = self.optional(name, dict)
        return None if members is None else type(self)(self._text, members, *self._path, name)

    def refuse_others(self, names: Iterable[str]) -> None:
        """Raise DocumentError for a field that is not one of the names."""
        for name in self.members:
            if name not in names:
                close = get_close_matches(name, names, 1, cutoff=0.7)
                why = "unknown field" + (f": did you mean {close[0]!r}?" if close else "")
                raise refusal(self._text, (*self._path, name), why)

    def _typed(self, value: object, kinds: tuple[type[_T], ...], *path: str | int) -> _T:
        # A bool is an int for isinstance.
        for kind in kinds:
            if type(value) is kind:
                return value
        wanted = [_TYPES[kind] for kind in kinds]
        why = f"not {wanted[0]}" if len(wanted) == 1 else f"neither {' nor '.join(wanted)}"
        raise refusal(self._text, (*self._path, *path), why)
