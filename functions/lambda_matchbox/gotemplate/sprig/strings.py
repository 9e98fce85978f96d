"""Strings, counted in bytes where Sprig counts bytes."""

from collections.abc import Callable

from lambda_matchbox.golang.chunks import joined
from lambda_matchbox.golang.quote import quoted_pieces
from lambda_matchbox.golang.text import bytes_of, text_of
from lambda_matchbox.golang.values import StringList, StringMap
from lambda_matchbox.gotemplate.errors import FunctionError
from lambda_matchbox.gotemplate.limits import Limits
from lambda_matchbox.gotemplate.sprig.values import text_of_any, texts_of_any

# unicode.IsSpace
SPACES = "\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))
_LATIN1_SPACES = frozenset(b"\t\n\v\f\r \x85\xa0")
_MIN_ABBREVIATION = 4
_MIN_ABBREVIATION_OF_BOTH = 7
# For each character that is looked at.
_CHARACTER_WORK = 3


def _abbreviated(left: int, width: int, text: str) -> str:
    raw = bytes_of(text)
    if width < _MIN_ABBREVIATION or (left > 0 and width < _MIN_ABBREVIATION_OF_BOTH) or len(raw) <= width:
        return text
    return text_of(_cut(raw, left, width))


def _cut(raw: bytes, left: int, width: int) -> bytes:
    if len(raw) <= width:
        return raw
    kept = width - 3
    left = min(left, len(raw))
    if len(raw) - left < kept:
        left = len(raw) - kept
    if left <= 4:
        return raw[:kept] + b"..."
    if left + kept < len(raw):
        # Sprig drops a middle part that is too narrow for its ellipsis.
        return b"..." + (_cut(raw[left:], 0, kept) if kept >= _MIN_ABBREVIATION else b"")
    return b"..." + raw[-kept:]


def _truncated(count: int, text: str) -> str:
    raw = bytes_of(text)
    if count < 0 < len(raw) + count:
        return text_of(raw[count:])
    return text_of(raw[:count]) if 0 <= count < len(raw) else text


def _part(start: int, stop: int, text: str) -> str:
    raw = bytes_of(text)
    if start < 0:
        first, last = 0, stop
    else:
        first, last = start, len(raw) if stop < 0 or stop > len(raw) else stop
    if not 0 <= first <= last <= len(raw):
        raise FunctionError("the indexes are out of range")
    return text_of(raw[first:last])


def _pieces(limits: Limits, separator: str, text: str, most: int = -1) -> list[str]:
    """Go's strings.SplitN: at most `most` pieces; an empty separator splits into characters."""
    if most == 0:
        return []
    limits.check_elements(text.count(separator) if separator else len(text))
    if separator:
        return text.split(separator, most - 1 if most > 0 else -1)
    limits.take_work(len(text))
    if 0 < most < len(text):
        return [*text[: most - 1], text[most - 1 :]]
    return list(text)


def _numbered(pieces: list[str]) -> StringMap:
    return StringMap({f"_{index}": piece for index, piece in enumerate(pieces)})


def _joined(limits: Limits, separator: str, value: object) -> str:
    texts = texts_of_any(limits, value)
    limits.check_text(sum(map(len, texts)) + len(separator) * max(len(texts) - 1, 0))
    return separator.join(texts)


def _repeated(limits: Limits, count: int, text: str) -> str:
    if count < 0:
        raise FunctionError("the count is negative")
    limits.check_text(count * len(text))
    return text * count


def _indented(limits: Limits, count: int, text: str) -> str:
    if count < 0:
        raise FunctionError("the count is negative")
    limits.check_text(len(text) + count * (text.count("\n") + 1))
    pad = " " * count
    return pad + text.replace("\n", "\n" + pad)


def _replaced(limits: Limits, old: str, new: str, text: str) -> str:
    # An empty `old` matches around each character.
    count = text.count(old)
    limits.check_text(len(text) + count * len(new))
    return text.replace(old, new)


def _quoted(limits: Limits, *values: object) -> str:
    made = []
    for value in values:
        if value is not None:
            text = text_of_any(limits, value)
            limits.take_work(_CHARACTER_WORK * len(text))
            made.append(joined(quoted_pieces(text), limits.check_text))
            limits.check_text(sum(map(len, made)))
    return " ".join(made)


def _single_quoted(limits: Limits, *values: object) -> str:
    return " ".join(f"'{text_of_any(limits, value)}'" for value in values if value is not None)


def _catenated(limits: Limits, *values: object) -> str:
    given = [value for value in values if value is not None]
    # Each text is within the limit, but not their sum.
    texts = []
    for value in given:
        texts.append(text_of_any(limits, value))
        limits.check_text(sum(map(len, texts)))
    return " ".join(texts)


def _initials(limits: Limits, text: str) -> str:
    raw = bytes_of(text)
    limits.take_work(_CHARACTER_WORK * len(raw))
    # Each byte becomes a character.
    return "".join(
        chr(byte)
        for index, byte in enumerate(raw)
        if byte not in _LATIN1_SPACES and (index == 0 or raw[index - 1] in _LATIN1_SPACES)
    )


def _without_spaces(limits: Limits, text: str) -> str:
    raw = bytes_of(text)
    limits.take_work(_CHARACTER_WORK * len(raw))
    kept = [byte for byte in raw if byte not in _LATIN1_SPACES]
    return text if len(kept) == len(raw) else "".join(map(chr, kept))


def _wrapped(limits: Limits, width: int, end: str, text: str, *, long_words: bool) -> str:
    """Lines of at most `width` bytes, broken at blanks by `end`; longer words are broken if `long_words`."""
    raw, parting = bytes_of(text), bytes_of(end) or b"\n"
    width = max(width, 1)
    limits.take_work(_CHARACTER_WORK * len(raw))
    limits.check_text(len(raw) + len(raw) // width * len(parting))
    limits.check_elements(len(raw) // width)
    lines = []
    offset = 0
    while len(raw) - offset > width:
        if raw[offset] == ord(" "):
            offset += 1
            continue
        blank = raw.rfind(b" ", offset, offset + width + 1)
        if blank < 0 and long_words:
            lines.append(raw[offset : offset + width])
            offset += width
            continue
        if blank < 0:
            blank = raw.find(b" ", offset + width)
        if blank < 0:
            lines.append(raw[offset:])
            return text_of(parting.join(lines))
        lines.append(raw[offset:blank])
        offset = blank + 1
    return text_of(parting.join([*lines, raw[offset:]]))


PLAIN: dict[str, Callable[..., object]] = {
    "abbrev": lambda width, text: _abbreviated(0, width, text),
    "abbrevboth": _abbreviated,
    "contains": lambda part, text: part in text,
    "hasPrefix": lambda part, text: text.startswith(part),
    "hasSuffix": lambda part, text: text.endswith(part),
    "hello": lambda: "Hello!",
    "plural": lambda one, many, count: one if count == 1 else many,
    "substr": _part,
    "trim": lambda text: text.strip(SPACES),
    "trimAll": lambda characters, text: text.strip(characters) if characters else text,
    "trimPrefix": lambda part, text: text.removeprefix(part),
    "trimSuffix": lambda part, text: text.removesuffix(part),
    "trimall": lambda characters, text: text.strip(characters) if characters else text,
    "trunc": _truncated,
}
BOUNDED: dict[str, Callable[..., object]] = {
    "cat": _catenated,
    "indent": _indented,
    "initials": _initials,
    "join": _joined,
    "nindent": lambda limits, count, text: "\n" + _indented(limits, count, text),
    "nospace": _without_spaces,
    "quote": _quoted,
    "repeat": _repeated,
    "replace": _replaced,
    "split": lambda limits, separator, text: _numbered(_pieces(limits, separator, text)),
    "splitList": lambda limits, separator, text: StringList(_pieces(limits, separator, text)),
    "splitn": lambda limits, separator, most, text: _numbered(_pieces(limits, separator, text, most)),
    "squote": _single_quoted,
    "toString": text_of_any,
    "toStrings": lambda limits, value: StringList(texts_of_any(limits, value)),
    "wrap": lambda limits, width, text: _wrapped(limits, width, "", text, long_words=False),
    "wrapWith": lambda limits, width, end, text: _wrapped(limits, width, end, text, long_words=True),
}
