"""Image sources: the image of a registry whose files are published below a part of /assets/."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from lambda_matchbox.oci.image_reference import ImageReference, Platform
from lambda_matchbox.oci.signatures.signers import Signer

DEFAULT_PLATFORM = Platform("linux", "arm64")
DEFAULT_INTERVAL = 3600
DEFAULT_KEEP = 3

KERNEL = "vmlinuz"
INITRAMFS = "initramfs.xz"
UKI = "vmlinuz.efi"

FilePaths = Mapping[str, tuple[str, ...]]
"""For each published file its possible paths in the image, in order of preference; no slash at either end."""


class Source(NamedTuple):
    """A source.

    `assets` is the path below /assets/ where its releases are served, without slashes at its ends. If `files` is empty,
    the known paths are tried. `interval` is in seconds; `keep` is a number of releases. With a `signer` only images
    that are signed by it become releases.
    """

    id: str
    image: ImageReference
    assets: str
    platform: Platform = DEFAULT_PLATFORM
    files: FilePaths = MappingProxyType({})
    interval: int = DEFAULT_INTERVAL
    keep: int = DEFAULT_KEEP
    signer: Signer | None = None

    @property
    def alternatives(self) -> list[FilePaths]:
        """The sets of files to extract, in order of preference: the first complete one counts."""
        return [self.files] if self.files else known_paths(self.platform.architecture)


def known_paths(architecture: str) -> list[FilePaths]:
    """The paths of kernel and initramfs in known images; `architecture` is OCI's and Talos's (amd64, arm64)."""
    directories = (
        # The image of the CozyStack demo, and the directory its workflow builds.
        f"output/talos/{architecture}",
        f"talos/{architecture}",
        f"assets/talos/{architecture}/boot",
        # CozyStack's matchbox image.
        "var/lib/matchbox/assets",
        # Talos's imager, and its installer before 1.10.
        f"usr/install/{architecture}",
    )
    pairs: list[FilePaths] = [
        {KERNEL: (f"{directory}/{KERNEL}",), INITRAMFS: (f"{directory}/{INITRAMFS}",)} for directory in directories
    ]
    # Talos's installer since 1.10 has only a unified kernel image.
    uki: FilePaths = {UKI: (f"usr/install/{architecture}/{UKI}",)}
    # Plain files, as ORAS pushes them and Flux packs them.
    alone: FilePaths = {KERNEL: (KERNEL,), INITRAMFS: (INITRAMFS,)}
    return [*pairs, uki, alone]


def overlapping(source: Source, others: Iterable[Source]) -> Source | None:
    """The first of the others whose part of /assets/ overlaps the source's."""
    return next((other for other in others if other.id != source.id and overlap(source.assets, other.assets)), None)


def overlap(one: str, other: str) -> bool:
    """Whether two parts of /assets/ are the same, or one lies below the other."""
    one, other = f"{one}/", f"{other}/"
    return one.startswith(other) or other.startswith(one)


def apart(sources: Iterable[Source]) -> tuple[list[Source], dict[str, str]]:
    """The sources that do not overlap, and by id the reason for each refused one.

    Of two that overlap the one with the smaller id is accepted.
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
