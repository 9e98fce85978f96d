"""Results of commands as tables, JSON and YAML, with all digits of their numbers."""

import json
import re
import shutil
import sys
from collections.abc import Callable, Mapping

from matchboxctl.cli.errors import FailedError

UNSEEN = re.compile("[\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")
"""Controls beyond ASCII and marks of direction, which JSON and YAML allow and terminals obey."""


def as_json(value: object) -> str:
    """The value as JSON, with a line for each member."""
    return json_for_terminal(json.dumps(value, ensure_ascii=False, indent=2)) + "\n"


def json_for_terminal(text: str) -> str:
    """The same JSON, with escapes for what a terminal obeys."""
    return UNSEEN.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def as_yaml(value: object) -> str:
    """The value as YAML that means the same in every version."""
    from matchboxctl.cli.yaml_dumper import dump

    return dump(value)


FORMATS: Mapping[str, Callable[[object], str]] = {"json": as_json, "yaml": as_yaml}
"""The formats for programs."""


def print_result(output: str, value: Callable[[], object], table: Callable[[], str]) -> None:
    """Print what a command found: its value in a format for programs, or its table."""
    print_text(FORMATS[output](value()) if output in FORMATS else table())


def terminal_width() -> int | None:
    """The columns of the terminal that standard output is; None if it is none."""
    return shutil.get_terminal_size().columns if sys.stdout is not None and sys.stdout.isatty() else None


def print_text(text: str) -> None:
    """Print the text as it is."""
    # Strings in a table's items may hold lone surrogates.
    print_bytes(text.encode(errors="backslashreplace"))


def print_bytes(content: bytes) -> None:
    """Print the bytes as they are."""
    # A process may be started without standard output.
    if sys.stdout is None:
        raise FailedError("standard output is closed")
    sys.stdout.flush()
    sys.stdout.buffer.write(content)
    sys.stdout.buffer.flush()
