"""Control characters, of which some end a line in a boot script, in YAML or in /metadata."""

import re

CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
"""Unicode's category Cc, and its line and paragraph separators."""


def has_control(text: str) -> bool:
    """Whether there is one in the text."""
    # Python's printable characters are none of them, and most texts have no others.
    return not text.isprintable() and CONTROL.search(text) is not None
