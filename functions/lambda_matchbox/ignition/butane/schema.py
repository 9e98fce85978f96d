"""The fields of Butane configs: those of Ignition in snake case, and Butane's own.

A struct has Ignition's names for the former; Butane's own keep their key.
"""

import re
from functools import cache
from typing import NamedTuple

from lambda_matchbox.ignition.butane.dialects import Dialect
from lambda_matchbox.ignition.config.schema import fields_of as ignition_fields_of

# Struct, the field before, the minor version that adds it, name, type.
_ADDED = (
    ("Resource", "source", 0, "inline", "string"),
    ("Resource", "inline", 1, "local", "string"),
    ("Reference", "source", 1, "inline", "string"),
    ("Reference", "inline", 1, "local", "string"),
    ("PasswdUser", "sshAuthorizedKeys", 4, "ssh_authorized_keys_local", "[string]"),
    ("Storage", "raid", 1, "trees", "[Tree]"),
    ("Filesystem", "wipeFilesystem", 1, "with_mount_unit", "bool"),
    ("Unit", "contents", 4, "contents_local", "string"),
    ("Dropin", "contents", 4, "contents_local", "string"),
)
_OWN = {
    "CommonFields": (("version", "string!", 0), ("variant", "string!", 0)),
    "Tree": (
        ("group", "NodeOwner", 6),
        ("local", "string!", 0),
        ("path", "string", 0),
        ("user", "NodeOwner", 6),
        ("file_mode", "int", 6),
        ("dir_mode", "int", 6),
    ),
    "BootDevice": (("layout", "string", 0), ("luks", "BootDeviceLuks", 0), ("mirror", "BootDeviceMirror", 0)),
    "BootDeviceLuks": (
        ("cex", "Cex", 5),
        ("discard", "bool", 4),
        ("device", "string", 5),
        ("tang", "[Tang]", 0),
        ("threshold", "int", 0),
        ("tpm2", "bool", 0),
    ),
    "BootDeviceMirror": (("devices", "[string]", 0),),
    "Grub": (("users", "[GrubUser]", 0),),
    "GrubUser": (("name", "string!", 0), ("password_hash", "string", 0)),
}
SCALARS = frozenset({"string", "int", "bool"})
_WORD = re.compile("MiB|[A-Z]")


class Field(NamedTuple):
    """A field: its key in the text, its name in the struct, its type as in `config.schema`."""

    key: str
    name: str
    kind: str


def snake(name: str) -> str:
    """Ignition's `sizeMiB` is Butane's `size_mib`."""
    return _WORD.sub(lambda word: f"_{word[0].lower()}", name)


@cache
def fields_of(struct: str, dialect: Dialect) -> tuple[Field, ...]:
    """The fields of `struct` in Butane's order; none if it is not a struct."""
    if struct in _OWN:
        return tuple(Field(name, name, kind) for name, kind, since in _OWN[struct] if since <= dialect.minor)
    fields: list[Field] = []
    if struct == "Config":
        fields += fields_of("CommonFields", dialect)
    for name, kind in ignition_fields_of(struct, dialect.minor).items():
        if struct != "Ignition" or name != "version":
            fields.append(Field(snake(name), name, kind))
    for owner, after, since, name, kind in _ADDED:
        if owner == struct and since <= dialect.minor:
            at = next((index for index, field in enumerate(fields, 1) if field.name == after), 0)
            fields.insert(at, Field(name, name, kind))
    if struct == "Config" and dialect.boot_version:
        fields.append(Field("boot_device", "boot_device", "BootDevice"))
    if struct == "Config" and dialect.has_grub:
        fields.append(Field("grub", "grub", "Grub"))
    return tuple(fields)


_GO_NAMES = {
    "KernelArguments.shouldExist": "KernelArgument",
    "KernelArguments.shouldNotExist": "KernelArgument",
    "PasswdUser.groups": "Group",
    "PasswdUser.sshAuthorizedKeys": "SSHAuthorizedKey",
    "Raid.devices": "Device",
    "Directory.group": "NodeGroup",
    "Directory.user": "NodeUser",
    "File.group": "NodeGroup",
    "File.user": "NodeUser",
    "Link.group": "NodeGroup",
    "Link.user": "NodeUser",
    "Tree.group": "NodeGroup",
    "Tree.user": "NodeUser",
    "IgnitionConfig.merge": "Resource",
    "IgnitionConfig.replace": "Resource",
    "TLS.certificateAuthorities": "Resource",
}
# Later ones are plain strings.
_GO_NAMES_BEFORE_4 = {
    "Luks.options": "LuksOption",
    "Raid.options": "RaidOption",
}
_GO_NAMES_OF_FIRST = {
    "File.append": "FileContents",
    "Filesystem.options": "FilesystemOption",
    "File.contents": "FileContents",
    "IgnitionConfig.merge": "ConfigReference",
    "IgnitionConfig.replace": "ConfigReference",
    "TLS.certificateAuthorities": "CaReference",
}
_OF_THE_VARIANT = frozenset({"BootDevice", "BootDeviceLuks", "BootDeviceMirror", "Grub", "GrubUser", "Config"})


def type_text(struct: str, field: Field, dialect: Dialect) -> str:
    """The type of a field as Go prints it in errors, like `[]v0_5.File`."""
    kind = field.kind.strip("[]!0")
    where = f"{struct}.{field.name}"
    name = _GO_NAMES.get(where, "" if kind in SCALARS else kind)
    if dialect.minor < 4:
        name = _GO_NAMES_BEFORE_4.get(where, name)
    if dialect.minor == 2 and name == "ClevisCustom":
        name = "Custom"
    if not dialect.minor:
        name = _GO_NAMES_OF_FIRST.get(where, name)
    listed = "[]" if field.kind.startswith("[") else ""
    if where.endswith("httpHeaders"):
        listed, name = "", "HTTPHeaders"
    return listed + (f"{package(name, dialect)}.{name}" if name else kind)


def package(name: str, dialect: Dialect) -> str:
    """The Go package of a type."""
    if name == "CommonFields":
        return "config"
    if name in _OF_THE_VARIANT:
        number = dialect.version.rpartition(".")[0].replace(".", "_")
    else:
        number = f"0_{dialect.minor + 1 if dialect.is_stable else dialect.minor + 2}"
    return f"v{number}" if dialect.is_stable else f"v{number}_exp"
