"""Labels of a machine, from the query of its request.

The rules are matchbox's: the query is read as Go's `url.Query()` reads it, the first value of a repeated key counts,
and a key that is `mac` in any case holds a hardware address that Go's `net.ParseMAC` accepts.
"""

import re

from lambda_matchbox.golang.http.paths import parse_query

_ADDRESS = re.compile(
    r"[0-9a-fA-F]{2}([:-])[0-9a-fA-F]{2}(?:\1[0-9a-fA-F]{2})*|[0-9a-fA-F]{4}(?:\.[0-9a-fA-F]{4})*|[0-9a-fA-F]*"
)
_DIGITS = (12, 16, 40)
_UNRESOLVED = re.compile(r"\$\{[A-Za-z0-9_:./-]*\}")


class InvalidMACError(ValueError):
    """An invalid hardware address, the `text`."""

    def __init__(self, text: str) -> None:
        self.text = text
        super().__init__(f"invalid MAC address {text!r}: write it like 52:54:00:12:34:56")


def normalise_mac(text: str) -> str:
    """The address in lower case with colons; it has 6, 8 or 20 bytes with colons, hyphens, dots or no separators.

    Raises InvalidMACError for anything else.
    """
    digits = re.sub(r"[:.-]", "", text).lower()
    if len(digits) not in _DIGITS or not _ADDRESS.fullmatch(text):
        raise InvalidMACError(text)
    return ":".join(digits[at : at + 2] for at in range(0, len(digits), 2))


def is_mac(key: str) -> bool:
    """Whether this label or selector holds a hardware address."""
    return key.lower() == "mac"


def labels_of(raw_query: str) -> dict[str, str]:
    """The labels of a query in the order of their first occurrence.

    Invalid MAC addresses are left out, and so are variables that a boot client sent unresolved (`${uuid}`, from Talos).
    """
    labels: dict[str, str] = {}
    for key, value in parse_query(raw_query):
        labels.setdefault(key, value)
    for key, value in list(labels.items()):
        if _UNRESOLVED.fullmatch(value):
            del labels[key]
        elif is_mac(key):
            try:
                labels[key] = normalise_mac(value)
            except InvalidMACError:
                del labels[key]
    return labels
