"""Labels of a machine, from the query of its request.

The rules are matchbox's: the query is read as Go's `url.Query()` reads it, the first value of a repeated key counts,
and a key that is `mac` in any case holds a hardware address that Go's `net.ParseMAC` accepts. Unlike matchbox, a label
that could add a line to a response counts as absent.
"""

import re
from collections.abc import Mapping
from typing import NamedTuple

from lambda_matchbox.catalog.control_characters import CONTROL, has_control
from lambda_matchbox.golang.hardware_address import InvalidMACError, normalise_mac
from lambda_matchbox.golang.http.paths import parse_query

CLIENT_IP = "client_ip"
"""The label that the server sets: the address of the machine's connection. No response shows it."""

_MAX_SIZE = 255
_UNRESOLVED = re.compile(r"\$\{[A-Za-z0-9_:./-]*\}")


def is_mac(key: str) -> bool:
    """Whether this label or selector holds a hardware address."""
    return key.lower() == "mac"


def is_plain(key: str, value: str) -> bool:
    """Whether both are UTF-8 of at most 255 bytes without control characters."""
    return _is_plain(key) and _is_plain(value)


def _is_plain(text: str) -> bool:
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        # Parts of a character, which two labels side by side would complete.
        return False
    return size <= _MAX_SIZE and not has_control(text)


class Query(NamedTuple):
    """The query of a machine's request: as it was sent, its labels, and the names of labels that are not plain.

    Control characters of `raw` are percent-encoded, should a client have sent them as they are.
    """

    raw: str
    labels: Mapping[str, str]
    not_plain: tuple[str, ...] = ()


def read_query(raw_query: str) -> Query:
    """The query, with its labels in the order of their first occurrence.

    Labels that are not plain are left out, and so are invalid MAC addresses and variables that a boot client sent
    unresolved (`${uuid}`, from Talos).
    """
    labels: dict[str, str] = {}
    for key, value in parse_query(raw_query):
        labels.setdefault(key, value)
    # Nothing that it spells out can be other than plain, as in most queries.
    all_plain = len(raw_query) <= _MAX_SIZE and raw_query.isascii() and raw_query.isprintable() and "%" not in raw_query
    not_plain = () if all_plain else tuple([key for key, value in labels.items() if not is_plain(key, value)])
    for key in not_plain:
        del labels[key]
    for key, value in list(labels.items()):
        if value.startswith("${") and _UNRESOLVED.fullmatch(value):
            del labels[key]
        elif is_mac(key):
            try:
                labels[key] = normalise_mac(value)
            except InvalidMACError:
                del labels[key]
    return Query(raw_query if all_plain else _without_control(raw_query), labels, not_plain)


def _without_control(raw_query: str) -> str:
    """The query with its control characters percent-encoded."""
    if not has_control(raw_query):
        return raw_query
    from urllib.parse import quote

    return CONTROL.sub(lambda found: quote(found[0]), raw_query)
