"""A profile: what a machine boots, and which templates configure it."""

from typing import NamedTuple


class NetBoot(NamedTuple):
    """Kernel, initial RAM disks and kernel arguments, as matchbox's `boot` names them."""

    kernel: str = ""
    initrd: tuple[str, ...] = ()
    args: tuple[str, ...] = ()


class Profile(NamedTuple):
    """One profile. An empty template id means that this kind of answer is not configured."""

    id: str
    name: str = ""
    ignition_id: str = ""
    cloud_id: str = ""
    generic_id: str = ""
    boot: NetBoot | None = None

    def document(self) -> dict[str, object]:
        """The profile as matchbox writes it to a file: empty fields left out."""
        fields: dict[str, object] = {"id": self.id}
        for key in ("name", "ignition_id", "cloud_id", "generic_id"):
            if value := getattr(self, key):
                fields[key] = value
        if self.boot is not None:
            boot = {"kernel": self.boot.kernel, "initrd": list(self.boot.initrd), "args": list(self.boot.args)}
            fields["boot"] = {key: value for key, value in boot.items() if value}
        return fields
