"""Fedora CoreOS's releases: the metadata of a stream and of each release name the files with SHA-256 and signature.

See Fedora's "Fedora CoreOS stream metadata", and the release index of each stream.
"""

import json
import re
from collections.abc import Mapping
from typing import Any, NoReturn

from matchboxctl.cli.errors import FailedError
from matchboxctl.fetch.published import PublishedFile, PublishedRelease
from matchboxctl.fetch.server import Server

ADDRESS = "https://builds.coreos.fedoraproject.org"
KEY = "https://fedoraproject.org/fedora.gpg"

_FILES = {"vmlinuz": "kernel", "initramfs.img": "initramfs", "rootfs.img": "rootfs"}
_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)
_MAX_NAMED = 5


def release(server: Server, channel: str, version: str, arch: str) -> PublishedRelease:
    """The release of that version, or the newest one if it is empty. Raises FailedError."""
    if version:
        path = f"prod/streams/{channel}/builds/{version}/release.json"
        document = _document(server, path) or _refuse_version(server, channel, version)
        pxe = _at(document, path, "architectures", arch, "media", "metal", "artifacts", "pxe")
        found = version
    else:
        path = f"streams/{channel}.json"
        document = _document(server, path)
        if not document:
            raise FailedError(f"{server.name} has no channel {channel!r}; channels are stable, testing, next")
        metal = _at(document, path, "architectures", arch, "artifacts", "metal")
        found, pxe = str(metal.get("release")), _at(metal, path, "formats", "pxe")
    return PublishedRelease(found, [_file(server, path, name, _at(pxe, path, key)) for name, key in _FILES.items()])


def _file(server: Server, path: str, name: str, entry: Mapping[str, Any]) -> PublishedFile:
    location, signature, sha256 = (str(entry.get(key)) for key in ("location", "signature", "sha256"))
    for address in (location, signature):
        if not address.startswith(f"{ADDRESS}/"):
            raise FailedError(f"{server.name}: {path} names {address!r} for {name}, which is not below {ADDRESS}/")
    if not _SHA256.fullmatch(sha256):
        raise FailedError(f"{server.name}: {path} has no valid SHA-256 of {name}")
    # A mirror has the files at the same paths.
    theirs, its_signature = (server.at(address.removeprefix(f"{ADDRESS}/")) for address in (location, signature))
    return PublishedFile(name, theirs, its_signature, sha256)


def _refuse_version(server: Server, channel: str, version: str) -> NoReturn:
    index = _document(server, f"prod/streams/{channel}/releases.json")
    if not index:
        raise FailedError(f"{server.name} has no channel {channel!r}; channels are stable, testing, next")
    # In order of their time.
    known = [str(each["version"]) for each in index.get("releases", ()) if isinstance(each, dict) and "version" in each]
    newest = ", ".join(reversed(known[-_MAX_NAMED:])) or "none"
    raise FailedError(f"{server.name} has no version {version!r} in the channel {channel}; the newest are {newest}")


def _document(server: Server, path: str) -> dict[str, Any]:
    """The JSON object in a file; empty if the server lacks it."""
    text = server.text(path)
    if text is None:
        return {}
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise FailedError(f"{server.name}: {path} is not JSON") from error
    return _at({"": document}, path, "")


def _at(document: Mapping[str, Any], path: str, *keys: str) -> dict[str, Any]:
    """The object at these keys. Raises FailedError, with what there is instead."""
    found: Any = document
    for key in keys:
        below = found.get(key)
        if not isinstance(below, dict):
            raise FailedError(f"{path} has no {key!r}; it has {', '.join(found) or 'nothing'}")
        found = below
    return dict(found)
