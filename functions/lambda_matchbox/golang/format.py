"""One value written for one verb, as Go's package fmt does.

The values are those of `golang.values`; everything else is nil. Oddities such as `%!d(string=text)` are Go's.
"""

from typing import NamedTuple

from lambda_matchbox.golang.chunks import joined
from lambda_matchbox.golang.float import format_float
from lambda_matchbox.golang.quote import can_be_raw, is_printable, quoted, quoted_pieces
from lambda_matchbox.golang.text import bytes_of
from lambda_matchbox.golang.values import GoObject, is_nil_list, type_name

_MAX_RUNE = 0x10FFFF
_REPLACEMENT = 0xFFFD
_WORD = 1 << 64
_INTEGER_VERBS = {"v": "d", "d": "d", "b": "b", "o": "o", "O": "o", "x": "x", "X": "X"}
_BASE_MARKS = {"b": "0b", "x": "0x", "X": "0X"}
_FLOAT_VERBS = {"v": "g", "F": "f", "b": "b", "e": "e", "E": "E", "f": "f", "g": "g", "G": "G", "x": "x", "X": "X"}
_SIX_DIGITS = frozenset("eEfF")


class OutputTooLongError(ValueError):
    """The text is longer than its limit."""


class Flags(NamedTuple):
    """The flags of a verb; `syntax` is the `#` of `%#v`."""

    plus: bool = False
    minus: bool = False
    sharp: bool = False
    space: bool = False
    zero: bool = False
    width: int = 0
    precision: int | None = None
    syntax: bool = False


class Printer:
    """A text under construction, of at most `room` characters."""

    def __init__(self, room: int) -> None:
        self._pieces: list[str] = []
        self._room = room

    def write(self, piece: str) -> None:
        """Append `piece` unchanged.

        Raises:
            OutputTooLongError: the text would be longer than its limit.
        """
        self._room -= len(piece)
        if self._room < 0:
            raise OutputTooLongError
        self._pieces.append(piece)

    def _check(self, length: int) -> None:
        if length > self._room:
            raise OutputTooLongError

    def text(self) -> str:
        """The text written so far."""
        return "".join(self._pieces)

    def value(self, value: object, verb: str, flags: Flags) -> None:
        """Write an argument of a call.

        Raises:
            OutputTooLongError: the text would be longer than its limit.
        """
        if verb == "T":
            name = type_name(value)
            self._padded(name if name == "<nil>" else name[: flags.precision], flags)
        elif verb in "pw":
            self._bad_verb(value, verb, flags)
        elif type_name(value) == "<nil>":
            if verb == "v":
                self._padded("<nil>", flags)
            else:
                self._bad_verb(None, verb, flags)
        else:
            self._element(value, verb, flags)

    def _element(self, value: object, verb: str, flags: Flags) -> None:
        if isinstance(value, bool):
            if verb in "tv":
                self._padded("true" if value else "false", flags._replace(precision=None))
            else:
                self._bad_verb(value, verb, flags)
        elif isinstance(value, int):
            self._integer(value, verb, flags)
        elif isinstance(value, float):
            self._float(value, verb, flags)
        elif isinstance(value, str):
            self._string(value, verb, flags)
        elif isinstance(value, GoObject):
            self._string(value.text(), verb, flags)
        elif isinstance(value, list):
            self._list(value, verb, flags)
        elif isinstance(value, dict):
            self._map(value, verb, flags)
        else:
            self.write("interface {}(nil)" if flags.syntax else "<nil>")

    def _list(self, values: list[object], verb: str, flags: Flags) -> None:
        if flags.syntax and is_nil_list(values):
            self.write(f"{type_name(values)}(nil)")
            return
        self.write(type_name(values) + "{" if flags.syntax else "[")
        for index, value in enumerate(values):
            if index:
                self.write(", " if flags.syntax else " ")
            self._element(value, verb, flags)
        self.write("}" if flags.syntax else "]")

    def _map(self, values: dict[str, object], verb: str, flags: Flags) -> None:
        self.write(type_name(values) + "{" if flags.syntax else "map[")
        for index, key in enumerate(sorted(values, key=bytes_of)):
            if index:
                self.write(", " if flags.syntax else " ")
            self._element(key, verb, flags)
            self.write(":")
            self._element(values[key], verb, flags)
        self.write("}" if flags.syntax else "]")

    def _bad_verb(self, value: object, verb: str, flags: Flags) -> None:
        name = type_name(value)
        self.write(f"%!{verb}({name}")
        if name != "<nil>":
            self.write("=")
            self._element(value, "v", flags)
        self.write(")")

    def _padded(self, text: str, flags: Flags) -> None:
        if len(text) >= flags.width:
            self.write(text)
        elif flags.minus:
            self.write(text.ljust(flags.width))
        else:
            self.write(text.rjust(flags.width, "0" if flags.zero else " "))

    def _string(self, value: str, verb: str, flags: Flags) -> None:
        if verb == "q" or (verb == "v" and flags.syntax):
            text = value[: flags.precision]
            raw = flags.sharp and can_be_raw(text)
            pieces = ("`", text, "`") if raw else quoted_pieces(text, ascii_only=flags.plus)
            self._padded(joined(pieces, self._check), flags)
        elif verb in "sv":
            self._padded(value[: flags.precision], flags)
        elif verb in "xX":
            raw_bytes = bytes_of(value)[: flags.precision]
            self._check(2 * len(raw_bytes))
            self._padded(_hexadecimal(raw_bytes, verb, flags), flags)
        else:
            self._bad_verb(value, verb, flags)

    def _integer(self, value: int, verb: str, flags: Flags) -> None:
        rune = chr(value if 0 <= value <= _MAX_RUNE and not 0xD800 <= value <= 0xDFFF else _REPLACEMENT)
        if verb == "c":
            self._padded(rune, flags)
        elif verb == "q":
            self._padded(quoted(rune, "'", ascii_only=flags.plus), flags)
        elif verb == "U":
            mark = f" '{rune}'" if flags.sharp and is_printable(rune) else ""
            digits = format(value % _WORD, "X").rjust(max(flags.precision or 0, 4), "0")
            self._padded(f"U+{digits}{mark}", flags._replace(zero=False))
        elif verb in _INTEGER_VERBS:
            self._digits(value, verb, flags)
        else:
            self._bad_verb(value, verb, flags)

    def _digits(self, value: int, verb: str, flags: Flags) -> None:
        sign = "-" if value < 0 else "+" if flags.plus else " " if flags.space else ""
        least = flags.precision
        if least is None:
            least = flags.width - len(sign) if flags.zero and not flags.minus else 1
        elif least == 0 and value == 0:
            self.write(" " * flags.width)
            return
        digits = format(abs(value), _INTEGER_VERBS[verb]).rjust(least, "0")
        mark = "0o" if verb == "O" else _BASE_MARKS.get(verb, "") if flags.sharp else ""
        if flags.sharp and verb in "oO" and not digits.startswith("0"):
            mark += "0"
        self._padded(sign + mark + digits, flags._replace(zero=False))

    def _float(self, value: float, verb: str, flags: Flags) -> None:
        if verb not in _FLOAT_VERBS:
            self._bad_verb(value, verb, flags)
            return
        precision = 6 if flags.precision is None and verb in _SIX_DIGITS else flags.precision
        text = format_float(value, _FLOAT_VERBS[verb], precision)
        sign, digits = (text[0], text[1:]) if text[0] in "+-" else ("+", text)
        if sign == "+" and not flags.plus and text != "+Inf":
            sign = " " if flags.space else ""
        if flags.zero and not flags.minus and sign.strip() and digits[0].isdigit():
            self.write(sign + digits.rjust(flags.width - 1, "0"))
        else:
            self._padded(sign + digits, flags._replace(zero=flags.zero and digits[0].isdigit()))


def _hexadecimal(raw: bytes, verb: str, flags: Flags) -> str:
    mark = "0" + verb if flags.sharp and raw else ""
    text = raw.hex(" ") if flags.space and raw else raw.hex()
    if verb == "X":
        text = text.upper()
    return mark + (text.replace(" ", " " + mark) if flags.space else text)
