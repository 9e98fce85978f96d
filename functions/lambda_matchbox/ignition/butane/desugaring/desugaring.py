"""The steps from a Butane config to an Ignition config, in place."""

from collections.abc import Iterator
from typing import cast

from lambda_matchbox.ignition.butane.checks.boot_device import boot_disk_warnings
from lambda_matchbox.ignition.butane.desugaring.data_urls import data_url, escaped_data_url
from lambda_matchbox.ignition.butane.desugaring.merging import merged
from lambda_matchbox.ignition.butane.desugaring.mount_units import mount_units
from lambda_matchbox.ignition.butane.dialects import Dialect
from lambda_matchbox.ignition.butane.report import ReportEntry
from lambda_matchbox.ignition.butane.structs import Sourced, empty, source_of
from lambda_matchbox.ignition.config.reader import struct, structs, text

_NO_FILES = "local file paths are relative to a files directory that must be specified with -d/--files-dir"
_UNSUPPORTED = "{} is not supported in this spec version"
# The fields of Ignition that a variant forbids: path and name.
_FORBIDDEN = {
    "flatcar": {},
    "r4e": {
        ("kernelArguments",): "kernel argument customization",
        ("storage", "disks"): "disk customization",
        ("storage", "filesystems"): "filesystem customization",
        ("storage", "luks"): "luks",
        ("storage", "raid"): "raid",
    },
}
_FORBIDDEN["fiot"] = _FORBIDDEN["r4e"]


def fill_in(config: Sourced, dialect: Dialect) -> Iterator[ReportEntry]:
    """Add data URLs for inline contents, and mount units.

    There is no files directory: each local file is an error.
    """
    struct(config, "ignition")["version"] = dialect.ignition_version
    ignition = struct(config, "ignition")
    references = structs(struct(ignition, "config"), "merge")
    references.append(struct(struct(ignition, "config"), "replace"))
    references += structs(struct(struct(ignition, "security"), "tls"), "certificateAuthorities")
    for reference in references:
        yield from _fill_resource(reference, dialect)
    for user in structs(struct(config, "passwd"), "users"):
        yield from _local_files(user, "ssh_authorized_keys_local")
    storage = cast(Sourced, config["storage"])
    for file in structs(storage, "files"):
        for resource in (*structs(file, "append"), struct(file, "contents")):
            yield from _fill_resource(resource, dialect)
    for luks in structs(storage, "luks"):
        yield from _fill_resource(struct(luks, "keyFile"), dialect)
    for unit in structs(struct(config, "systemd"), "units"):
        for one in (unit, *structs(unit, "dropins")):
            yield from _local_files(one, "contents_local")
    units = mount_units(storage, dialect)
    if units:
        systemd = empty("Systemd", dialect, ("systemd",))
        systemd["units"] = units
        config["systemd"] = merged("Systemd", systemd, cast(Sourced, config["systemd"]), dialect)
    for tree in structs(storage, "trees")[:1]:
        yield ReportEntry.error(cast(Sourced, tree).origin, _NO_FILES)


def add_boot_device(config: Sourced, dialect: Dialect) -> Iterator[ReportEntry]:
    """Merge the config into that for `boot_device` and `grub`. Yields warnings."""
    if dialect.variant != "fcos":
        return
    from lambda_matchbox.ignition.butane.desugaring.boot_device import boot_device_storage, grub_storage

    if dialect.boot_version:
        _put_under(config, boot_device_storage(cast(Sourced, config["boot_device"]), dialect), dialect)
    for problem in boot_disk_warnings(struct(config, "storage"), dialect):
        yield ReportEntry.warning(source_of(config, problem.path), problem.reason)
    if dialect.has_grub:
        _put_under(config, grub_storage(cast(Sourced, config["grub"]), dialect), dialect)


def _put_under(config: Sourced, storage: Sourced | None, dialect: Dialect) -> None:
    if storage is not None:
        config["storage"] = merged("Storage", storage, cast(Sourced, config["storage"]), dialect)


def forbidden_fields(config: Sourced, dialect: Dialect) -> Iterator[ReportEntry]:
    """The errors for fields that Ignition has and the variant forbids."""
    if dialect.variant == "flatcar":
        name, reason = "clevis", _UNSUPPORTED.format("clevis")
        if not dialect.is_stable:
            name, reason = "cex", "cex is not currently supported on the target platform"
        for index, luks in enumerate(structs(struct(config, "storage"), "luks")):
            if _is_given(luks[name]):
                path = source_of(config, f"$.storage.luks.{index}.{name}")
                yield ReportEntry.error(path, reason)
    for path, name in _FORBIDDEN.get(dialect.variant, {}).items():
        value: object = config
        for part in path:
            value = cast(Sourced, value).get(part)
        if _is_given(value):
            yield ReportEntry.error(source_of(config, ".".join(("$", *path))), _UNSUPPORTED.format(name))


def _is_given(value: object) -> bool:
    return any(map(_is_given, value.values())) if isinstance(value, dict) else value not in (None, [])


def _fill_resource(value: object, dialect: Dialect) -> Iterator[ReportEntry]:
    resource = cast(Sourced, value)
    if "local" in resource:
        yield ReportEntry.error((*resource.origin, "local"), _NO_FILES)
    elif "inline" in resource:
        contents = text(resource, "inline").encode("utf-8", "replace")
        origin = (*resource.origin, "inline")
        resource.moved["source"] = origin
        if not dialect.minor:
            # fcos 1.0.0 chooses no encoding.
            resource["source"] = escaped_data_url(contents)
            return
        resource["source"], compression = data_url(contents, text(resource, "compression"))
        if compression is not None:
            resource["compression"] = compression
            resource.moved["compression"] = origin


def _local_files(value_: object, key: str) -> Iterator[ReportEntry]:
    """The error for a struct that names files under `key`."""
    value = cast(Sourced, value_)
    if value.get(key):
        yield ReportEntry.error((*value.origin, key), _NO_FILES)
