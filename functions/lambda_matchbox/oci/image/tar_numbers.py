"""Numbers in the headers of tar archives."""

from lambda_matchbox.oci.errors import ImageError

MAX_DIGITS = 19


def decimal(text: bytes) -> int:
    """A number of an extended header."""
    if not text.isdigit() or len(text) > MAX_DIGITS:
        raise ImageError(f"damaged tar archive: invalid number {text[:20]!r}")
    return int(text)


def number(field: bytes) -> int:
    """A number of a header: octal digits, or big-endian bytes after one of 128 (GNU's format for larger numbers)."""
    if field[0] == 128:
        return int.from_bytes(field[1:], "big")
    text = field.partition(b"\0")[0].strip(b" ")
    if text.strip(b"01234567"):
        raise ImageError(f"damaged tar archive: invalid number {field!r}")
    return int(text or b"0", 8)
