"""The identities by which a machine is known: its MAC address, its SMBIOS UUID and its serial number."""

import re
from collections.abc import Mapping
from typing import NamedTuple

from lambda_matchbox.golang.hardware_address import InvalidMACError, normalise_mac

MAX_SERIAL = 128
"""Bytes of a serial number: a token that names the machine by it has to fit into a label."""

MAX_KEY = len("serial:") + MAX_SERIAL
"""Bytes of an identity with its kind."""

_MAC_LENGTH = len("mac")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
# What firmware has where nobody wrote one; the last UUID is AMI's.
_PLACEHOLDERS = frozenset(
    {
        "00000000-0000-0000-0000-000000000000",
        "ffffffff-ffff-ffff-ffff-ffffffffffff",
        "03000200-0400-0500-0006-000700080009",
    }
)
_NO_SERIALS = frozenset(
    {
        "",
        "0",
        "123456789",
        "0123456789",
        "default string",
        "n/a",
        "none",
        "not applicable",
        "not available",
        "not specified",
        "system serial number",
        "to be filled by o.e.m.",
        "unknown",
    }
)


class AmbiguousMachineError(ValueError):
    """A request that names two MAC addresses."""


class Identities(NamedTuple):
    """Those that are known of a machine, normalised; empty for none."""

    mac: str = ""
    uuid: str = ""
    serial: str = ""

    @property
    def keys(self) -> tuple[str, ...]:
        """Each with its kind, such as `mac:52:54:00:12:34:56`; the first names the machine."""
        # Written out, since each request asks several times.
        mac = (f"mac:{self.mac}",) if self.mac else ()
        uuid = (f"uuid:{self.uuid}",) if self.uuid else ()
        return mac + uuid + ((f"serial:{self.serial}",) if self.serial else ())

    def conflict(self, other: "Identities") -> bool:
        """Whether both have one of a kind, and not the same."""
        return self != other and any(mine and one and mine != one for mine, one in zip(self, other, strict=True))

    def same_machine(self, other: "Identities") -> bool:
        """Whether both have one in common, and none is another."""
        return not self.conflict(other) and not set(self.keys).isdisjoint(other.keys)

    def completed(self, known: "Identities") -> "Identities":
        """These, and in place of empty ones those that are known of the same machine."""
        return Identities(self.mac or known.mac, self.uuid or known.uuid, self.serial or known.serial)


def identities_in(labels: Mapping[str, str]) -> Identities:
    """The identities among a machine's labels, whose MAC addresses are normalised.

    Raises AmbiguousMachineError.
    """
    mac = ""
    for key, value in labels.items():
        if len(key) == _MAC_LENGTH and value and key.lower() == "mac":
            if mac and value != mac:
                raise AmbiguousMachineError
            mac = value
    return Identities(mac, _uuid(labels.get("uuid", "")), _serial(labels.get("serial", "")))


def identity(text: str) -> Identities:
    """The one identity that an operator names: a MAC address in any spelling, a UUID, else a serial number."""
    try:
        return Identities(mac=normalise_mac(text))
    except InvalidMACError:
        uuid = _uuid(text)
        return Identities(uuid=uuid) if uuid else Identities(serial=_serial(text))


def identity_of(key: str) -> Identities:
    """The one identity of a key: a serial number may look like a MAC address."""
    kind, _, value = key.partition(":")
    return Identities(**{kind: value})


def _uuid(text: str) -> str:
    if not text:
        return ""
    text = text.lower()
    return text if _UUID.fullmatch(text) and text not in _PLACEHOLDERS else ""


def _serial(text: str) -> str:
    if not text:
        return ""
    text = text.strip()
    too_long = len(text.encode(errors="replace")) > MAX_SERIAL
    return "" if too_long or text.lower() in _NO_SERIALS else text
