"""The methods of matchbox's five services."""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

from google.protobuf.message import Message
from grpc import StatusCode

from lambda_matchbox.catalog.groups import Group
from lambda_matchbox.catalog.selection import sort_key
from lambda_matchbox.errors import DocumentError
from matchboxctl.documents.names import id_error, template_name_error
from matchboxctl.rpc import matchbox_pb2 as pb
from matchboxctl.rpc.editable_catalog import EditableCatalog
from matchboxctl.rpc.messages import group_in, group_message, labels_in, profile_in, profile_message
from matchboxctl.rpc.status_codes import StatusError

Method = Callable[[Any], Message]


class Services:
    """The methods on documents. They raise errors that `matchboxctl.rpc.status_codes` translates."""

    def __init__(self, documents: EditableCatalog) -> None:
        self._documents = documents

    def methods(self) -> Mapping[str, Method]:
        """The methods by name; each takes and returns the messages that the .proto names."""
        templates: dict[str, Method] = {}
        for service, kind in (("Ignition", "ignition"), ("Generic", "generic")):
            templates[f"{service}Put"] = partial(self._template_put, kind)
            templates[f"{service}Get"] = partial(self._template_get, kind)
            templates[f"{service}Delete"] = partial(self._template_delete, kind)
        return {
            "GroupPut": self._group_put,
            "GroupGet": self._group_get,
            "GroupDelete": self._group_delete,
            "GroupList": self._group_list,
            "ProfilePut": self._profile_put,
            "ProfileGet": self._profile_get,
            "ProfileDelete": self._profile_delete,
            "ProfileList": self._profile_list,
            "SelectGroup": self._select_group,
            "SelectProfile": self._select_profile,
            **templates,
        }

    def _group_put(self, request: pb.GroupPutRequest) -> pb.Empty:
        if not request.group.id:
            raise StatusError(StatusCode.UNKNOWN, "Id is required")
        if not request.group.profile:
            raise StatusError(StatusCode.UNKNOWN, "Group requires a Profile")
        group = group_in(request.group)
        _check_id(group.id)
        self._documents.put_group(group)
        return pb.Empty()

    def _group_get(self, request: pb.IdRequest) -> pb.GroupGetResponse:
        _check_id(request.id)
        group = self._documents.group(request.id)
        if group is None:
            raise self._not_found("open", f"groups/{request.id}.json")
        return pb.GroupGetResponse(group=group_message(group))

    def _group_delete(self, request: pb.IdRequest) -> pb.Empty:
        _check_id(request.id)
        if not self._documents.delete_group(request.id):
            raise self._not_found("remove", f"groups/{request.id}.json")
        return pb.Empty()

    def _group_list(self, _: pb.Empty) -> pb.GroupListResponse:
        return pb.GroupListResponse(groups=_messages(_in_order(self._documents.groups())))

    def _profile_put(self, request: pb.ProfilePutRequest) -> pb.Empty:
        profile_id = request.profile.id
        if not profile_id:
            raise StatusError(StatusCode.UNKNOWN, "Id is required")
        _check_id(profile_id)
        try:
            before = self._documents.profile(profile_id)
        except DocumentError:
            before = None
        self._documents.put_profile(profile_in(request.profile, before))
        return pb.Empty()

    def _profile_get(self, request: pb.IdRequest) -> pb.ProfileGetResponse:
        _check_id(request.id)
        profile = self._documents.profile(request.id)
        if profile is None:
            raise self._not_found("open", f"profiles/{request.id}.json")
        return pb.ProfileGetResponse(profile=profile_message(profile))

    def _profile_delete(self, request: pb.IdRequest) -> pb.Empty:
        _check_id(request.id)
        if not self._documents.delete_profile(request.id):
            raise self._not_found("remove", f"profiles/{request.id}.json")
        return pb.Empty()

    def _profile_list(self, _: pb.Empty) -> pb.ProfileListResponse:
        return pb.ProfileListResponse(profiles=map(profile_message, _in_order(self._documents.profiles())))

    def _template_put(self, kind: str, request: pb.TemplatePutRequest) -> pb.Empty:
        if not request.name:
            raise StatusError(StatusCode.INVALID_ARGUMENT, "a template needs a name")
        _check_name(request.name)
        self._documents.put_template(kind, request.name, request.config)
        return pb.Empty()

    def _template_get(self, kind: str, request: pb.NameRequest) -> pb.TemplateGetResponse:
        _check_name(request.name)
        body = self._documents.template(kind, request.name)
        if body is None:
            raise self._not_found("open", f"{kind}/{request.name}")
        return pb.TemplateGetResponse(config=body)

    def _template_delete(self, kind: str, request: pb.NameRequest) -> pb.Empty:
        _check_name(request.name)
        if not self._documents.delete_template(kind, request.name):
            raise self._not_found("remove", f"{kind}/{request.name}")
        return pb.Empty()

    def _select_group(self, request: pb.SelectRequest) -> pb.GroupGetResponse:
        return pb.GroupGetResponse(group=group_message(self._selected(request)))

    def _select_profile(self, request: pb.SelectRequest) -> pb.ProfileGetResponse:
        group = self._selected(request)
        try:
            profile = self._documents.profile(group.profile)
        except DocumentError:
            profile = None
        if profile is None:
            raise StatusError(StatusCode.NOT_FOUND, "matchbox: No matching Profile")
        return pb.ProfileGetResponse(profile=profile_message(profile))

    def _selected(self, request: pb.SelectRequest) -> Group:
        group = self._documents.group_for(labels_in(request))
        if group is None:
            raise StatusError(StatusCode.NOT_FOUND, "matchbox: No matching Group")
        return group

    def _not_found(self, operation: str, path: str) -> StatusError:
        """In the words of Go's os package."""
        file = f"{self._documents.root}/{path}".rstrip("/")
        return StatusError(StatusCode.UNKNOWN, f"{operation} {file}: no such file or directory")


def _messages(groups: Iterable[Group]) -> Iterable[pb.Group]:
    """The groups that a message can represent."""
    for group in groups:
        try:
            yield group_message(group)
        except StatusError:
            continue


def _in_order(documents: list[Any]) -> list[Any]:
    """Groups or profiles in the order of their files in a directory."""
    return sorted(documents, key=lambda document: sort_key(f"{document.id}.json"))


def _check_id(name: str) -> None:
    """Raises StatusError for an invalid id of a group or a profile."""
    if why := id_error(name):
        raise StatusError(StatusCode.INVALID_ARGUMENT, why)


def _check_name(name: str) -> None:
    """Raises StatusError for an invalid name of a template."""
    if why := template_name_error(name):
        raise StatusError(StatusCode.INVALID_ARGUMENT, why)
