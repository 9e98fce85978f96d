"""The files, kernel arguments and variables in an iPXE script."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

_COMMANDS = ("kernel", "initrd")
_FLAGS = ("-a", "--autofree")  # the options of an image that have no value


class ScriptFile(NamedTuple):
    """A line of a script: its command, `kernel` or `initrd`, its address as written or empty, and its arguments."""

    command: str
    address: str
    args: tuple[str, ...] = ()


def script_files(script: str) -> list[ScriptFile]:
    """The files in the order of the script."""
    lines = (line.split() or [""] for line in script.splitlines())
    return [_file(command, words) for command, *words in lines if command in _COMMANDS]


def variables(script: str) -> dict[str, str]:
    """The variables that the script sets."""
    lines = (line.split(maxsplit=2) for line in script.splitlines())
    return {words[1]: words[2].strip() for words in lines if len(words) > 2 and words[0] == "set"}


def _file(command: str, words: Sequence[str]) -> ScriptFile:
    address, *args = [*_without_options(words), ""]
    return ScriptFile(command, address, tuple(args[:-1]))


def _without_options(words: Sequence[str]) -> Iterator[str]:
    rest = iter(words)
    for word in rest:
        if not word.startswith("-"):
            yield word
            yield from rest
        elif word not in _FLAGS and "=" not in word:
            next(rest, None)
