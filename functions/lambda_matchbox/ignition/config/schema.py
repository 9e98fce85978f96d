"""The fields of Ignition configs, versions 3.0 to 3.6, in the order in which Ignition writes them.

From the published specification of each version, and from Ignition's types where these are more precise.

A type is a word: `string`, `int` and `bool` are left out if absent; `string!` is always written; `string0` and `int0`
are left out if empty. `[T]` is a list, left out if empty. Any other word is a struct, which is always written.
"""

from functools import cache

NEWEST_MINOR = 6
"""The minor version of the newest stable specification."""

_STRUCTS = {
    "Stub": "ignition:StubIgnition",
    "StubIgnition": "version:string!",
    "Config": "ignition:Ignition kernelArguments:KernelArguments passwd:Passwd storage:Storage systemd:Systemd",
    "Ignition": "config:IgnitionConfig proxy:Proxy security:Security timeouts:Timeouts version:string!",
    "IgnitionConfig": "merge:[Reference] replace:Reference",
    "Proxy": "httpProxy:string httpsProxy:string noProxy:[string]",
    "Security": "tls:TLS",
    "TLS": "certificateAuthorities:[Reference]",
    "Timeouts": "httpResponseHeaders:int httpTotal:int",
    "Reference": "compression:string httpHeaders:[HTTPHeader] source:string verification:Verification",
    "Resource": "compression:string httpHeaders:[HTTPHeader] source:string verification:Verification",
    "HTTPHeader": "name:string! value:string",
    "Verification": "hash:string",
    "KernelArguments": "shouldExist:[string] shouldNotExist:[string]",
    "Passwd": "groups:[PasswdGroup] users:[PasswdUser]",
    "PasswdGroup": "gid:int name:string! passwordHash:string shouldExist:bool system:bool",
    "PasswdUser": (
        "gecos:string groups:[string] homeDir:string name:string! noCreateHome:bool noLogInit:bool noUserGroup:bool"
        " passwordHash:string primaryGroup:string sshAuthorizedKeys:[string] shell:string shouldExist:bool"
        " system:bool uid:int"
    ),
    "Storage": (
        "directories:[Directory] disks:[Disk] files:[File] filesystems:[Filesystem] links:[Link] luks:[Luks]"
        " raid:[Raid]"
    ),
    "Directory": "group:NodeOwner overwrite:bool path:string! user:NodeOwner mode:int",
    "File": ("group:NodeOwner overwrite:bool path:string! user:NodeOwner append:[Resource] contents:Resource mode:int"),
    "Link": "group:NodeOwner overwrite:bool path:string! user:NodeOwner hard:bool target:string",
    "NodeOwner": "id:int name:string",
    "Disk": "device:string! partitions:[Partition] wipeTable:bool",
    "Partition": (
        "guid:string label:string number:int0 resize:bool shouldExist:bool sizeMiB:int startMiB:int typeGuid:string"
        " wipePartitionEntry:bool"
    ),
    "Filesystem": (
        "device:string! format:string label:string mountOptions:[string] options:[string] path:string uuid:string"
        " wipeFilesystem:bool"
    ),
    "Luks": (
        "cex:Cex clevis:Clevis device:string discard:bool keyFile:Resource label:string name:string!"
        " openOptions:[string] options:[string] uuid:string wipeVolume:bool"
    ),
    "Cex": "enabled:bool",
    "Clevis": "custom:ClevisCustom tang:[Tang] threshold:int tpm2:bool",
    "ClevisCustom": "config:string needsNetwork:bool pin:string",
    "Tang": "advertisement:string thumbprint:string url:string0",
    "Raid": "devices:[Device] level:string name:string! options:[string] spares:int",
    "Systemd": "units:[Unit]",
    "Unit": "contents:string dropins:[Dropin] enabled:bool mask:bool name:string!",
    "Dropin": "contents:string name:string!",
}

_SINCE = {
    "Config.kernelArguments": 3,
    "Ignition.proxy": 1,
    "Reference.compression": 1,
    "Reference.httpHeaders": 1,
    "Resource.httpHeaders": 1,
    "PasswdGroup.shouldExist": 2,
    "PasswdUser.shouldExist": 2,
    "Storage.luks": 2,
    "Partition.resize": 2,
    "Filesystem.mountOptions": 1,
    "Luks.cex": 5,
    "Luks.discard": 4,
    "Luks.openOptions": 4,
    "Tang.advertisement": 4,
}

# Before these versions the fields cannot be absent: they are empty strings, and are written after an upgrade.
_EMPTY_BEFORE = {"Link.target": 3, "ClevisCustom.config": 3, "ClevisCustom.pin": 3}

Fields = dict[str, str]
"""The types of fields by name."""


@cache
def fields_of(struct: str, minor: int) -> Fields:
    """The fields of `struct` in version 3.`minor`, in order; none if it is not a struct."""
    fields: Fields = {}
    for word in _STRUCTS.get(struct, "").split():
        name, _, kind = word.partition(":")
        if _SINCE.get(f"{struct}.{name}", 0) <= minor:
            fields[name] = kind + "!" if minor < _EMPTY_BEFORE.get(f"{struct}.{name}", 0) else kind
    return fields
