"""Paths, as text by Go's package path, and URLs, by net/url."""

import re
from collections.abc import Callable
from urllib.parse import quote_from_bytes

from lambda_matchbox.golang.text import bytes_of, text_of
from lambda_matchbox.golang.values import kind_name
from lambda_matchbox.gotemplate.errors import FunctionError

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+\-.]*):")
_ESCAPE = re.compile(rb"%([0-9A-Fa-f]{2})")
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_USER = re.compile(r"[A-Za-z0-9\-._:~!$&'()*+,;=%@]*")
_PORT = re.compile(r"(?::[0-9]*)?")
# Not escaped, besides letters, digits and "-_.~".
_IN_PATH = "$&+,/:;=@"
_IN_FRAGMENT = "$&+,/:;=?@!()*"
_IN_HOST = "!$&'()*+,;=:[]<>\""
_IN_USER = "$&+,;="
_KEYS = ("scheme", "host", "path", "query", "opaque", "fragment", "userinfo")


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


_FUNCTIONS = {
    "base": _base,
    "clean": clean,
    "dir": _directory,
    "ext": _extension,
    "isAbs": lambda path: path.startswith("/"),
}
# The operating system's paths are those of Unix.


def _refused(part: str) -> FunctionError:
    return FunctionError(f"not a URL: {part}")


def _unescaped(text: str) -> str:
    if _BAD_ESCAPE.search(text):
        raise _refused("an invalid escape")
    return text_of(_ESCAPE.sub(lambda found: bytes([int(found[1], 16)]), bytes_of(text)))


def _escaped(text: str, plain: str) -> str:
    return quote_from_bytes(bytes_of(text), safe=plain)


def _parsed(text: str) -> dict[str, object]:
    if _CONTROL.search(text):
        raise _refused("a control character")
    rest, _, fragment = text.partition("#")
    parts = dict.fromkeys(_KEYS, "")
    if rest != "*":
        _parse_without_fragment(rest, parts)
    else:
        parts["path"] = rest
    parts["fragment"] = _unescaped(fragment)
    return {**parts, "hostname": _host_name(parts["host"])}


def _parse_without_fragment(text: str, parts: dict[str, str]) -> None:
    found = _SCHEME.match(text)
    if found:
        parts["scheme"] = found[1].lower()
        text = text[found.end() :]
    elif text.startswith(":"):
        raise _refused("the scheme is missing")
    rest, _, parts["query"] = text.partition("?")
    if not rest.startswith("/"):
        if found:
            parts["opaque"] = rest
            return
        if ":" in rest.partition("/")[0]:
            raise _refused("a colon in the first part of the path")
    if rest.startswith("//") and (found or not rest.startswith("///")):
        authority, slash, path = rest[2:].partition("/")
        rest = slash + path
        user, at, host = authority.rpartition("@")
        parts["host"] = _host(host)
        if at:
            parts["userinfo"] = _user(user)
    parts["path"] = _unescaped(rest)


def _user(text: str) -> str:
    """Name and password, escaped as Go escapes them."""
    if not _USER.fullmatch(text):
        raise _refused("the user")
    name, colon, password = text.partition(":")
    return _escaped(_unescaped(name), _IN_USER) + colon + (_escaped(_unescaped(password), _IN_USER) if colon else "")


def _host(text: str) -> str:
    if text.startswith("["):
        inner, bracket, port = text.rpartition("]")
        if not bracket or not _PORT.fullmatch(port):
            raise _refused("the host")
        address, zone_mark, zone = inner.partition("%25")
        return _unescaped_host(address) + (f"%{_unescaped(zone)}" if zone_mark else "") + "]" + port
    name, colon, port = text.rpartition(":")
    if colon and not _PORT.fullmatch(colon + port):
        raise _refused("the port")
    if colon and ":" in name:
        raise _refused("the host")
    return _unescaped_host(text)


def _unescaped_host(text: str) -> str:
    """The host unescaped; only bytes beyond ASCII may be escaped."""
    if any(bytes([int(found[1], 16)]).isascii() for found in _ESCAPE.finditer(bytes_of(text))):
        raise _refused("an escape in the host")
    if any(character in " \\^`{|}" for character in text):
        raise _refused("a character in the host")
    return _unescaped(text)


def _host_name(host: str) -> str:
    name, colon, port = host.rpartition(":")
    if colon and (port.isdigit() or not port):
        host = name
    return host[1:-1] if host.startswith("[") and host.endswith("]") else host


def _joined(parts: dict[str, object]) -> str:
    texts = {key: _text(parts, key) for key in _KEYS}
    user = _parsed(f"proto://{texts['userinfo']}@host")["userinfo"] if texts["userinfo"] else ""
    made = f"{texts['scheme']}:" if texts["scheme"] else ""
    if texts["opaque"]:
        made += texts["opaque"]
    else:
        made += _authority_and_path(texts, str(user), made)
    if texts["query"]:
        made += "?" + texts["query"]
    if texts["fragment"]:
        made += "#" + _escaped(texts["fragment"], _IN_FRAGMENT)
    return made


def _authority_and_path(texts: dict[str, str], user: str, before: str) -> str:
    host, path = texts["host"], texts["path"]
    made = ""
    if before or host or texts["userinfo"]:
        if host or path or texts["userinfo"]:
            made = "//"
        made += f"{user}@" if texts["userinfo"] else ""
        made += _escaped_host(host)
    if path and not path.startswith("/") and host:
        made += "/"
    escaped = "*" if path == "*" else _escaped(path, _IN_PATH)
    if not before and not made and ":" in escaped.partition("/")[0]:
        made = "./"
    return made + escaped


def _escaped_host(host: str) -> str:
    address, mark, zone = host.partition("%") if host.startswith("[") else (host, "", "")
    return _escaped(address, _IN_HOST) + ("%25" + _escaped(zone, _IN_HOST) if mark else "")


def _text(parts: dict[str, object], key: str) -> str:
    value = parts.get(key, "")
    if not isinstance(value, str):
        raise FunctionError(f"{key} must be a string, not {kind_name(value)}")
    return value


PLAIN: dict[str, Callable[..., object]] = {
    **_FUNCTIONS,
    **{"os" + name[0].upper() + name[1:]: function for name, function in _FUNCTIONS.items()},
    "urlJoin": _joined,
    "urlParse": _parsed,
}
BOUNDED: dict[str, Callable[..., object]] = {}
