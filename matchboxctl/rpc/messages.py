"""Groups and profiles as messages, and back."""

from grpc import StatusCode

from lambda_matchbox.catalog.groups import Group
from lambda_matchbox.catalog.labels import InvalidMACError, is_mac, normalise_mac
from lambda_matchbox.catalog.profiles import NetBoot, Profile
from matchboxctl.rpc import matchbox_pb2 as pb
from matchboxctl.rpc.go_metadata import read_metadata, write_metadata
from matchboxctl.rpc.refusals import RefusedError


def group_message(group: Group) -> pb.Group:
    """The group as a message. Raises RefusedError where no message can say what it is."""
    return pb.Group(
        id=group.id,
        name=group.name,
        profile=group.profile,
        selector=_single_values(group),
        metadata=_metadata(group),
    )


def _metadata(group: Group) -> bytes:
    try:
        return write_metadata(group.metadata)
    except RecursionError as error:
        why = f"group {group.id!r} has metadata that are nested too deeply for gRPC: edit it where it is kept"
        raise RefusedError(StatusCode.FAILED_PRECONDITION, why) from error


def _single_values(group: Group) -> dict[str, str]:
    """A message has one value for each key: a client that took one of several for it would write it back so."""
    single = {key: value for key, value in group.selector.items() if isinstance(value, str)}
    lists = sorted(set(group.selector) - set(single))
    if lists:
        raise RefusedError(
            StatusCode.FAILED_PRECONDITION,
            f"group {group.id!r} has a list of values in its selector ({', '.join(lists)}), which gRPC cannot say: "
            "edit it where it is kept",
        )
    return single


def group_in(message: pb.Group) -> Group:
    """The group in a message, its selector as it was sent. Raises MetadataError."""
    return Group(message.id, message.name, message.profile, dict(message.selector), read_metadata(message.metadata))


def profile_message(profile: Profile) -> pb.Profile:
    """The profile as a message, always with a `boot`: matchbox's clients die without one."""
    boot = profile.boot or NetBoot()
    return pb.Profile(
        id=profile.id,
        name=profile.name,
        ignition_id=profile.ignition_id,
        cloud_id=profile.cloud_id,
        boot=pb.NetBoot(kernel=boot.kernel, initrd=boot.initrd, args=boot.args),
        generic_id=profile.generic_id,
    )


def profile_in(message: pb.Profile, before: Profile | None) -> Profile:
    """The profile in a message. What no message can say stays as it was `before`."""
    boot = message.boot
    return (before or Profile(message.id))._replace(
        name=message.name,
        ignition_id=message.ignition_id,
        cloud_id=message.cloud_id,
        generic_id=message.generic_id,
        boot=NetBoot(boot.kernel, tuple(boot.initrd), tuple(boot.args)) if message.HasField("boot") else None,
    )


def labels_in(message: pb.SelectRequest) -> dict[str, str] | None:
    """The labels in a message, None where there are none.

    An address that is not in normal form matches no group, also none whose selector is such an address.
    """
    labels = dict(message.labels)
    kept = {key: value for key, value in labels.items() if not is_mac(key) or _is_normal(value)}
    return kept if labels else None


def _is_normal(address: str) -> bool:
    try:
        return normalise_mac(address) == address
    except InvalidMACError:
        return False
