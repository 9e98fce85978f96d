"""The documents of a running matchbox, read by its gRPC API into a data directory."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lambda_matchbox.catalog.groups import Group
from lambda_matchbox.catalog.profiles import Profile
from matchboxctl.certs.files import MissingFileError, read_pem
from matchboxctl.cli.arguments import Address
from matchboxctl.cli.errors import FailedError, UsageError
from matchboxctl.cli.progress import Progress
from matchboxctl.cli.warnings import Warnings
from matchboxctl.documents.file_texts import group_text, profile_text
from matchboxctl.documents.names import id_error, template_name_error

if TYPE_CHECKING:
    import grpc

UNLISTED = "templates that no profile names, cloud templates, assets"
"""What gRPC does not give."""

_SECONDS = 30.0
_ABSENT = "no such file or directory"


def read_over_rpc(address: Address, certs: Path, root: Path, warnings: Warnings) -> None:
    """Write groups, profiles and the templates that they name below `root`. Raises UsageError and FailedError."""
    try:
        files = [read_pem(certs / name) for name in ("ca.crt", "client.key", "client.crt")]
    except MissingFileError as error:
        raise UsageError(
            f"--certs {certs}: gRPC needs ca.crt, client.crt and client.key there, as bootcmd and Terraform use them"
        ) from error
    # grpc reads this when it is imported. Its own log has lines of another format.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    import grpc

    credentials = grpc.ssl_channel_credentials(*files)
    # A list of all groups may exceed gRPC's default limit.
    options = [("grpc.max_receive_message_length", -1)]
    with grpc.secure_channel(address.text, credentials, options) as channel, _advising(address, certs):
        _Reading(channel, root, warnings).run()


@contextmanager
def _advising(address: Address, certs: Path) -> Iterator[None]:
    import grpc

    try:
        yield
    except grpc.RpcError as error:
        advice = f"see `matchboxctl certs --check {certs}`, and that matchbox runs with -rpc-address"
        raise FailedError(f"gRPC on {address.text}: {_details(error)}: {advice}") from error


class _Reading:
    """One reading of everything."""

    def __init__(self, channel: "grpc.Channel", root: Path, warnings: Warnings) -> None:
        self._channel = channel
        self._root = root
        self._warnings = warnings

    def run(self) -> None:
        from matchboxctl.rpc import matchbox_pb2 as pb

        groups = [one for one in map(self._group, self._groups()) if one is not None]
        listed = self._call("Profiles/ProfileList", pb.Empty(), pb.ProfileListResponse)
        profiles = {message.id: message for message in (() if listed is None else listed.profiles)}
        # A group names its profile by the file's name, and lists have the ids in the files.
        for name in {group.profile for group in groups}:
            found = self._call("Profiles/ProfileGet", pb.IdRequest(id=name), pb.ProfileGetResponse)
            if found is not None:
                profiles[name] = found.profile
        with Progress("reading profiles", len(profiles), "profiles") as progress:
            for name, message in profiles.items():
                if (profile := self._profile(name, message)) is not None:
                    self._templates(profile)
                progress.add(1)
        for group in groups:
            self._write(f"groups/{group.id}.json", group_text(group))

    def _groups(self) -> list[Any]:
        """The messages of all groups, without those whose id another has: only their files' names differ."""
        from matchboxctl.rpc import matchbox_pb2 as pb

        listed = self._call("Groups/GroupList", pb.Empty(), pb.GroupListResponse)
        found: dict[str, Any] = {}
        for message in () if listed is None else listed.groups:
            if message.id in found:
                what = f"group {message.id!r}: several files have this id, of which the first is copied"
                self._warnings.warn(f"{what}; give each its own, or migrate the data directory")
            else:
                found[message.id] = message
        return list(found.values())

    def _group(self, message: Any) -> Group | None:
        from matchboxctl.rpc.messages import group_in
        from matchboxctl.rpc.status_codes import StatusError

        try:
            return group_in(message) if self._is_valid(f"group {message.id!r}", id_error(message.id)) else None
        except StatusError as error:
            self._warnings.warn(str(error))
            return None

    def _profile(self, name: str, message: Any) -> Profile | None:
        """The profile, after it is written."""
        from matchboxctl.rpc.messages import profile_in
        from matchboxctl.rpc.status_codes import StatusError

        try:
            profile = profile_in(message, None)._replace(id=name)
        except StatusError as error:
            self._warnings.warn(str(error))
            return None
        if not self._is_valid(f"profile {name!r}", id_error(name)):
            return None
        self._write(f"profiles/{name}.json", profile_text(profile))
        return profile

    def _templates(self, profile: Profile) -> None:
        from matchboxctl.rpc import matchbox_pb2 as pb

        for kind, method in (("ignition", "Ignition/IgnitionGet"), ("generic", "Generic/GenericGet")):
            name = profile.template_ids.get(kind, "")
            if name and self._is_valid(f"profile {profile.id!r}", template_name_error(name)):
                found = self._call(method, pb.NameRequest(name=name), pb.TemplateGetResponse)
                if found is not None:
                    self._write(f"{kind}/{name}", found.config)

    def _is_valid(self, what: str, reason: str) -> bool:
        if reason:
            self._warnings.warn(f"{what}: {reason}")
        return not reason

    def _write(self, path: str, body: bytes) -> None:
        file = self._root / path
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(body)
        except OSError as error:
            self._warnings.warn(f"{path}: cannot be written: {error.strerror}")

    def _call(self, method: str, request: Any, response: Any) -> Any | None:
        """The response; None where matchbox has no such file. Raises RpcError."""
        import grpc

        call = self._channel.unary_unary(f"/rpcpb.{method}", type(request).SerializeToString, response.FromString)
        try:
            return call(request, timeout=_SECONDS)
        except grpc.RpcError as error:
            if _ABSENT in _details(error):
                return None
            raise


def _details(error: Any) -> str:
    return str(error.details())
