"""Messages in lines as wide as the terminal."""

import os
from typing import TextIO


def wrapped(text: str, stream: TextIO) -> str:
    """The text for the stream; on a terminal, lines end between words, so that paths and commands can be copied."""
    try:
        # Terminals of no known width have 0.
        width = os.get_terminal_size(stream.fileno()).columns
    except (OSError, ValueError):
        width = 0
    if not width or len(text) <= width:
        return text
    # Imported here: most messages are short.
    from textwrap import fill

    words = text.lstrip()
    indent = text[: -len(words)]
    return fill(
        words,
        width,
        initial_indent=indent,
        subsequent_indent=indent + "  ",
        break_long_words=False,
        break_on_hyphens=False,
    )
