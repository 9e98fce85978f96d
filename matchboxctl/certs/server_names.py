"""What may a certificate name? What clients connect to: a DNS name or an address, without a port."""

import ipaddress
import re

from matchboxctl.cli.errors import UsageError

_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_DNS_NAME = re.compile(rf"(?:\*\.(?={_LABEL}\.))?{_LABEL}(?:\.{_LABEL})*")
"""A star stands for the first part of a name of three parts or more. Underscores are no host's, and Go takes them."""


def server_name(text: str) -> str:
    """The name in its normal form. Raises UsageError."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        name = text.lower()
        # Digits after the last dot are those of an address that is none.
        if len(name) <= 253 and _DNS_NAME.fullmatch(name) and not name.rpartition(".")[2].isdecimal():
            return name
    else:
        if address.is_unspecified:
            raise UsageError(f"--name {text!r} stands for every address: name the ones that clients connect to")
        if not getattr(address, "scope_id", None):
            return str(address)
    raise UsageError(
        f"--name {text!r} is no host name or IP address: give what clients connect to, without scheme, port or brackets"
    )
