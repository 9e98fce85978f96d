"""The files of a release: those of the image, the parts of its unified kernel images, and checksums."""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from lambda_matchbox.golang.http import content_type
from lambda_matchbox.oci.descriptors import Descriptor, OpenBlob
from lambda_matchbox.oci.image import uki
from lambda_matchbox.oci.image.image_files import extract_files
from lambda_matchbox.oci.image.spooling import ExtractedFile
from lambda_matchbox.releases.pointers import RECORD
from lambda_matchbox.releases.records import CHECKSUM
from lambda_matchbox.releases.sources import FilePaths
from lambda_matchbox.releases.store import ReleaseFile

_UKI = ".efi"


class ReleaseFiles(NamedTuple):
    """The files by their names; further ones are written to `directory`."""

    recorded: Mapping[str, ExtractedFile]
    directory: Path

    def with_record(self, record: bytes) -> dict[str, ReleaseFile]:
        """All files to store, in order: the files, their checksums in the format of `sha256sum`, the record."""
        stored = {
            name: ReleaseFile(taken.file, taken.size, taken.sha256, _content_type(name, taken.file))
            for name, taken in self.recorded.items()
        }
        small = {f"{name}{CHECKSUM}": _checksum(name, taken) for name, taken in self.recorded.items()}
        for number, (name, body) in enumerate({**small, RECORD: record}.items()):
            file = self.directory / f"small-{number}"
            file.write_bytes(body)
            stored[name] = ReleaseFile(file, len(body), hashlib.sha256(body).hexdigest(), _content_type(name, file))
        return stored


def release_files(
    layers: Sequence[Descriptor], open_blob: OpenBlob, alternatives: Sequence[FilePaths], directory: Path
) -> ReleaseFiles:
    """Extract the files of an image into an empty directory. Raises OciError and OSError.

    Beside a unified kernel image lie its kernel, initramfs and command line, unless the image has files of these names.
    """
    taken, inside, small = (directory / name for name in ("taken", "inside", "small"))
    for made in (taken, inside, small):
        made.mkdir()
    found = dict(extract_files(layers, open_blob, alternatives, taken))
    for number, (name, file) in enumerate(list(found.items())):
        if name.endswith(_UKI):
            parts = inside / str(number)
            parts.mkdir()
            above = name[: name.rfind("/") + 1]
            for part, content in uki.extract_parts(file, parts).items():
                found.setdefault(above + part, content)
    return ReleaseFiles(found, small)


def _checksum(name: str, taken: ExtractedFile) -> bytes:
    """The image's own checksum file where it has one for the served name, else a new one."""
    base = name.rpartition("/")[2]
    if taken.checksum_file is not None and taken.path.rpartition("/")[2] == base:
        return taken.checksum_file
    return f"{taken.sha256}  {base}\n".encode()


def _content_type(name: str, file: Path) -> str:
    with file.open("rb") as opened:
        return content_type.of_file(name, opened.read(content_type.SNIFFED))
