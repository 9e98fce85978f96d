"""Layers in memory."""

import gzip
import io
import tarfile
from collections.abc import Iterable
from typing import NamedTuple

import zstandard

OCI = "application/vnd.oci.image.layer.v1.tar"
DOCKER = "application/vnd.docker.image.rootfs.diff.tar.gzip"
FLUX = "application/vnd.cncf.flux.content.v1.tar+gzip"


class Layer(NamedTuple):
    """The bytes of a layer, its media type, and its title (of a plain file, as for ORAS)."""

    body: bytes
    media_type: str
    title: str = ""


class Entry(NamedTuple):
    """An entry of an archive: a regular file with a body, unless `type` says otherwise; `target` is a link's."""

    name: str
    body: bytes = b""
    type: bytes = tarfile.REGTYPE
    target: str = ""


def symlink(name: str, target: str) -> Entry:
    return Entry(name, type=tarfile.SYMTYPE, target=target)


def hard_link(name: str, target: str) -> Entry:
    return Entry(name, type=tarfile.LNKTYPE, target=target)


def directory(name: str) -> Entry:
    return Entry(name, type=tarfile.DIRTYPE)


def tar(entries: Iterable[Entry], format: int = tarfile.PAX_FORMAT) -> bytes:  # noqa: A002 (tarfile's word)
    """An archive of the entries, in their order."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w", format=format) as archive:
        for entry in entries:
            info = tarfile.TarInfo(entry.name)
            info.type, info.linkname, info.size = entry.type, entry.target, len(entry.body)
            archive.addfile(info, io.BytesIO(entry.body))
    return made.getvalue()


def plain(*entries: Entry) -> Layer:
    return Layer(tar(entries), OCI)


def gzipped(*entries: Entry, media_type: str = f"{OCI}+gzip") -> Layer:
    return Layer(gzip.compress(tar(entries), 6, mtime=0), media_type)


def zstandard_compressed(*entries: Entry) -> Layer:
    return Layer(zstandard.compress(tar(entries)), f"{OCI}+zstd")


def raw_file(title: str, body: bytes, media_type: str = "application/octet-stream") -> Layer:
    """A plain file, as ORAS pushes it."""
    return Layer(body, media_type, title)
