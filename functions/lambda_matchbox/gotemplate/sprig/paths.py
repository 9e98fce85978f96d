"""Paths, as text by Go's package path, and URLs, by net/url."""

import re
from collections.abc import Callable

from lambda_matchbox.golang.url import Url, UrlError, parse_url
from lambda_matchbox.golang.values import kind_name
from lambda_matchbox.gotemplate.errors import FunctionError

_URL_KEYS = ("scheme", "host", "path", "query", "opaque", "fragment", "userinfo")


def clean(path: str) -> str:
    """The shortest equivalent path, by Go's path.Clean; `.` for the empty one."""
    rooted = path.startswith("/")
    kept: list[str] = []
    for part in path.split("/"):
        if part == ".." and (kept and kept[-1] != ".."):
            kept.pop()
        elif part not in ("", ".") and not (part == ".." and rooted):
            kept.append(part)
    return ("/" if rooted else "") + "/".join(kept) or "."


def _base(path: str) -> str:
    if not path:
        return "."
    return path.rstrip("/").rpartition("/")[2] or "/"


def _directory(path: str) -> str:
    head, slash, _ = path.rpartition("/")
    return clean(head + slash)


def _extension(path: str) -> str:
    found = re.search(r"\.[^./]*\Z", path)
    return found[0] if found else ""


# `os…` are the same functions: the operating system's paths are those of Unix.
_FUNCTIONS = {
    "base": _base,
    "clean": clean,
    "dir": _directory,
    "ext": _extension,
    "isAbs": lambda path: path.startswith("/"),
}


def _url_parts(text: str) -> dict[str, object]:
    url = _parsed_url(text)
    return {**{key: getattr(url, key) for key in _URL_KEYS}, "hostname": url.hostname}


def _joined_url(parts: dict[str, object]) -> str:
    texts = {}
    for key in _URL_KEYS:
        value = parts.get(key, "")
        if not isinstance(value, str):
            raise FunctionError(f"{key} must be a string, not {kind_name(value)}")
        texts[key] = value
    # Sprig parses this address.
    parsed = _parsed_url(f"proto://{texts['userinfo']}@host") if texts["userinfo"] else Url()
    return str(Url(**{**texts, "userinfo": parsed.userinfo}))


def _parsed_url(text: str) -> Url:
    try:
        return parse_url(text)
    except UrlError as error:
        raise FunctionError(f"not a URL: {error}") from None


PLAIN: dict[str, Callable[..., object]] = {
    **_FUNCTIONS,
    **{"os" + name[0].upper() + name[1:]: function for name, function in _FUNCTIONS.items()},
    "urlJoin": _joined_url,
    "urlParse": _url_parts,
}
BOUNDED: dict[str, Callable[..., object]] = {}
