"""The preconditions of RFC 9110, section 13, as Go's `http.ServeContent` checks them."""

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from lambda_matchbox.golang.http import dates

_TAG = r'(?:W/)?"[\x21\x23-\x7e\x80-\U0010ffff]*"'


class State(NamedTuple):
    """The validators of a content: its entity tag (empty if none), and when it changed, in seconds since 1970.

    Request headers have names in lower case.
    """

    etag: str
    modified: int | None

    def refusal(self, given: Mapping[str, str], *, reading: bool) -> int | None:
        """304 or 412 if a precondition fails, in the order of RFC 9110, section 13.2.2; else None."""
        if if_match := given.get("if-match"):
            if not any(tag in ("*", self.etag) and not tag.startswith("W/") for tag in _listed_tags(if_match)):
                return 412
        elif self._is_newer_than(given.get("if-unmodified-since", "")):
            return 412
        if if_none_match := given.get("if-none-match"):
            etag = self.etag.removeprefix("W/")
            if any(tag == "*" or tag.removeprefix("W/") == etag for tag in _listed_tags(if_none_match)):
                return 304 if reading else 412
        elif reading and self._is_newer_than(given.get("if-modified-since", "")) is False:
            return 304
        return None

    def changed_since(self, if_range: str) -> bool:
        """Whether If-Range names another state of the content, so that the whole of it is sent."""
        if not if_range:
            return False
        if tag := re.match(_TAG, if_range):
            return tag[0] != self.etag or tag[0].startswith("W/")
        return self.modified is None or dates.parse(if_range) != self.modified

    def _is_newer_than(self, text: str) -> bool | None:
        """Whether the content changed after the date in `text`; None if either time is unknown."""
        if not text or self.modified is None:
            return None
        moment = dates.parse(text)
        return None if moment is None else self.modified > moment


def _listed_tags(text: str) -> Iterator[str]:
    """The entity tags, or `*`, up to the first text that is neither."""
    pattern = re.compile(rf"[ \t\r\n,]*(\*|{_TAG})")
    end = 0
    while found := pattern.match(text, end):
        yield found[1]
        end = found.end()
