"""Go's `fmt.Sprint`, `Sprintln` and `Sprintf` for the values of `golang.values`.

Each takes the maximum length of the text in characters, `room`, and raises `OutputTooLongError` beyond it.
"""

from collections.abc import Sequence

from lambda_matchbox.golang.format import Flags, Printer
from lambda_matchbox.golang.values import type_name

_MAX_WIDTH = 1_000_000
_MAX_DIGITS = 9
_FLAGS = {"+": "plus", "-": "minus", "#": "sharp", " ": "space", "0": "zero"}
_PLAIN = Flags()


def sprint(values: Sequence[object], room: int) -> str:
    """The values joined, with a blank between two neighbours neither of which is a string."""
    printer = Printer(room)
    previous: object = ""
    for value in values:
        if not isinstance(value, str) and not isinstance(previous, str):
            printer.write(" ")
        printer.value(value, "v", _PLAIN)
        previous = value
    return printer.text()


def sprintln(values: Sequence[object], room: int) -> str:
    """The values joined by blanks, and a newline."""
    printer = Printer(room)
    for index, value in enumerate(values):
        if index:
            printer.write(" ")
        printer.value(value, "v", _PLAIN)
    printer.write("\n")
    return printer.text()


def sprintf(form: str, values: Sequence[object], room: int) -> str:
    """`form` with its verbs replaced by the values; mismatches show in the text, as in Go."""
    return _Format(form, values, room).text()


class _Format:
    """One pass over a format; `_argument` is the index of the next value."""

    def __init__(self, form: str, values: Sequence[object], room: int) -> None:
        self._form = form
        self._values = values
        self._printer = Printer(room)
        self._position = 0
        self._argument = 0
        self._reordered = False
        self._good_index = True
        self._after_index = False

    def text(self) -> str:
        while self._position < len(self._form):
            percent = self._form.find("%", self._position)
            if percent < 0:
                self._printer.write(self._form[self._position :])
                break
            self._printer.write(self._form[self._position : percent])
            self._position = percent + 1
            self._directive()
        if not self._reordered and self._argument < len(self._values):
            self._extra()
        return self._printer.text()

    def _extra(self) -> None:
        self._printer.write("%!(EXTRA ")
        for index, value in enumerate(self._values[self._argument :]):
            if index:
                self._printer.write(", ")
            name = type_name(value)
            self._printer.write(name)
            if name != "<nil>":
                self._printer.write("=")
                self._printer.value(value, "v", _PLAIN)
        self._printer.write(")")

    def _directive(self) -> None:
        self._good_index = True
        self._after_index = False
        flags = self._flags()
        self._index()
        flags = self._width(flags)
        flags = self._precision(flags)
        if not self._after_index:
            self._index()
        if self._position >= len(self._form):
            self._printer.write("%!(NOVERB)")
            return
        verb = self._form[self._position]
        self._position += 1
        if verb == "%":
            self._printer.write("%")
        elif not self._good_index:
            self._printer.write(f"%!{verb}(BADINDEX)")
        elif self._argument >= len(self._values):
            self._printer.write(f"%!{verb}(MISSING)")
        else:
            if verb == "v":
                flags = flags._replace(sharp=False, syntax=flags.sharp, plus=False)
            self._argument += 1
            self._printer.value(self._values[self._argument - 1], verb, flags)

    def _peek(self) -> str:
        return self._form[self._position : self._position + 1]

    def _flags(self) -> Flags:
        flags = Flags()
        while name := _FLAGS.get(self._peek()):
            flags = flags._replace(**{name: True})
            self._position += 1
        return flags

    def _width(self, flags: Flags) -> Flags:
        if self._peek() != "*":
            width = self._number()
            if width is not None and self._after_index:
                self._good_index = False
            return flags._replace(width=width or 0)
        self._position += 1
        given = self._star()
        if given is None:
            self._printer.write("%!(BADWIDTH)")
            return flags
        if given < 0:
            return flags._replace(width=-given, minus=True, zero=False)
        return flags._replace(width=given)

    def _precision(self, flags: Flags) -> Flags:
        if self._peek() != ".":
            return flags
        self._position += 1
        if self._after_index:
            self._good_index = False
        self._index()
        if self._peek() != "*":
            return flags._replace(precision=self._number() or 0)
        self._position += 1
        given = self._star()
        if given is None:
            self._printer.write("%!(BADPREC)")
            return flags
        return flags._replace(precision=given if given >= 0 else None)

    def _star(self) -> int | None:
        """The value of a `*`; None if it is not an integer in range."""
        self._after_index = False
        if self._argument >= len(self._values):
            return None
        value = self._values[self._argument]
        self._argument += 1
        if isinstance(value, bool) or not isinstance(value, int) or abs(value) > _MAX_WIDTH:
            return None
        return value

    def _number(self) -> int | None:
        """The next decimal number; one that is too large swallows the rest of the format, as in Go."""
        start = self._position
        while "0" <= self._peek() <= "9":
            self._position += 1
        digits = self._form[start : self._position]
        if len(digits) > _MAX_DIGITS or int(digits[:-1] or "0") > _MAX_WIDTH:
            self._position = len(self._form)
            return None
        return int(digits) if digits else None

    def _index(self) -> None:
        """Read an explicit `[n]`, which counts from 1."""
        self._after_index = False
        if self._peek() != "[":
            return
        self._reordered = True
        closing = self._form.find("]", self._position)
        if closing < 0:
            self._good_index = False
            self._position += 1
            return
        digits = self._form[self._position + 1 : closing]
        self._position = closing + 1
        self._after_index = digits.isascii() and digits.isdigit()
        if self._after_index and len(digits) < _MAX_DIGITS and 1 <= int(digits) <= len(self._values):
            self._argument = int(digits) - 1
        else:
            self._good_index = False
