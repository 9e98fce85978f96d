"""Standard output, whose errors end a command."""

import errno
import os
import sys
from io import BufferedWriter, FileIO, TextIOWrapper
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


class OutputError(Exception):
    """Standard output cannot be written; not an OSError, which would be taken for that of a file."""

    def __init__(self, error: OSError) -> None:
        super().__init__(f"standard output cannot be written: {error.strerror}")
        self.is_closed = error.errno == errno.EPIPE
        """Whether its reader, such as `| head`, has ended."""


class _Descriptor(FileIO):
    def write(self, data: "ReadableBuffer", /) -> int:
        try:
            return super().write(data)
        except OSError as error:
            raise OutputError(error) from error


def open_output() -> None:
    """Let standard output raise OutputError, and escape what its encoding lacks: names of files may not be UTF-8."""
    output = sys.stdout
    if isinstance(output, TextIOWrapper):
        output.reconfigure(errors="backslashreplace")
    if isinstance(output, TextIOWrapper) and output is sys.__stdout__:
        sys.stdout = TextIOWrapper(
            BufferedWriter(_Descriptor(output.fileno(), "wb", closefd=False)),
            encoding=output.encoding,
            errors="backslashreplace",
            line_buffering=output.line_buffering or output.write_through,
        )


def flush_output() -> None:
    """Write what is buffered. Raises OutputError."""
    if sys.stdout is not None:
        sys.stdout.flush()


def discard_output() -> None:
    """Let the interpreter's flush at exit succeed."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
