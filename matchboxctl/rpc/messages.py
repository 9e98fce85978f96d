"""Groups and profiles as messages, and back."""

import json

from grpc import StatusCode

from lambda_matchbox.catalog.groups import Group
from lambda_matchbox.catalog.labels import is_mac, is_plain
from lambda_matchbox.catalog.profiles import NetBoot, Profile, UnsafeBootError
from lambda_matchbox.golang.hardware_address import InvalidMACError, normalise_mac
from lambda_matchbox.machines.policy import Policy, policy_in
from matchboxctl.rpc import matchbox_pb2 as pb
from matchboxctl.rpc.metadata import MetadataError, read_metadata, write_metadata
from matchboxctl.rpc.status_codes import StatusError

POLICY = "matchbox_boot"
"""The metadata key of a group's boot policy, as JSON in a string: matchbox's message has no field for it."""


def group_message(group: Group) -> pb.Group:
    """The group as a message. Raises StatusError if no message can represent it."""
    return pb.Group(
        id=group.id,
        name=group.name,
        profile=group.profile,
        selector=_single_values(group),
        metadata=_metadata(group),
    )


def _metadata(group: Group) -> bytes:
    try:
        # As Terraform's jsonencode writes it, so that a plan shows no difference.
        fields = {} if group.boot is None else group.boot.fields()
        policy = {POLICY: json.dumps(fields, sort_keys=True, separators=(",", ":"))} if fields else {}
        return write_metadata({**group.metadata, **policy})
    except RecursionError as error:
        message = f"metadata of group {group.id!r} is nested too deeply for gRPC: use `matchboxctl group`"
        raise StatusError(StatusCode.FAILED_PRECONDITION, message) from error


def _single_values(group: Group) -> dict[str, str]:
    """The selector. A message has one value for each key, and a client would write back what it has read."""
    single = {key: value for key, value in group.selector.items() if isinstance(value, str)}
    lists = sorted(set(group.selector) - set(single))
    if lists:
        raise StatusError(
            StatusCode.FAILED_PRECONDITION,
            f"the selector of group {group.id!r} has lists of values ({', '.join(lists)}), and gRPC cannot represent "
            "them: use `matchboxctl group`",
        )
    return single


def group_in(message: pb.Group) -> Group:
    """The group in a message, with its selector unchanged. Raises StatusError."""
    try:
        metadata = read_metadata(message.metadata)
    except MetadataError as error:
        raise StatusError(StatusCode.UNKNOWN, f"invalid metadata of group {message.id!r}: {error}") from error
    try:
        policy = _policy_in(metadata.pop(POLICY, "{}"))
    except ValueError as error:
        reason = f"invalid metadata {POLICY} of group {message.id!r}: {error}"
        raise StatusError(StatusCode.INVALID_ARGUMENT, reason) from error
    return Group(message.id, message.name, message.profile, dict(message.selector), metadata, policy)


def _policy_in(text: object) -> Policy | None:
    """The policy in JSON. Raises ValueError."""
    fields = json.loads(text) if isinstance(text, str) else None
    if not isinstance(fields, dict):
        raise ValueError("not the JSON of an object")
    return policy_in(fields)


def profile_message(profile: Profile) -> pb.Profile:
    """The profile as a message, always with a `boot`: matchbox's clients crash without one."""
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
    """The profile in a message. Fields that no message has stay as they were `before`. Raises StatusError."""
    boot = NetBoot(message.boot.kernel, tuple(message.boot.initrd), tuple(message.boot.args))
    try:
        boot.check()
    except UnsafeBootError as error:
        raise StatusError(StatusCode.INVALID_ARGUMENT, f"profile {message.id!r}: {error}") from error
    return (before or Profile(message.id))._replace(
        name=message.name,
        ignition_id=message.ignition_id,
        cloud_id=message.cloud_id,
        generic_id=message.generic_id,
        boot=boot if message.HasField("boot") else None,
    )


def labels_in(message: pb.SelectRequest) -> dict[str, str] | None:
    """The labels in a message; None if there are none.

    A label that is not plain counts as absent. A MAC address that is not in normal form matches no group, not even one
    with the same address in its selector.
    """
    labels = dict(message.labels)
    kept = {key: value for key, value in labels.items() if is_plain(key, value) and _may_match(key, value)}
    return kept if labels else None


def _may_match(key: str, value: str) -> bool:
    try:
        return not is_mac(key) or normalise_mac(value) == value
    except InvalidMACError:
        return False
