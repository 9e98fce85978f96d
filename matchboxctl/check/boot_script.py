"""Which files does an iPXE script fetch that boots a machine?"""

from typing import NamedTuple

_COMMANDS = ("kernel", "initrd")
_FLAGS = ("-a", "--autofree")  # the options of an image that take no value


class NamedFile(NamedTuple):
    """What the script does with the file, `kernel` or `initrd`, and its address as the script writes it."""

    command: str
    address: str


def files_of(script: str) -> list[NamedFile]:
    """The files in the order of the script; the address is empty where a line names none."""
    files = []
    for line in script.splitlines():
        command, *words = line.split() or [""]
        if command in _COMMANDS:
            files.append(NamedFile(command, _address(words)))
    return files


def _address(words: list[str]) -> str:
    rest = iter(words)
    for word in rest:
        if not word.startswith("-"):
            return word
        if word not in _FLAGS and "=" not in word:
            next(rest, None)
    return ""
