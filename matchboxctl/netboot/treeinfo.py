"""`.treeinfo`, by which Anaconda finds the image of its second stage below `inst.stage2` or `inst.repo`."""

import configparser
import re
from typing import NamedTuple

NAME = ".treeinfo"
DEFAULT_IMAGES = ("images/install.img", "LiveOS/squashfs.img")
"""The images that Anaconda tries in turn if `.treeinfo` is absent or names none."""

_SHA256 = re.compile(r"sha256:([0-9a-fA-F]{64})")


class TreeInfo(NamedTuple):
    """The path of the main image, empty if it names none, and the SHA-256 that it states for that, or empty."""

    image: str
    sha256: str


def read_treeinfo(text: str) -> TreeInfo:
    """What the file says; as for Anaconda, one that does not parse says nothing."""
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    try:
        parser.read_string(text)
    except configparser.Error:
        return TreeInfo("", "")
    image = parser.get("stage2", "mainimage", fallback="").strip()
    digest = _SHA256.fullmatch(parser.get("checksums", image, fallback="").strip()) if image else None
    return TreeInfo(image, digest[1].lower() if digest else "")
