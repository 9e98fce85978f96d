"""Groups: the machines that they select, their profile, metadata for templates, and their boot policy."""

from collections.abc import Mapping
from typing import Any, NamedTuple, TypeAlias

from lambda_matchbox.machines.policy import Policy

SelectorValue: TypeAlias = str | tuple[str, ...]
"""The value that a label must have, or the list of allowed values."""


class Group(NamedTuple):
    """One group; metadata is a JSON object. Without `boot` its machines are answered as by matchbox.

    Selector keys that are `mac` in any case hold normalised addresses. An invalid one, which only gRPC accepts, matches
    no machine.
    """

    id: str
    name: str = ""
    profile: str = ""
    selector: Mapping[str, SelectorValue] = {}
    metadata: Mapping[str, object] = {}
    boot: Policy | None = None

    def document(self) -> dict[str, Any]:
        """The fields of its JSON."""
        fields: dict[str, Any] = {**self._asdict(), "selector": dict(self.selector), "metadata": dict(self.metadata)}
        fields["boot"] = None if self.boot is None else self.boot.fields()
        return {name: value for name, value in fields.items() if value is not None}
