"""The record of a release, served as `release.json` beside its files."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from lambda_matchbox.oci.signatures.signers import VerifiedSignature

CHECKSUM = ".sha256"
"""The suffix of a checksum file's name."""


class RecordedFile(NamedTuple):
    """A file: its size in bytes, its SHA-256 in hexadecimal digits, its path in the image."""

    size: int
    sha256: str
    path: str


class ReleaseRecord(NamedTuple):
    """A release: its source's id, the image's reference and digest, its time (seconds since 1970), its files.

    `version` is the image's label `org.opencontainers.image.version`, empty for none. `signature` is the one that was
    verified, None where the source did not ask for one.
    """

    source: str
    image: str
    digest: str
    time: int
    version: str
    files: Mapping[str, RecordedFile]
    signature: VerifiedSignature | None = None

    @property
    def size(self) -> int:
        """The total size in bytes."""
        return sum(file.size for file in self.files.values())

    def lacks(self, sizes: Mapping[str, int]) -> list[str]:
        """The names of files, checksums included, that are missing or have another size; `sizes` are in bytes."""
        files = [name for name, file in self.files.items() if sizes.get(name) != file.size]
        return files + [name + CHECKSUM for name in self.files if name + CHECKSUM not in sizes]

    def document(self) -> bytes:
        """The record as JSON, with its time in RFC 3339."""
        fields = self._asdict() | {
            "time": datetime.fromtimestamp(self.time, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "files": {name: file._asdict() for name, file in self.files.items()},
        }
        if self.signature is None:
            # Releases before 0.3 do not know the field.
            del fields["signature"]
        else:
            fields["signature"] = self.signature._asdict()
        return json.dumps(fields, indent=2).encode() + b"\n"


def record_in(text: bytes) -> ReleaseRecord | None:
    """The record in JSON; None for an invalid one."""
    try:
        fields: dict[str, Any] = json.loads(text)
        files = {name: RecordedFile(**file) for name, file in fields["files"].items()}
        moment = int(datetime.fromisoformat(fields["time"]).timestamp())
        signature = VerifiedSignature(**fields["signature"]) if "signature" in fields else None
        record = ReleaseRecord(**{**fields, "time": moment, "files": files, "signature": signature})
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    sound = all(isinstance(file.size, int) and isinstance(file.sha256, str) for file in files.values())
    return record if sound else None


def variables(record: ReleaseRecord) -> dict[str, str]:
    """Variables for Flux: the digests of kernel and initramfs, and Talos's version where the image has the label."""
    found = {"TALOS_VERSION": record.version} if record.version else {}
    for variable, prefix in (("KERNEL_DIGEST", "vmlinuz"), ("INITRAMFS_DIGEST", "initramfs")):
        # `vmlinuz` before `vmlinuz.efi`, from which it was extracted.
        names = sorted(name for name in record.files if name.rpartition("/")[2].startswith(prefix))
        if names:
            found[variable] = f"sha256:{record.files[names[0]].sha256}"
    return found
