"""Letter cases, one character at a time as in Go, by xstrings 1.5 and goutils, which Sprig uses."""

import unicodedata
from collections.abc import Callable

from lambda_matchbox.golang.text import replaced_strays
from lambda_matchbox.gotemplate.limits import Limits
from lambda_matchbox.gotemplate.sprig.strings import SPACES

_CHARACTER_WORK = 10
# Of kebabcase and snakecase, which look at each character for the word that it belongs to.
_WORD_CHARACTER_WORK = 40
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
_IDEOGRAPHS = (("\u3400", "\u4d85"), ("\u4e00", "\u9fcc"), ("\U00020000", "\U0002b81d"))
# Go maps one character to one.
_LOWER = {"\u0130": "i"}


def _runes(limits: Limits, text: str) -> str:
    """The text with U+FFFD for each byte that is not UTF-8."""
    limits.take_work(_CHARACTER_WORK * len(text))
    return replaced_strays(text, _REPLACEMENT)


def _upper(character: str) -> str:
    upper = character.upper()
    return upper if len(upper) == 1 else _title(character)


def _title(character: str) -> str:
    title = character.title()
    return title if len(title) == 1 else character


def _lower(character: str) -> str:
    lower = _LOWER.get(character) or character.lower()
    return lower if len(lower) == 1 else character


def _is_upper(character: str) -> bool:
    return unicodedata.category(character) == "Lu"


def _is_lower(character: str) -> bool:
    return unicodedata.category(character) == "Ll"


def _is_connector(character: str) -> bool:
    return character in "-_" or character in SPACES


def _is_number(character: str) -> bool:
    return unicodedata.category(character)[0] == "N"


def _is_letter(character: str) -> bool:
    return unicodedata.category(character)[0] == "L"


def _is_punctuation(character: str) -> bool:
    return unicodedata.category(character)[0] == "P"


def _mapped(change: Callable[[str], str]) -> Callable[[Limits, str], str]:
    return lambda limits, text: "".join(map(change, _runes(limits, text)))


def _titled(limits: Limits, text: str) -> str:
    """The first letter of each word in title case; digits, letters, underscores and non-ASCII are parts of words."""
    made = []
    previous = " "
    for character in _runes(limits, text):
        made.append(_title(character) if _is_separator(previous) else character)
        previous = character
    return "".join(made)


def _is_separator(character: str) -> bool:
    if character.isascii():
        return not (character.isalnum() or character == "_")
    return not (_is_letter(character) or unicodedata.category(character) == "Nd") and character in SPACES


def _untitled(limits: Limits, text: str) -> str:
    made = []
    starts = True
    for character in _runes(limits, text):
        made.append(_lower(character) if starts and character not in SPACES else character)
        starts = character in SPACES
    return "".join(made)


def _swapped(limits: Limits, text: str) -> str:
    made = []
    starts = True
    for character in _runes(limits, text):
        if unicodedata.category(character) in ("Lu", "Lt"):
            made.append(_lower(character))
            starts = False
        elif _is_lower(character):
            made.append(_title(character) if starts else _upper(character))
            starts = False
        else:
            made.append(character)
            starts = character in SPACES
    return "".join(made)


def _pascal(limits: Limits, text: str) -> str:
    """Words joined, each capitalised; leading and repeated connectors stay."""
    runes = _runes(limits, text)
    start = next((index for index, one in enumerate(runes) if not _is_connector(one)), len(runes))
    if start == len(runes):
        # xstrings repeats the last connector.
        return runes + runes[-1:]
    made = list(runes[:start])
    run_of_capitals = _is_upper(runes[start])
    current = _upper(runes[start])
    for following in runes[start + 1 :]:
        previous, current = current, following
        if _is_connector(previous) and _is_connector(current):
            made.append(previous)
            continue
        if _is_connector(previous):
            run_of_capitals = _is_upper(current)
            current = _upper(current)
            continue
        if run_of_capitals:
            if _is_upper(current):
                current = _lower(current)
            else:
                run_of_capitals = False
        made.append(previous)
    return "".join([*made, current])


def _words(runes: str) -> list[tuple[str, str]]:
    """The words of a text with their kinds: number, upper, letters, connector, punctuation, other."""
    words = []
    start = 0
    while start < len(runes):
        kind, stop = _word(runes, start)
        words.append((kind, runes[start:stop]))
        start = stop
    return words


def _word(runes: str, start: int) -> tuple[str, int]:
    first = runes[start]
    if _is_connector(first):
        return "connector", _run(runes, start, _is_connector)
    if _is_punctuation(first):
        return "punctuation", _run(runes, start, _is_punctuation)
    if _is_upper(first):
        return "upper", _capitals(runes, start)
    if _is_alphabetic(first):
        return "letters", _run(runes, start, _is_small)
    if _is_number(first):
        return "number", _run(runes, start, _is_number)
    return "other", _run(runes, start, _is_other)


def _run(runes: str, start: int, belongs: Callable[[str], bool]) -> int:
    stop = start + 1
    while stop < len(runes) and belongs(runes[stop]):
        stop += 1
    return stop


def _capitals(runes: str, start: int) -> int:
    """The end of a run of capitals; of `HTTPStatus` the last capital begins the next word."""
    stop = start + 1
    if stop < len(runes) and _is_upper(runes[stop]):
        stop = _run(runes, start, _is_upper)
        return stop - 1 if stop < len(runes) and _is_alphabetic(runes[stop]) else stop
    return _run(runes, start, _is_small)


def _is_alphabetic(character: str) -> bool:
    """Whether xstrings treats it as a letter: ideographs are not letters there."""
    return _is_letter(character) and not any(first <= character <= last for first, last in _IDEOGRAPHS)


def _is_small(character: str) -> bool:
    return _is_alphabetic(character) and not _is_upper(character)


def _is_other(character: str) -> bool:
    return not (
        _is_connector(character) or _is_alphabetic(character) or _is_number(character) or _is_punctuation(character)
    )


class _Parting:
    """Words in lower case joined by a connector where a word ends."""

    def __init__(self, runes: str, connector: str) -> None:
        self._words = [*_words(runes), ("", "")]
        self._connector = connector
        self._pieces: list[str] = []
        self._next = 0

    def text(self) -> str:
        kind, word = self._take()
        while self._next < len(self._words) - 1:
            if kind != "connector":
                self._put(kind, word)
            before = kind, word
            kind, word = self._after(before, *self._take())
        self._put(kind, word)
        return "".join(self._pieces)

    def _take(self) -> tuple[str, str]:
        self._next += 1
        return self._words[self._next - 1]

    def _after(self, before: tuple[str, str], kind: str, word: str) -> tuple[str, str]:
        """Write the connector after the word `before` if one belongs there; returns the next word to write."""
        if before[0] == "number":
            kind, word = self._put_run(kind, word)
            if kind not in ("", "punctuation", "connector"):
                self._pieces.append(self._connector)
        elif before[0] == "connector":
            self._put(*before)
        elif before[0] != "punctuation":
            return self._after_letters(kind, word)
        return kind, word

    def _after_letters(self, kind: str, word: str) -> tuple[str, str]:
        if kind != "number":
            if kind not in ("connector", "punctuation"):
                self._pieces.append(self._connector)
            return kind, word
        if self._next >= len(self._words) - 1:
            return kind, word
        number = word
        kind, word = self._take()
        if kind != "letters":
            self._put("number", number)
            if kind not in ("connector", "punctuation"):
                self._pieces.append(self._connector)
            return kind, word
        self._pieces.append(self._connector)
        self._put("number", number)
        kind, word = self._put_run(kind, word)
        if kind not in ("", "connector", "punctuation"):
            self._pieces.append(self._connector)
        return kind, word

    def _put_run(self, kind: str, word: str) -> tuple[str, str]:
        while kind in ("letters", "number"):
            self._put(kind, word)
            kind, word = self._take() if self._next < len(self._words) else ("", "")
        return kind, word

    def _put(self, kind: str, word: str) -> None:
        if kind in ("upper", "connector"):
            word = "".join(self._connector if _is_connector(one) else _lower(one) for one in word)
        self._pieces.append(word)


def _parted(connector: str) -> Callable[[Limits, str], str]:
    def parted(limits: Limits, text: str) -> str:
        limits.take_work(_WORD_CHARACTER_WORK * len(text))
        return _Parting(_runes(limits, text), connector).text()

    return parted


PLAIN: dict[str, Callable[..., object]] = {}
BOUNDED: dict[str, Callable[..., object]] = {
    "camelcase": _pascal,
    "kebabcase": _parted("-"),
    "lower": _mapped(_lower),
    "snakecase": _parted("_"),
    "swapcase": _swapped,
    "title": _titled,
    "untitle": _untitled,
    "upper": _mapped(_upper),
}
