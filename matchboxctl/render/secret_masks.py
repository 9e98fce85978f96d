"""Masks for secrets: values under keys that name one, and their occurrences in other texts.

A secret is found in a text literally, line by line, and as templates encode it: in JSON, HTML, a URL, base64,
hexadecimal, upper or lower case, or as a checksum; also in a data URL that Butane has compressed.
"""

import base64
import hashlib
import html
import json
import re
import zlib
from collections.abc import Callable, Iterator, Mapping
from urllib.parse import quote, quote_plus

MASK = "***"
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\W\d_a-zA-Z]+")
_NAMES = re.compile(
    r"passw|passphrase|secret|token|credential|certificat|private|hash|bearer|kubeconfig|keys?\b"
    r"|\b(?:pass|passcode|pw|pwd|certs?|crt|pem|psk|salt|auth)\b"
)
# Shorter parts of base64 occur in other texts by chance.
_MIN_BASE64 = 6
_MIN_LINE = 4
# Characters that Butane does not escape in a data URL.
_UNESCAPED = "!~*'()"
_PACKED = re.compile(r"(?<=;base64,)H4sI[A-Za-z0-9+/]+=*")
_GZIP_FORMAT = 31
_MAX_UNPACKED = 16 * 1024 * 1024


def names_a_secret(key: str) -> bool:
    """Whether a value under that key is a secret."""
    return bool(_NAMES.search(" ".join(_WORDS.findall(key)).lower()) or _NAMES.search(key.lower()))


def secrets_in(data: object, *, hidden: bool = False) -> Iterator[str]:
    """The texts of all values under keys that name a secret."""
    if isinstance(data, Mapping):
        for key, value in data.items():
            yield from secrets_in(value, hidden=hidden or names_a_secret(str(key)))
    elif isinstance(data, list | tuple):
        for one in data:
            yield from secrets_in(one, hidden=hidden)
    elif hidden and data is not None and not isinstance(data, bool):
        yield from {str(data), _in_go(data)} - {""}


def _in_go(value: object) -> str:
    from lambda_matchbox.golang.print import sprint

    return value if isinstance(value, str) else sprint([float(str(value))], 1000)


class Masks:
    """Masks for the secrets of some data, in the data and in any text."""

    def __init__(self, data: object) -> None:
        forms = {form for secret in secrets_in(data) for form in _forms(secret)}
        # The longest first: of two overlapping secrets the whole longer one is masked.
        ordered = sorted(forms, key=lambda form: (-len(form), form))
        self._forms = re.compile("|".join(map(re.escape, ordered))) if ordered else None

    def text(self, text: str) -> str:
        """The text with each secret masked."""
        return text if self._forms is None else self._forms.sub(MASK, _PACKED.sub(self._packed, text))

    def _packed(self, found: re.Match[str]) -> str:
        """The base64 of a gzip stream, or a mask if the stream contains a secret."""
        try:
            unpacked = zlib.decompressobj(_GZIP_FORMAT).decompress(base64.b64decode(found[0]), _MAX_UNPACKED)
        except (ValueError, zlib.error):
            return found[0]
        plain = unpacked.decode("utf-8", "surrogateescape")
        return MASK if self._forms is not None and self._forms.search(plain) else found[0]

    def data(self, data: object, *, hidden: bool = False) -> object:
        """The data with values masked under keys that name a secret, and secrets masked in all other texts."""
        if isinstance(data, Mapping):
            return {
                self.text(str(key)): self.data(value, hidden=hidden or names_a_secret(str(key)))
                for key, value in data.items()
            }
        if isinstance(data, list | tuple):
            return [self.data(one, hidden=hidden) for one in data]
        if hidden:
            return MASK
        if isinstance(data, str):
            return self.text(data)
        # A number may be a secret as well.
        shown = self.text(json.dumps(data))
        return MASK if MASK in shown else data


def _forms(secret: str) -> Iterator[str]:
    yield from _encodings(secret)
    lines = secret.splitlines()
    if len(lines) > 1:
        for line in lines:
            if len(line.strip()) >= _MIN_LINE:
                yield from _encodings(line.strip())


def _encodings(secret: str) -> Iterator[str]:
    raw = secret.encode("utf-8", "surrogateescape")
    in_json = json.dumps(secret, ensure_ascii=False)[1:-1]
    escapes = str.maketrans({"<": r"\u003c", ">": r"\u003e", "&": r"\u0026"})
    yield from (secret, secret.upper(), secret.lower(), in_json, in_json.translate(escapes), json.dumps(secret)[1:-1])
    yield from (html.escape(secret), secret.translate(_HTML))
    yield from (quote(raw, safe=""), quote(raw), quote(raw, safe=_UNESCAPED), quote_plus(raw), raw.hex())
    checksums: list[Callable[[bytes], hashlib._Hash]] = [hashlib.sha256, hashlib.sha512, hashlib.sha1]
    yield from (checksum(raw).hexdigest() for checksum in checksums)
    yield from (part for part in _base64_parts(raw) if len(part) >= _MIN_BASE64)


_HTML = str.maketrans({'"': "&#34;", "'": "&#39;", "&": "&amp;", "<": "&lt;", ">": "&gt;"})


def _base64_parts(raw: bytes) -> Iterator[str]:
    """The base64 of these bytes, and the parts of it that occur at any offset within other base64."""
    yield base64.b64encode(raw).decode()
    for before in range(3):
        whole = base64.b64encode(bytes(before) + raw).decode().rstrip("=")
        first = (before * 8 + 5) // 6
        last = (before + len(raw)) * 8 // 6
        yield whole[first:last]
