"""The syntax of systemd units, as Ignition's library parses it."""

import re

_SECTION = re.compile(r"\[([^\]]*+)\]([^\n]*+)")
_COMMENT = re.compile(r"[#;](?:[^\n]*\\ ?\n)*+[^\n]*+")
_OPTION = re.compile(r"[^=\r\n]*+=(?:[^\n]*\\\n)*+[^\n]*+")
_MAX_LINE = 2048
# The library finds a long line only where its parser starts to read one, and where its buffer of 4,096 bytes holds all
# of it. Behind the first buffer that depends on where the line falls: longer units are left to Ignition.
_BUFFER = 4096
_CONTINUED = re.compile(r"(?<=\\\n)")
_LONG_LINE = re.compile(rb"[^\r\n]{%d}" % _MAX_LINE)
_NO_SPACES_IN_GO = frozenset("\x1c\x1d\x1e\x1f")


class UnitError(ValueError):
    """The reason why a unit does not parse, without its text."""


def sections_of(contents: str) -> set[str]:
    """The names of the sections of a unit that have an option.

    Raises:
        UnitError: Ignition refuses the unit.
    """
    found: set[str] = set()
    section: str | None = None
    position = 0
    while position < len(contents):
        character = contents[position]
        _check_line(contents, position)
        if character == "[":
            _check_line(contents, position + 1)
            match = _SECTION.match(contents, position)
            if not match:
                raise UnitError("unable to find end of section")
            _check_line(contents, match.end(1) + 1)
            if not all(map(_is_space, match[2])):
                raise UnitError("found garbage after section name")
            section = match[1]
        elif character in "#;":
            _check_line(contents, position + 1)
            match = _COMMENT.match(contents, position)
        elif section is None or _is_space(character):
            position += 1
            continue
        else:
            match = _OPTION.match(contents, position)
            if not match:
                raise UnitError("unexpected newline encountered while parsing option name")
            for line in _CONTINUED.finditer(contents, position, match.end()):
                _check_line(contents, line.start())
            found.add(section)
        position = match.end() if match else len(contents)
    return found


def _check_line(contents: str, start: int) -> None:
    """Raise UnitError if the parser finds the line too long that it starts to read there."""
    # Fewer than 512 characters have fewer than 2,048 bytes of UTF-8: few lines need to be measured.
    if 0 < start < _BUFFER and contents.find("\n", start, start + _MAX_LINE // 4) < 0:
        before, buffered = (part.encode("utf-8", "replace") for part in (contents[:start], contents[:_BUFFER]))
        if _LONG_LINE.match(buffered, len(before), _BUFFER):
            raise UnitError(f"line too long (max {_MAX_LINE} bytes)")


def _is_space(character: str) -> bool:
    return character.isspace() and character not in _NO_SPACES_IN_GO
