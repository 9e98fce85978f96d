"""Flatcar's releases: files beside their detached signatures, in a directory for each version.

A channel's directory `current` is a copy of its newest version, which may change during a download: only the version is
taken from it (Flatcar's documentation, "Notes for distributors" and "Booting via PXE").
"""

import re

from matchboxctl.cli.errors import FailedError
from matchboxctl.fetch.published import PublishedFile, PublishedRelease
from matchboxctl.fetch.server import Server

KEY = "https://www.flatcar.org/security/image-signing-key/Flatcar_Image_Signing_Key.asc"

_BOARDS = {"x86_64": "amd64-usr", "aarch64": "arm64-usr"}
_FILES = {"vmlinuz": "flatcar_production_pxe.vmlinuz", "initramfs.cpio.gz": "flatcar_production_pxe_image.cpio.gz"}
_VERSION = re.compile(r"^FLATCAR_VERSION=([0-9A-Za-z.+-]+)\s*$", re.MULTILINE | re.ASCII)


def address(channel: str) -> str:
    """The project's server of the channel."""
    return f"https://{channel}.release.flatcar-linux.net"


def release(server: Server, version: str, arch: str) -> PublishedRelease:
    """The release of that version, or the newest one if it is empty. Raises FailedError."""
    board = _BOARDS[arch]
    found = _version(server, f"{board}/{version or 'current'}")
    if not found or found != (version or found):
        newest = _version(server, f"{board}/current")
        if not newest:
            raise FailedError(f"{server.name} has no {board}/current/version.txt, as the server of a channel has")
        raise FailedError(f"{server.name} has no version {version!r} for {arch}; the newest is {newest}")
    return PublishedRelease(found, [_file(server, name, f"{board}/{found}/{path}") for name, path in _FILES.items()])


def _file(server: Server, name: str, path: str) -> PublishedFile:
    return PublishedFile(name, server.at(path), server.at(f"{path}.sig"), "")


def _version(server: Server, directory: str) -> str:
    """The version of the files in a directory; empty if the server lacks it."""
    text = server.text(f"{directory}/version.txt")
    found = None if text is None else _VERSION.search(text.decode("utf-8", "replace"))
    return found[1] if found else ""
