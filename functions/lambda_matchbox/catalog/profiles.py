"""Profiles: what a machine boots, the templates of its configurations, and metadata for them."""

from collections.abc import Mapping
from typing import NamedTuple


class NetBoot(NamedTuple):
    """Kernel, initial RAM disks and kernel arguments: matchbox's `boot`."""

    kernel: str = ""
    initrd: tuple[str, ...] = ()
    args: tuple[str, ...] = ()


class Profile(NamedTuple):
    """One profile. An empty template id means that this route is not configured; metadata is a JSON object."""

    id: str
    name: str = ""
    ignition_id: str = ""
    cloud_id: str = ""
    generic_id: str = ""
    boot: NetBoot | None = None
    metadata: Mapping[str, object] = {}

    def document(self) -> dict[str, object]:
        """The profile as matchbox writes it to a file, without empty fields. matchbox itself has no metadata here."""
        fields: dict[str, object] = {"id": self.id}
        for key in ("name", "ignition_id", "cloud_id", "generic_id"):
            if value := getattr(self, key):
                fields[key] = value
        if self.boot is not None:
            boot = {"kernel": self.boot.kernel, "initrd": list(self.boot.initrd), "args": list(self.boot.args)}
            fields["boot"] = {key: value for key, value in boot.items() if value}
        if self.metadata:
            fields["metadata"] = dict(self.metadata)
        return fields
