"""What does a directory below `/assets/` hold?

The page is the one of Go's `http.FileServer`, byte for byte.
"""

from collections.abc import Iterable

from lambda_matchbox.golang.http.paths import escape_html, escape_path, to_bytes

CONTENT_TYPE = "text/html; charset=utf-8"

_HEAD = b'<!doctype html>\n<meta name="viewport" content="width=device-width">\n<pre>\n'
_FOOT = b"</pre>\n"


def render(files: Iterable[str], directories: Iterable[str]) -> bytes:
    """The page that links the files and directories, given by name, without a slash, in any order.

    They are sorted by the bytes of their names; where both have a name, the file comes first.
    """
    entries = [(to_bytes(name), "", name) for name in files]
    entries += [(to_bytes(name), "/", name) for name in directories]
    return _HEAD + b"".join(_link(name + slash) for _, slash, name in sorted(entries)) + _FOOT


def _link(name: str) -> bytes:
    return to_bytes(f'<a href="{escape_path(name)}">{escape_html(name)}</a>\n')
