"""The documents of a running matchbox, read by its gRPC API into a data directory."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import grpc

from lambda_matchbox.catalog.templates import TEMPLATE_KINDS
from matchboxctl.certs.files import MissingFileError, read_pem
from matchboxctl.cli.arguments import Address
from matchboxctl.cli.errors import FailedError, UsageError
from matchboxctl.cli.progress import Progress
from matchboxctl.cli.warnings import Warnings
from matchboxctl.documents.file_texts import group_text, profile_text
from matchboxctl.documents.names import id_error, template_name_error
from matchboxctl.rpc import matchbox_pb2 as pb
from matchboxctl.rpc.messages import group_in, profile_in
from matchboxctl.rpc.status_codes import StatusError

UNLISTED = "templates that no profile names, cloud templates, assets"
"""What gRPC does not give."""

_SECONDS = 30.0
_ABSENT = "no such file or directory"
_GETS = {"ignition": "Ignition/IgnitionGet", "generic": "Generic/GenericGet"}

_Document = TypeVar("_Document")


def read_over_rpc(address: Address, certs: Path, root: Path, warnings: Warnings) -> None:
    """Write groups, profiles and the templates that they name below `root`. Raises UsageError and FailedError."""
    try:
        files = [read_pem(certs / name) for name in ("ca.crt", "client.key", "client.crt")]
    except MissingFileError as error:
        raise UsageError(
            f"--certs {certs}: gRPC needs ca.crt, client.crt and client.key there, as bootcmd and Terraform use them"
        ) from error
    # A list of all groups may exceed gRPC's default limit.
    options = [("grpc.max_receive_message_length", -1)]
    try:
        with grpc.secure_channel(address.text, grpc.ssl_channel_credentials(*files), options) as channel:
            _Reading(channel, root, warnings).run()
    except grpc.RpcError as error:
        advice = f"see `matchboxctl certs --check {certs}`, and that matchbox runs with -rpc-address"
        raise FailedError(f"gRPC on {address.text}: {_details(error)}: {advice}") from error


class _Reading:
    """One reading of everything."""

    def __init__(self, channel: grpc.Channel, root: Path, warnings: Warnings) -> None:
        self._channel = channel
        self._root = root
        self._warnings = warnings

    def run(self) -> None:
        """Read and write everything. Raises RpcError."""
        listed = self._call("Groups/GroupList", pb.Empty(), pb.GroupListResponse)
        groups = list(listed.groups) if listed else []
        listed = self._call("Profiles/ProfileList", pb.Empty(), pb.ProfileListResponse)
        profiles = {message.id: message for message in (listed.profiles if listed else ())}
        # A group names its profile by the file's name, and lists have the ids in the files.
        for name in {group.profile for group in groups}:
            if found := self._call("Profiles/ProfileGet", pb.IdRequest(id=name), pb.ProfileGetResponse):
                profiles[name] = found.profile
        with Progress("reading profiles", len(profiles), "profiles") as progress:
            for name, message in profiles.items():
                self._profile(name, message)
                progress.add(1)
        known: set[str] = set()
        for message in groups:
            group = self._converted(partial(group_in, message))
            if message.id in known:
                what = f"group {message.id!r}: several files have this id, of which the first is copied"
                self._warnings.warn(f"{what}; give each its own, or migrate the data directory")
            elif group is not None:
                self._write("groups", group.id, group_text(group))
            known.add(message.id)

    def _profile(self, name: str, message: pb.Profile) -> None:
        profile = self._converted(partial(profile_in, message, None))
        if profile is None:
            return
        profile = profile._replace(id=name)
        self._write("profiles", name, profile_text(profile))
        for kind, template in profile.template_ids.items():
            if kind in _GETS:
                found = self._call(_GETS[kind], pb.NameRequest(name=template), pb.TemplateGetResponse)
                if found is not None:
                    self._write(kind, template, found.config)

    def _converted(self, convert: Callable[[], _Document]) -> _Document | None:
        try:
            return convert()
        except StatusError as error:
            self._warnings.warn(str(error))
            return None

    def _write(self, kind: str, name: str, body: bytes) -> None:
        is_template = kind in TEMPLATE_KINDS
        if reason := (template_name_error if is_template else id_error)(name) or ("" if name else "it has no id"):
            self._warnings.warn(f"{kind}: {reason}")
            return
        file = self._root / kind / (name if is_template else f"{name}.json")
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(body)
        except OSError as error:
            self._warnings.warn(f"{kind} {name!r}: cannot be written: {error.strerror}")

    def _call(self, method: str, request: Any, response: Any) -> Any | None:
        """The response; None where matchbox has no such file. Raises RpcError."""
        call = self._channel.unary_unary(f"/rpcpb.{method}", type(request).SerializeToString, response.FromString)
        try:
            return call(request, timeout=_SECONDS)
        except grpc.RpcError as error:
            if _ABSENT in _details(error):
                return None
            raise


def _details(error: Any) -> str:
    return str(error.details())
