"""Profiles: what a machine boots, the templates of its configurations, and metadata for them."""

import re
from collections.abc import Mapping
from typing import NamedTuple

from lambda_matchbox.catalog.control_characters import CONTROL

# A tab separates words, for iPXE and GRUB as well.
_UNSAFE = re.compile(f"(?!\t){CONTROL.pattern}")


class UnsafeBootError(ValueError):
    """A value of a boot section that could add a line to a boot script, at the `path` in the profile."""

    def __init__(self, path: tuple[str | int, ...], character: str) -> None:
        self.path = path
        self.reason = f"the control character {character!a} could begin a new line of the boot script: remove it"
        super().__init__(f"{'.'.join(map(str, path))}: {self.reason}")


class NetBoot(NamedTuple):
    """Kernel, initial RAM disks and kernel arguments: matchbox's `boot`."""

    kernel: str = ""
    initrd: tuple[str, ...] = ()
    args: tuple[str, ...] = ()

    def check(self) -> None:
        """Raises UnsafeBootError if a value has a control character."""
        # Python's printable characters are no control characters, and most texts have no others.
        if "".join((self.kernel, *self.initrd, *self.args)).isprintable():
            return
        values: list[tuple[tuple[str | int, ...], str]] = [(("kernel",), self.kernel)]
        values += [(("initrd", at), text) for at, text in enumerate(self.initrd)]
        values += [(("args", at), text) for at, text in enumerate(self.args)]
        for path, text in values:
            if found := _UNSAFE.search(text):
                raise UnsafeBootError(("boot", *path), found[0])


class Profile(NamedTuple):
    """One profile. An empty template id means that this route is not configured; metadata is a JSON object."""

    id: str
    name: str = ""
    ignition_id: str = ""
    cloud_id: str = ""
    generic_id: str = ""
    boot: NetBoot | None = None
    metadata: Mapping[str, object] = {}

    @property
    def template_ids(self) -> dict[str, str]:
        """The ids of its templates, by kind."""
        ids = {"ignition": self.ignition_id, "cloud": self.cloud_id, "generic": self.generic_id}
        return {kind: template_id for kind, template_id in ids.items() if template_id}

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
