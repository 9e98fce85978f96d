"""Does the text of a systemd unit parse, as the library that Ignition uses reads it?"""

_BUFFER = 4096
_LONGEST_LINE = 2048
_LINE_BREAKS = frozenset(b"\r\n")
_COMMENT_MARKS = frozenset("#;")
_NO_SPACES_IN_GO = frozenset("\x1c\x1d\x1e\x1f")


class UnitError(ValueError):
    """Why a unit does not parse, without its text."""


def check_unit(contents: str) -> None:
    """Read a unit with these contents.

    Raises:
        UnitError: Ignition refuses it.
    """
    sections_of(contents)


def sections_of(contents: str) -> set[str]:
    """The names of the sections of a unit that have an option.

    Raises:
        UnitError: Ignition refuses it.
    """
    return _Reader(contents.encode("utf-8", "replace")).read()


class _Reader:
    """One pass over a unit.

    Before each step a line is too long if 2,048 bytes without a line break lie ahead in a buffer of 4,096 bytes,
    which is filled only when it is used up. So it depends on its place which line is too long; that is copied.
    """

    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        self._position = 0
        self._filled = 0

    def read(self) -> set[str]:
        section = None
        found = set()
        while character := self._character():
            if character == "[":
                section = self._section()
            elif character in _COMMENT_MARKS:
                self._comment()
            elif section is not None and not _is_space(character):
                self._position -= len(character.encode())
                self._option()
                found.add(section)
        return found

    def _section(self) -> str:
        self._step()
        name = self._through(b"]")
        if not name.endswith(b"]"):
            raise UnitError("unable to find end of section")
        self._step()
        if not _is_blank(self._line()):
            raise UnitError("found garbage after section name")
        return name[:-1].decode("utf-8", "replace")

    def _comment(self) -> None:
        self._step()
        while self._line().removesuffix(b" ").endswith(b"\\"):
            pass

    def _option(self) -> None:
        self._step()
        while (character := self._character(checked=False)) != "=":
            if not character or character in "\r\n":
                raise UnitError("unexpected newline encountered while parsing option name")
        self._step()
        while not _is_blank(line := self._line()) and line.endswith(b"\\"):
            self._step()

    def _step(self) -> None:
        end = self._position + _LONGEST_LINE
        if end <= self._filled and _LINE_BREAKS.isdisjoint(self._raw[self._position : end]):
            raise UnitError(f"line too long (max {_LONGEST_LINE} bytes)")

    def _character(self, *, checked: bool = True) -> str:
        """The next character, empty at the end."""
        if checked:
            self._step()
        start = self._position
        length = _LENGTHS[self._raw[start] >> 4] if start < len(self._raw) else 0
        if start + length > self._filled:
            self._fill()
        self._position += length
        return self._raw[start : self._position].decode()

    def _line(self) -> bytes:
        return self._through(b"\n").removesuffix(b"\r").removesuffix(b"\n")

    def _through(self, end: bytes) -> bytes:
        """The bytes up to `end`, or all that are left."""
        start = self._position
        while True:
            found = self._raw.find(end, self._position, self._filled)
            if found >= 0:
                self._position = found + 1
                return self._raw[start : self._position]
            if self._filled - self._position >= _BUFFER or self._filled == len(self._raw):
                self._position = self._filled
                if self._filled == len(self._raw):
                    return self._raw[start:]
            self._fill()

    def _fill(self) -> None:
        self._filled = min(len(self._raw), self._position + _BUFFER)


# The bytes of a character in UTF-8, by the upper half of the first of them.
_LENGTHS = (1,) * 12 + (2, 2, 3, 4)


def _is_space(character: str) -> bool:
    return character.isspace() and character not in _NO_SPACES_IN_GO


def _is_blank(line: bytes) -> bool:
    return all(map(_is_space, line.decode()))
