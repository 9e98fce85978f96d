"""The addresses in kernel arguments, and what the machine expects at each."""

import re
from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import NamedTuple

DIRECTORY = "${cwduri}"
"""iPXE's variable for the address of the script, up to its last slash."""

BASE = "${base}"
"""The variable for the address of this server, which scripts set in groups with tokens."""


class Expected(StrEnum):
    """What the machine expects at an address."""

    CONFIGURATION = "configuration"
    FILE = "file"
    TREE = "installation tree"
    REPOSITORY = "package repository"
    SEED = "directory of cloud-init's NoCloud data source"
    ANY = "file or configuration"
    NOTHING = "nothing that is fetched as it boots, such as a proxy"


REPOSITORY_FILES = (
    ".treeinfo",
    "repodata/repomd.xml",
    *(f"{arch}/APKINDEX.tar.gz" for arch in ("x86_64", "aarch64", "x86", "armv7", "armhf", "riscv64", "loongarch64")),
)
"""The files by which a repository is known: Anaconda's, or those of Alpine for its architectures."""


class Reader(StrEnum):
    """The program that reads a configuration; UNKNOWN if the argument does not tell."""

    TALOS = "Talos"
    IGNITION = "Ignition"
    CLOUD_INIT = "cloud-init"
    KICKSTART = "Anaconda"
    UNKNOWN = ""


class Address(NamedTuple):
    """An address as it is written in the value of a kernel argument, with its variables."""

    argument: str
    text: str
    expected: Expected
    reader: Reader = Reader.UNKNOWN


_CONFIGURATIONS = {
    "talos.config": Reader.TALOS,
    "ignition.config.url": Reader.IGNITION,
    "coreos.config.url": Reader.IGNITION,
    "flatcar.config.url": Reader.IGNITION,
    "coreos.inst.ignition_url": Reader.IGNITION,
    "cloud-config-url": Reader.CLOUD_INIT,
    "inst.ks": Reader.KICKSTART,
    "ks": Reader.KICKSTART,
}
_FILES = frozenset({"coreos.live.rootfs_url", "coreos.inst.image_url"})
_STAGE2, _REPOSITORY, _ALPINE = "inst.stage2", "inst.repo", "alpine_repo"
_NOT_FETCHED = frozenset(
    {
        "archiso_http_srv",
        "http_proxy",
        "https_proxy",
        "inst.addrepo",
        "inst.proxy",
        "mirror",
        "proxy",
        "siderolink.api",
        "talos.events.sink",
    }
)
# Programs that read nothing but whole addresses: a path is a mistake of the profile's author.
_NO_PATHS = (Reader.TALOS, Reader.IGNITION)
_WHOLE = re.compile(r"https?://|\$\{", re.IGNORECASE)
_COMMA = re.compile(r",(?=https?://|\$\{(?:cwduri|base)\})", re.IGNORECASE)
_SEED = re.compile(r"nocloud(?:-net)?(?:;[^;]*)*?;(?:s|seedfrom)=([^;]*)")
_LIVE_ROOT = "live:"


def addresses_in(args: Iterable[str]) -> list[Address]:
    """The addresses in kernel arguments, in their order; one may hold several, separated by spaces or commas.

    An address begins with `http://`, `https://` or a variable. Those of other schemes, such as `nfs:`, are left out.
    """
    words = [word.replace('"', "") for arg in args for word in arg.split()]
    found = [address for word in words for address in _address(word)]
    if not any(address.argument == _STAGE2 for address in found):
        return found
    # Then the repository is read for packages only.
    return [
        address._replace(expected=Expected.REPOSITORY) if address.argument == _REPOSITORY else address
        for address in found
    ]


def _address(word: str) -> Iterator[Address]:
    name, _, value = word.partition("=")
    if name == "ds":
        if (seed := _SEED.match(value)) and _WHOLE.match(seed[1]):
            yield Address(name, seed[1], Expected.SEED, Reader.CLOUD_INIT)
        return
    if name == "root":
        value = value.removeprefix(_LIVE_ROOT)
    reader = _CONFIGURATIONS.get(name, Reader.UNKNOWN)
    for text in _COMMA.split(value):
        if _is_address(name, text, reader):
            yield Address(name, text, _expected(name, reader), reader)


def _is_address(name: str, value: str, reader: Reader) -> bool:
    if name in _CONFIGURATIONS or name in _FILES or name in (_STAGE2, _REPOSITORY):
        is_path = value.startswith("/") and (reader in _NO_PATHS or name in _FILES)
        return bool(_WHOLE.match(value)) or (is_path and not value.startswith("/dev/"))
    return value.lower().startswith(("http://", "https://", DIRECTORY, BASE))


def _expected(name: str, reader: Reader) -> Expected:
    if reader is not Reader.UNKNOWN:
        return Expected.CONFIGURATION
    if name in _FILES or name == "root":
        return Expected.FILE
    if name in (_STAGE2, _REPOSITORY):
        return Expected.TREE
    if name == _ALPINE:
        return Expected.REPOSITORY
    return Expected.NOTHING if name in _NOT_FETCHED else Expected.ANY
