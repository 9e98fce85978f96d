"""The calls of terraform-provider-matchbox, in its order.

There is no update: changed resources are deleted and created again. After any error of a Get the resource is gone.
"""

import base64
import json
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple, TypeAlias

from tests.support.rpc_client import Client

PARALLELISM = 10
"""Terraform's default."""

DEADLINE = 20 * 60.0
"""Seconds for each operation on a resource."""


class Profile(NamedTuple):
    """matchbox_profile."""

    name: str
    kernel: str = ""
    initrd: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    raw_ignition: str = ""
    container_linux_config: str = ""
    generic_config: str = ""

    @property
    def ignition_id(self) -> str:
        """The name of its template; empty if there is none."""
        if self.raw_ignition:
            return f"{self.name}.ign"
        return f"{self.name}.yaml.tmpl" if self.container_linux_config else ""

    @property
    def generic_id(self) -> str:
        """As the ignition id."""
        return self.name if self.generic_config else ""

    @property
    def templates(self) -> dict[tuple[str, str], bytes]:
        """Its templates, by service and name."""
        texts = {
            ("Ignition", self.ignition_id): self.raw_ignition or self.container_linux_config,
            ("Generic", self.generic_id): self.generic_config,
        }
        return {place: text.encode() for place, text in texts.items() if text}


class Group(NamedTuple):
    """matchbox_group."""

    name: str
    profile: str
    selector: Mapping[str, str] = {}
    metadata: Mapping[str, str] = {}


Resource: TypeAlias = Profile | Group


State: TypeAlias = dict[tuple[type[Resource], str], Resource]


class Plan(NamedTuple):
    """What `terraform plan` would show."""

    create: list[Resource]
    replace: list[Resource]
    delete: list[Resource]

    @property
    def is_empty(self) -> bool:
        """No changes."""
        return not any(self)


class Terraform:
    """A state, to which configurations are applied."""

    def __init__(self, client: Client, state: State | None = None) -> None:
        self._client = client
        self.state: State = dict(state or {})

    def plan(self, wanted: Iterable[Resource]) -> Plan:
        """Refresh the state and compare it."""
        before = list(self.state.values())
        self.state = {_key(found): found for found in self._each(self._read, before) if found is not None}
        configured = {_key(resource): resource for resource in wanted}
        return Plan(
            [resource for key, resource in configured.items() if key not in self.state],
            [resource for key, resource in configured.items() if self.state.get(key, resource) != resource],
            [resource for key, resource in self.state.items() if key not in configured],
        )

    def apply(self, wanted: Iterable[Resource]) -> Plan:
        """Apply the plan. Raises AssertionError if a call fails."""
        plan = self.plan(wanted)
        for kind in (Group, Profile):
            gone = [one for one in [*plan.delete, *plan.replace] if isinstance(one, kind)]
            for one in self._each(self._delete, [self.state[_key(each)] for each in gone]):
                del self.state[_key(one)]
        for kind in (Profile, Group):
            new = [one for one in [*plan.create, *plan.replace] if isinstance(one, kind)]
            for one in self._each(self._create, new):
                self.state[_key(one)] = one
        return plan

    def destroy(self) -> None:
        """Delete everything in the state."""
        self.apply([])

    def _each(self, act: Callable[[Any], Any], resources: Iterable[Resource]) -> list[Any]:
        with ThreadPoolExecutor(PARALLELISM) as threads:
            return list(threads.map(act, resources))

    def _do(self, method: str, request: dict[str, Any], **fields: Any) -> None:
        got = self._client.call(method, request, timeout=DEADLINE, **fields)
        assert got.response is not None, (method, request, got)

    def _create(self, resource: Resource) -> Resource:
        if isinstance(resource, Group):
            metadata = base64.b64encode(json.dumps(dict(resource.metadata)).encode()).decode()
            fields = {"profile": resource.profile, "selector": dict(resource.selector), "metadata": metadata}
            self._do("Groups/GroupPut", {"group": {"id": resource.name, **fields}})
            return resource
        boot = {"kernel": resource.kernel, "initrd": list(resource.initrd), "args": list(resource.args)}
        ids = {"ignition_id": resource.ignition_id, "generic_id": resource.generic_id}
        self._do("Profiles/ProfilePut", {"profile": {"id": resource.name, "boot": boot, **ids}})
        for (service, name), text in resource.templates.items():
            self._do(f"{service}/{service}Put", {"name": name}, config=text)
        return resource

    def _delete(self, resource: Resource) -> Resource:
        if isinstance(resource, Group):
            self._do("Groups/GroupDelete", {"id": resource.name})
            return resource
        self._do("Profiles/ProfileDelete", {"id": resource.name})
        for service, name in resource.templates:
            self._do(f"{service}/{service}Delete", {"name": name})
        return resource

    def _read(self, resource: Resource) -> Resource | None:
        """The current resource; None if any Get fails."""
        if isinstance(resource, Group):
            got = self._get("Groups/GroupGet", {"id": resource.name})
            if got is None:
                return None
            group = got["group"]
            metadata = json.loads(base64.b64decode(group.get("metadata", "")) or b"{}")
            return resource._replace(
                profile=group["profile"], selector=dict(group.get("selector", {})), metadata=metadata
            )
        got = self._get("Profiles/ProfileGet", {"id": resource.name})
        if got is None:
            return None
        # The provider crashes without it.
        boot = got["profile"]["boot"]
        read = resource._replace(
            kernel=boot.get("kernel", ""), initrd=tuple(boot.get("initrd", ())), args=tuple(boot.get("args", ()))
        )
        for service, field in (("Ignition", "ignition_id"), ("Generic", "generic_id")):
            if name := got["profile"].get(field):
                template = self._get(f"{service}/{service}Get", {"name": name})
                if template is None:
                    return None
                read = read._replace(**{_source(resource, service): base64.b64decode(template["config"]).decode()})
        return read

    def _get(self, method: str, request: dict[str, Any]) -> dict[str, Any] | None:
        return self._client.call(method, request, timeout=DEADLINE).response


def _source(profile: Profile, service: str) -> str:
    """The argument with the text of a template."""
    if service == "Generic":
        return "generic_config"
    return "raw_ignition" if profile.raw_ignition else "container_linux_config"


def _key(resource: Resource) -> tuple[type[Resource], str]:
    return type(resource), resource.name
