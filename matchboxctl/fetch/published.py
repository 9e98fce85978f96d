"""What a project has published: a release, and its files for network boot."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from lambda_matchbox.oci.distribution.origins import Location
from matchboxctl.cli.errors import FailedError


class RefusedFileError(FailedError):
    """A file that is not what its project has published."""


class PublishedFile(NamedTuple):
    """A file, its detached OpenPGP signature, and its SHA-256 where the project tells it by https, else empty.

    `name` is that of the file in the examples.
    """

    name: str
    location: Location
    signature: Location
    sha256: str

    def check_sha256(self, file: Path) -> None:
        """Raise RefusedFileError if the file has another SHA-256 than the project tells."""
        with file.open("rb") as opened:
            found = hashlib.file_digest(opened, "sha256").hexdigest()
        if self.sha256 and found != self.sha256:
            raise RefusedFileError(f"{self.name} has the SHA-256 {found}, but {self.sha256} was published")


class PublishedRelease(NamedTuple):
    """The files of a release for one architecture."""

    version: str
    files: Sequence[PublishedFile]
