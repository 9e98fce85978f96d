"""The variants and versions of Butane."""

import re
from typing import NamedTuple

from lambda_matchbox.ignition.butane.report import ButaneError


class Dialect(NamedTuple):
    """A variant and a version.

    `minor` is that of the Ignition whose fields it has (3.`minor`), `ignition_version` that of the output.
    `boot_version` is the version of `boot_device`: 0 for none, 3 since fcos 1.3.0, 7 since fcos 1.7.0.
    """

    variant: str
    version: str
    minor: int
    ignition_version: str
    boot_version: int = 0

    @property
    def has_grub(self) -> bool:
        """Since fcos 1.5.0."""
        return self.boot_version >= 5

    @property
    def is_stable(self) -> bool:
        """Whether the output's version of Ignition is released."""
        return "-" not in self.ignition_version


def _dialects() -> dict[tuple[str, str], Dialect]:
    found = []
    for fcos, ignition in enumerate((0, 1, 2, 2, 3, 4, 5, 6)):
        found.append(Dialect("fcos", f"1.{fcos}.0", ignition, f"3.{ignition}.0", fcos if fcos >= 3 else 0))
    for variant, minors in {"flatcar": (3, 4), "r4e": (3, 4), "fiot": (4,)}.items():
        found += [Dialect(variant, f"1.{index}.0", minor, f"3.{minor}.0") for index, minor in enumerate(minors)]
        found.append(Dialect(variant, f"1.{len(minors)}.0-experimental", 6, "3.7.0-experimental"))
    # The additions of experimental versions are not supported, and reported as unused keys.
    found.append(Dialect("fcos", "1.8.0-experimental", 6, "3.7.0-experimental", 7))
    return {(dialect.variant, dialect.version): dialect for dialect in found}


_DIALECTS = _dialects()


def _stable() -> str:
    """The stable variants and versions, for messages."""
    return ", ".join(f"{variant} {version}" for (variant, version), one in _DIALECTS.items() if one.is_stable)


_VERSION = re.compile(r"([0-9]{1,18})\.([0-9]{1,18})\.([0-9]{1,18})([-+].*)?", re.ASCII | re.DOTALL)


def dialect_of(variant: str, version: str) -> Dialect:
    """The dialect for these two keys of a config; either may be empty.

    Raises:
        ButaneError: the dialect does not exist, or is not translated.
    """
    if not variant:
        raise ButaneError("error parsing variant; must be specified")
    parts = _VERSION.fullmatch(version)
    if not parts:
        raise ButaneError("error parsing version; must be a valid semver")
    if variant == "rhcos":
        where = "https://coreos.github.io/butane/upgrading-openshift/"
        raise ButaneError(f"rhcos variant has been removed; use openshift variant instead: {where}")
    if variant == "openshift":
        raise ButaneError("openshift configs become a MachineConfig, not an Ignition config: they are not translated")
    normal = ".".join(str(int(part)) for part in parts.groups()[:3]) + (parts[4] or "")
    if (variant, normal) not in _DIALECTS:
        raise ButaneError(
            f"No translator exists for variant {variant} with version {normal}",
            masked=(f"unknown variant or version; translated are {_stable()}",),
        )
    return _DIALECTS[variant, normal]
