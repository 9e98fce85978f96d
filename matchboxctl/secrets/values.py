"""The value of a secret that is set: from a file, from standard input, or typed without being shown."""

import getpass
import sys
from pathlib import Path
from typing import BinaryIO

from matchboxctl.cli.errors import FailedError, UsageError

STANDARD_INPUT = "-"

_MAX_SIZE = 1 << 20
_AS_BASE64 = 'store its base64, and use {{secret "NAME" | b64dec}} in templates'


def read_value(file: str | None, name: str) -> str:
    """The value, without one final newline of a file or of standard input; typed twice where no file is named.

    Raises UsageError, and FailedError for what cannot be a value.
    """
    if file is None:
        return _typed(name)
    if file == STANDARD_INPUT:
        if sys.stdin is None:
            raise UsageError("standard input is closed")
        if sys.stdin.isatty():
            raise UsageError("a terminal shows what is typed into standard input: leave -f - out to type the value")
        content = _read(sys.stdin.buffer)
    else:
        try:
            with Path(file).open("rb") as opened:
                content = _read(opened)
        except OSError as error:
            raise UsageError(f"{file}: cannot be read: {error.strerror}") from error
    return _checked(content.removesuffix(b"\n").removesuffix(b"\r"))


def _read(file: BinaryIO) -> bytes:
    content = file.read(_MAX_SIZE + 1)
    if len(content) > _MAX_SIZE:
        raise FailedError(f"the value has more than {_MAX_SIZE:,} bytes: no response could hold it")
    return content


def _typed(name: str) -> str:
    if sys.stdin is None or not sys.stdin.isatty():
        raise UsageError("standard input is not a terminal to type the value on: use -f FILE, or -f - to read it there")
    value = getpass.getpass(f"Value of secret {name}: ")
    if value != getpass.getpass("The same value again: "):
        raise FailedError("the two values differ: nothing was set")
    return _checked(value.encode(errors="surrogateescape"))


def _checked(content: bytes) -> str:
    if not content:
        raise FailedError("the value is empty: nothing was set")
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise FailedError(f"the value is not UTF-8: {_AS_BASE64}") from None
