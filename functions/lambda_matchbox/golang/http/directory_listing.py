"""The page that Go's `http.FileServer` shows for a directory."""

from collections.abc import Iterable

from lambda_matchbox.golang.http.paths import escape_html, escape_path, to_bytes

CONTENT_TYPE = "text/html; charset=utf-8"

_HEAD = b'<!doctype html>\n<meta name="viewport" content="width=device-width">\n<pre>\n'
_FOOT = b"</pre>\n"


def render(files: Iterable[str], directories: Iterable[str]) -> bytes:
    """The page with links to the files and directories, whose names have no slash and any order.

    They are sorted by the bytes of their names; a file precedes a directory of the same name.
    """
    entries = [(to_bytes(name), "", name) for name in files]
    entries += [(to_bytes(name), "/", name) for name in directories]
    return _HEAD + b"".join(_link(name + slash) for _, slash, name in sorted(entries)) + _FOOT


def _link(name: str) -> bytes:
    return to_bytes(f'<a href="{escape_path(name)}">{escape_html(name)}</a>\n')
