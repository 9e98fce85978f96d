"""Content types, which Go's net/http takes from a file's extension, else from its first bytes.

See `mime.TypeByExtension`, `http.DetectContentType` and https://mimesniff.spec.whatwg.org/.
"""

from functools import cache

SNIFFED = 512
"""The number of bytes that `sniff` looks at."""

TEXT = "text/plain; charset=utf-8"
BINARY = "application/octet-stream"

# Go's built-in table up to 1.25. Go 1.26 has a longer one, and systems with an /etc/mime.types add to it.
_BY_EXTENSION = {
    ".avif": "image/avif",
    ".css": "text/css; charset=utf-8",
    ".gif": "image/gif",
    ".htm": "text/html; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".jpeg": "image/jpeg",
    ".jpg": "image/jpeg",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".mjs": "text/javascript; charset=utf-8",
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".wasm": "application/wasm",
    ".webp": "image/webp",
    ".xml": "text/xml; charset=utf-8",
}

_WHITE_SPACE = b"\t\n\x0c\r "
_CONTROL = bytes(code for code in range(0x20) if code not in b"\t\n\x0c\r\x1b")

_TAGS = "!DOCTYPE HTML|HTML|HEAD|SCRIPT|IFRAME|H1|DIV|FONT|TABLE|A|STYLE|TITLE|B|BODY|BR|P|!--"
_HTML = tuple(f"<{tag}{end}".encode() for tag in _TAGS.split("|") for end in " >")
_MAX_TAG = max(map(len, _HTML))

# A signature: the content begins with the first string and has the second one at the offset. An empty second string
# matches at the offset of any content that is long enough: byte order marks count only with what follows.
_Signature = tuple[bytes, int, bytes, str]

_BEFORE_MP4: tuple[_Signature, ...] = (
    (b"%PDF-", 0, b"", "application/pdf"),
    (b"%!PS-Adobe-", 0, b"", "application/postscript"),
    (b"\xfe\xff", 4, b"", "text/plain; charset=utf-16be"),
    (b"\xff\xfe", 4, b"", "text/plain; charset=utf-16le"),
    (b"\xef\xbb\xbf", 4, b"", TEXT),
    (b"\x00\x00\x01\x00", 0, b"", "image/x-icon"),
    (b"\x00\x00\x02\x00", 0, b"", "image/x-icon"),
    (b"BM", 0, b"", "image/bmp"),
    (b"GIF87a", 0, b"", "image/gif"),
    (b"GIF89a", 0, b"", "image/gif"),
    (b"RIFF", 8, b"WEBPVP", "image/webp"),
    (b"\x89PNG\r\n\x1a\n", 0, b"", "image/png"),
    (b"\xff\xd8\xff", 0, b"", "image/jpeg"),
    (b"FORM", 8, b"AIFF", "audio/aiff"),
    (b"ID3", 0, b"", "audio/mpeg"),
    (b"OggS\x00", 0, b"", "application/ogg"),
    (b"MThd\x00\x00\x00\x06", 0, b"", "audio/midi"),
    (b"RIFF", 8, b"AVI ", "video/avi"),
    (b"RIFF", 8, b"WAVE", "audio/wave"),
)
_AFTER_MP4: tuple[_Signature, ...] = (
    (b"\x1a\x45\xdf\xa3", 0, b"", "video/webm"),
    (b"", 34, b"LP", "application/vnd.ms-fontobject"),
    (b"\x00\x01\x00\x00", 0, b"", "font/ttf"),
    (b"OTTO", 0, b"", "font/otf"),
    (b"ttcf", 0, b"", "font/collection"),
    (b"wOFF", 0, b"", "font/woff"),
    (b"wOF2", 0, b"", "font/woff2"),
    (b"\x1f\x8b\x08", 0, b"", "application/x-gzip"),
    (b"PK\x03\x04", 0, b"", "application/zip"),
    (b"Rar!\x1a\x07\x00", 0, b"", "application/x-rar-compressed"),
    (b"Rar!\x1a\x07\x01\x00", 0, b"", "application/x-rar-compressed"),
    (b"\x00asm", 0, b"", "application/wasm"),
)


def of_file(name: str, head: bytes) -> str:
    """The content type of a file of that name, with or without its directory, whose content begins with `head`."""
    return by_extension(name) or sniff(head)


def by_extension(name: str) -> str | None:
    """The content type for the extension of `name`, in any case, in Go's built-in table; None if it has none."""
    _, dot, extension = name.rpartition("/")[2].rpartition(".")
    return _BY_EXTENSION.get(dot + extension.lower())


def sniff(head: bytes) -> str:
    """The content type by the first `SNIFFED` bytes of a content."""
    head = head[:SNIFFED]
    text = head.lstrip(_WHITE_SPACE)
    if text[:_MAX_TAG].upper().startswith(_HTML):
        return "text/html; charset=utf-8"
    if text.startswith(b"<?xml"):
        return "text/xml; charset=utf-8"
    before_mp4, after_mp4 = _candidates(head[:1])
    return (
        _signed(head, before_mp4)
        or ("video/mp4" if _is_mp4(head) else None)
        or _signed(head, after_mp4)
        or (TEXT if len(text) == len(text.translate(None, _CONTROL)) else BINARY)
    )


@cache
def _candidates(first: bytes) -> tuple[tuple[_Signature, ...], tuple[_Signature, ...]]:
    """The signatures before and after MP4 that a content with this first byte may have."""
    before, after = (
        tuple(one for one in signatures if one[0][:1] in (b"", first)) for signatures in (_BEFORE_MP4, _AFTER_MP4)
    )
    return before, after


def _signed(head: bytes, signatures: tuple[_Signature, ...]) -> str | None:
    for prefix, offset, more, content_type in signatures:
        if head.startswith(prefix) and head.startswith(more, offset):
            return content_type
    return None


def _is_mp4(head: bytes) -> bool:
    """Whether the first box is a complete `ftyp` with a brand that begins with `mp4` (section 6.2.1)."""
    box = int.from_bytes(head[:4], "big")
    if len(head) < max(12, box) or box % 4 or head[4:8] != b"ftyp":
        return False
    # The version of the first brand is at 12.
    return any(head.startswith(b"mp4", brand) for brand in range(8, box, 4) if brand != 12)
