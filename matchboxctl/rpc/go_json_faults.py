"""What does Go's encoding/json say of a text that is not JSON?

The words are those of its scanner (`encoding/json`, scanner.go): the first byte that cannot go on, and where it stands.
"""

import re

from lambda_matchbox.golang.quote import quoted

DEEPEST = 200
"""How many lists and objects may be open at once: 10,000 for Go; a function that reads them has less room."""

_SPACE = b" \t\r\n"
_END = "unexpected end of JSON input"
_LITERALS = {ord("t"): b"true", ord("f"): b"false", ord("n"): b"null"}
_ESCAPED = b'"\\/bfnrtu'
_PLAIN = re.compile(rb'[^"\\\x00-\x1f]*')
_HEXADECIMAL = b"0123456789abcdefABCDEF"
_DIGITS = b"0123456789"


class _FaultError(Exception):
    """What is wrong, in Go's words."""


def json_fault(raw: bytes) -> str | None:
    """What Go says of the text; None where it is JSON."""
    try:
        _Scanner(raw).scan()
    except _FaultError as fault:
        return str(fault)
    return None


class _Scanner:
    """Reads one text, without making anything of it."""

    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        self._at = 0

    def scan(self) -> None:
        """Raises _FaultError."""
        open_: list[int] = []
        while True:
            if self._begin_value(open_):
                continue
            if not self._end_value(open_):
                break
        if self._next() is not None:
            raise self._unexpected("after top-level value")

    def _begin_value(self, open_: list[int]) -> bool:
        """Read a value's begin; whether another value begins in it."""
        byte = self._next()
        if byte is None:
            raise _FaultError(_END)
        if byte in b"{[":
            if len(open_) == DEEPEST:
                raise self._unexpected("exceeded max depth")
            open_.append(byte)
            self._at += 1
            if self._next() == (ord("}") if byte == ord("{") else ord("]")):
                return False
            if byte == ord("{"):
                self._key()
            return True
        if byte == ord('"'):
            self._string()
        elif byte in b"-0123456789":
            self._number()
        elif byte in _LITERALS:
            self._literal(_LITERALS[byte])
        else:
            raise self._unexpected("looking for beginning of value")
        return False

    def _end_value(self, open_: list[int]) -> bool:
        """Read what follows a value; whether another value does, and not the end of all."""
        while open_:
            in_object = open_[-1] == ord("{")
            byte = self._next()
            if byte is None:
                raise _FaultError(_END)
            if byte == ord(","):
                self._at += 1
                if in_object:
                    self._key()
                return True
            if byte != (ord("}") if in_object else ord("]")):
                raise self._unexpected("after object key:value pair" if in_object else "after array element")
            self._at += 1
            open_.pop()
        return False

    def _key(self) -> None:
        byte = self._next()
        if byte is not None and byte != ord('"'):
            raise self._unexpected("looking for beginning of object key string")
        self._string()
        self._expect(self._next(), b":", "after object key")

    def _string(self) -> None:
        self._expect(self._byte(), b'"', "looking for beginning of value")
        while True:
            plain = _PLAIN.match(self._raw, self._at)
            self._at = plain.end() if plain else self._at
            byte = self._byte()
            self._expect(byte, b'"\\', "in string literal")
            if byte == ord('"'):
                return
            escaped = self._byte()
            self._expect(escaped, _ESCAPED, "in string escape code")
            for _ in range(4 if escaped == ord("u") else 0):
                self._expect(self._byte(), _HEXADECIMAL, r"in \u hexadecimal character escape")

    def _number(self) -> None:
        if self._byte() == ord("-"):
            self._at += 1
        first = self._byte()
        self._expect(first, _DIGITS, "in numeric literal")
        if first != ord("0"):
            self._digits()
        if self._byte() == ord("."):
            self._at += 1
            self._expect(self._byte(), _DIGITS, "after decimal point in numeric literal")
            self._digits()
        if self._byte() in (ord("e"), ord("E")):
            self._at += 1
            if self._byte() in (ord("+"), ord("-")):
                self._at += 1
            self._expect(self._byte(), _DIGITS, "in exponent of numeric literal")
            self._digits()

    def _digits(self) -> None:
        while (byte := self._byte()) is not None and byte in _DIGITS:
            self._at += 1

    def _literal(self, word: bytes) -> None:
        for letter in word:
            self._expect(self._byte(), bytes([letter]), f"in literal {word.decode()} (expecting '{chr(letter)}')")

    def _byte(self) -> int | None:
        return self._raw[self._at] if self._at < len(self._raw) else None

    def _next(self) -> int | None:
        """The next byte that is no white space, which is passed over."""
        while (byte := self._byte()) is not None and byte in _SPACE:
            self._at += 1
        return self._byte()

    def _expect(self, byte: int | None, wanted: bytes, where: str) -> None:
        """Take the byte, which has to be one of those. Raises _FaultError."""
        if byte is None:
            raise _FaultError(_END)
        if byte not in wanted:
            raise self._unexpected(where)
        self._at += 1

    def _unexpected(self, where: str) -> _FaultError:
        letter = chr(self._raw[self._at])
        # A double quote needs no escape between single ones; a single one does.
        shown = "'\"'" if letter == '"' else quoted(letter, "'")
        return _FaultError(f"invalid character {shown} {where}")
