"""Findings on boot sections: addresses without a route or an asset, and requests that another group would answer."""

from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from pathlib import PurePosixPath
from typing import NamedTuple

from lambda_matchbox.catalog.groups import Group
from lambda_matchbox.catalog.profiles import Profile, UnsafeBootError
from lambda_matchbox.catalog.templates import TEMPLATE_KINDS
from lambda_matchbox.errors import StoreUnavailableError
from lambda_matchbox.releases.pointers import covering
from lambda_matchbox.web.signatures import SIGNED, signed_route
from matchboxctl.netboot import treeinfo
from matchboxctl.netboot.addresses import DIRECTORY, REPOSITORY_FILES, Expected
from matchboxctl.validate.boot_addresses import BootAddress, boot_addresses
from matchboxctl.validate.contents import Contents
from matchboxctl.validate.findings import Finding, Severity, some

_ASSETS = "/assets/"
_PROFILES = "/profiles/"
_SUM = ".sha256"
_SEED = ("user-data", "meta-data")


def boot_findings(contents: Contents) -> Iterator[Finding]:
    """The findings on all boot sections."""
    users: dict[str, list[Group]] = {}
    for group in contents.groups:
        users.setdefault(group.profile, []).append(group)
    named: dict[str, list[_Named]] = {}
    for profile in contents.profiles:
        if profile.boot is None:
            continue
        file = contents.file("profiles", profile.id)
        try:
            profile.boot.check()
        except UnsafeBootError as error:
            yield Finding(Severity.FAULT, "boot", file, str(error))
        if not profile.boot.kernel:
            yield Finding(Severity.FAULT, "boot", file, "the boot section has no kernel", "add boot.kernel")
        for address in boot_addresses(profile.boot):
            groups = users.get(profile.id, ())
            if address.path.startswith(_ASSETS):
                named.setdefault(address.path.removeprefix(_ASSETS), []).append(_Named(file, address, groups))
            yield from _address_findings(profile, file, address, groups)
    yield from _asset_findings(contents, named)


def _address_findings(profile: Profile, file: str, address: BootAddress, groups: Sequence[Group]) -> Iterator[Finding]:
    route = address.path.removeprefix("/")
    if address.text.startswith("/") and address.where not in ("kernel", "initrd"):
        message = f"{address.where} has the path {address.path} and no server, where the machine needs both"
        yield Finding(Severity.FAULT, "address", file, message, f"write {DIRECTORY} in place of the first slash")
    elif route in (*TEMPLATE_KINDS, "metadata"):
        if route in TEMPLATE_KINDS and route not in profile.template_ids:
            message = f"{address.where} requests {address.path}, for which the profile has no {route}_id"
            yield Finding(Severity.FAULT, "route", file, message, f"add {route}_id, or remove the argument")
        yield from _label_findings(file, address, groups)
    elif address.is_own and not is_route(address.path):
        close = get_close_matches(address.path, [*sorted(SIGNED), _ASSETS], 1, cutoff=0.7)
        advice = f"did you mean {close[0]}?" if close else f"the files of this server are below {_ASSETS}"
        yield Finding(Severity.FAULT, "route", file, f"{address.where}: there is no route {address.path}", advice)


def is_route(path: str) -> bool:
    """Whether this server has something at such a path."""
    return path in SIGNED or path == "/" or path.startswith((_ASSETS, _PROFILES)) or signed_route(path) is not None


def _label_findings(file: str, address: BootAddress, groups: Sequence[Group]) -> Iterator[Finding]:
    """Groups that the request of their machines would not match, since it lacks labels that they select by."""
    lacking: dict[tuple[str, ...], list[str]] = {}
    for group in groups:
        # A token names the machine.
        named = {*address.query, *(["mac"] if "token" in address.query else [])}
        if missing := tuple(sorted(group.selector.keys() - named)):
            lacking.setdefault(missing, []).append(group.id)
    for missing, ids in lacking.items():
        labels = ", ".join(missing)
        message = f"{address.where} requests {address.path} without {labels}, by which {some(ids)} selects"
        added = "&".join(f"{label}=…" for label in missing)
        yield Finding(Severity.FAULT, "labels", file, message, f"add {added} to the address", groups=ids)


class _Named(NamedTuple):
    """An address of an asset, in the file of a profile of these groups."""

    file: str
    address: BootAddress
    groups: Sequence[Group]


def _groups(places: Sequence[_Named]) -> list[str]:
    return list(dict.fromkeys(group.id for place in places for group in place.groups))


def _asset_findings(contents: Contents, named: Mapping[str, Sequence[_Named]]) -> Iterator[Finding]:
    """A finding for each asset that is absent, and for those without a checksum beside others that have one."""
    without_sum: dict[str, list[_Named]] = {}
    with_sum: set[str] = set()
    for path, places in named.items():
        first = places[0]
        more = f" (and {len(places) - 1} more)" if len(places) > 1 else ""
        where = f"{first.address.where}{more}: {first.address.path}"
        try:
            reason, paths = _absence(contents, path, first.address.expected)
            if not reason and first.address.expected is Expected.FILE:
                if contents.assets.file(path + _SUM) is None:
                    without_sum.setdefault(path, list(places))
                else:
                    with_sum.add(str(PurePosixPath(path).parent))
        except StoreUnavailableError as error:
            reason, paths = f"cannot be read: {error}", [path]
        if reason:
            # What another server has is not known.
            severity = Severity.FAULT if first.address.is_own else Severity.NOTE
            where += "" if first.address.is_own else ", if that is this server,"
            yield Finding(
                severity, "asset", first.file, f"{where} {reason}", _advice(contents, paths), groups=_groups(places)
            )
    for path, places in without_sum.items():
        if str(PurePosixPath(path).parent) in with_sum:
            message = f"{places[0].address.where}: {_ASSETS}{path} has no {_SUM} beside it, unlike others"
            yield Finding(Severity.NOTE, "checksum", places[0].file, message, _advice(contents, [path + _SUM]))


class _Absence(NamedTuple):
    """What is absent, empty if nothing is, and the paths that would have it."""

    reason: str
    paths: Sequence[str]


def _absence(contents: Contents, path: str, expected: Expected) -> _Absence:
    """What is absent at the path of an asset. Raises StoreUnavailableError."""
    directory = path.rstrip("/")
    match expected:
        case Expected.TREE:
            images = (treeinfo.NAME, *treeinfo.DEFAULT_IMAGES)
            paths = (directory, *(f"{directory}/{name}" for name in images))
            reason = "" if any(map(contents.assets.file, paths)) else f"has neither {' nor '.join(images)}"
        case Expected.REPOSITORY:
            is_there = any(contents.assets.file(f"{directory}/{name}") for name in REPOSITORY_FILES)
            reason = "" if is_there else f"is no repository, without {', '.join(REPOSITORY_FILES[:3])}"
        case Expected.SEED:
            missing = [name for name in _SEED if contents.assets.file(f"{directory}/{name}") is None]
            reason = f"lacks {' and '.join(missing)}" if missing else ""
            return _Absence(reason, [f"{directory}/{name}" for name in missing])
        case Expected.ANY if contents.assets.listing(directory) is not None:
            reason = ""
        case _:
            reason = "does not exist" if contents.assets.file(path) is None else ""
    return _Absence(reason, [path])


def _advice(contents: Contents, paths: Sequence[str]) -> str:
    path = paths[0]
    for source in contents.sources.values():
        if path.startswith(f"{source.assets}/"):
            if covering(contents.pointers, path) is None:
                return contents.sync_command(source.id)
            return f"the release of source {source.id} lacks it: see its files"
    if not contents.assets_path:
        return "add it by matchboxctl import"
    return f"add {' and '.join(str(contents.assets_path / file) for file in paths)}"
