"""Which redirects a boot client follows, by its User-Agent.

GRUB takes a redirect's body for the file, UEFI HTTP boot and U-Boot refuse it. iPXE follows it, but before its commit
1844aacc8 (after 1.21.1) it turns `%2B` in a query into `+`, which breaks a signature over a session token.
"""

import re
from enum import Enum

_IPXE = re.compile(r"iPXE/(\d{1,9})\.(\d{1,9})\.(\d{1,9})(\S?)", re.ASCII)
_LAST_REWRITING_IPXE = (1, 21, 1)
_NO_REDIRECT = ("grub", "uefihttpboot", "u-boot")


class Redirects(Enum):
    """Which redirects a client follows."""

    ANY = "any"
    UNSIGNED_PREFERRED = "unsigned preferred"
    UNSIGNED = "unsigned only"
    NONE = "none"


def follows_signed(user_agent: str, address: str) -> bool:
    """Whether the client with this User-Agent can fetch a signed address."""
    able = redirects(user_agent)
    if able is Redirects.UNSIGNED:
        return "%2B" not in address
    return able is not Redirects.NONE


def redirects(user_agent: str) -> Redirects:
    """Which redirects the client with this User-Agent follows."""
    if user_agent.lower().startswith(_NO_REDIRECT):
        return Redirects.NONE
    if found := _IPXE.match(user_agent):
        version = (int(found[1]), int(found[2]), int(found[3]))
        if version == _LAST_REWRITING_IPXE and found[4] == "+":
            return Redirects.UNSIGNED_PREFERRED
        if version <= _LAST_REWRITING_IPXE:
            return Redirects.UNSIGNED
    return Redirects.ANY
