"""An image source: which image of which registry fills which part of /assets/."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from lambda_matchbox.oci.image_reference import ImageReference, Platform

DEFAULT_PLATFORM = Platform("linux", "arm64")
DEFAULT_INTERVAL = 3600
DEFAULT_KEEP = 3

KERNEL = "vmlinuz"
INITRAMFS = "initramfs.xz"
UKI = "vmlinuz.efi"

Places = Mapping[str, tuple[str, ...]]
"""For each file to publish the paths in the image where it may lie, tried in this order; no slash at either end."""


class Source(NamedTuple):
    """One source.

    `assets` is the path below /assets/ that its releases fill, without slashes at its ends. `files` is empty where the
    known places are to be tried. `interval` is in seconds; `keep` counts releases.
    """

    id: str
    image: ImageReference
    assets: str
    platform: Platform = DEFAULT_PLATFORM
    files: Places = MappingProxyType({})
    interval: int = DEFAULT_INTERVAL
    keep: int = DEFAULT_KEEP

    @property
    def alternatives(self) -> list[Places]:
        """What to take from the image: the first of these of which everything is there."""
        return [self.files] if self.files else known_places(self.platform.architecture)


def known_places(architecture: str) -> list[Places]:
    """Where images are known to keep kernel and initramfs; `architecture` is OCI's and Talos's (amd64, arm64)."""
    directories = (
        # The image of the CozyStack demo, and the directory that its workflow builds.
        f"output/talos/{architecture}",
        f"talos/{architecture}",
        f"assets/talos/{architecture}/boot",
        # CozyStack's matchbox image.
        "var/lib/matchbox/assets",
        # Talos's imager, and its installer before 1.10.
        f"usr/install/{architecture}",
    )
    pairs: list[Places] = [
        {KERNEL: (f"{directory}/{KERNEL}",), INITRAMFS: (f"{directory}/{INITRAMFS}",)} for directory in directories
    ]
    # Talos's installer from 1.10 on has a unified kernel image only.
    uki: Places = {UKI: (f"usr/install/{architecture}/{UKI}",)}
    # Files by themselves, as ORAS pushes them and Flux packs them.
    alone: Places = {KERNEL: (KERNEL,), INITRAMFS: (INITRAMFS,)}
    return [*pairs, uki, alone]


def overlapping(source: Source, others: Iterable[Source]) -> Source | None:
    """The first of the others whose part of /assets/ is the source's, above it or below it."""
    own = f"{source.assets}/"
    for other in others:
        theirs = f"{other.assets}/"
        if other.id != source.id and (own.startswith(theirs) or theirs.startswith(own)):
            return other
    return None


def apart(sources: Iterable[Source]) -> tuple[list[Source], dict[str, str]]:
    """The sources whose parts of /assets/ do not overlap, and for each other one why it is refused, by its id.

    Of two that overlap the one with the smaller id stays.
    """
    accepted: list[Source] = []
    refused: dict[str, str] = {}
    for source in sorted(sources, key=lambda one: one.id):
        other = overlapping(source, accepted)
        if other is None:
            accepted.append(source)
        else:
            refused[source.id] = f"assets: {source.assets!r} overlaps {other.assets!r} of the source {other.id!r}"
    return accepted, refused
