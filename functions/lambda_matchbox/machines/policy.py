"""A group's boot policy: which machines the server answers, and how often."""

from collections.abc import Mapping
from typing import NamedTuple

_CHOICES = {"on_disk": ("exit", "sanboot", "404"), "done": ("config", "report")}
_FROM = "from"


class PolicyError(ValueError):
    """A policy that cannot be: the field, empty for the policy itself, and the reason."""

    def __init__(self, field: str, reason: str) -> None:
        self.field, self.reason = field, reason
        super().__init__(f"{field}: {reason}" if field else reason)


class Policy(NamedTuple):
    """The field `boot` of a group.

    With `approve` a machine waits until an operator approves it. With `once` it boots from its disk after it was
    installed, until it is armed again; it counts as installed when its configuration was delivered, or with `done`
    "report" when its installer said so. With `token` configurations are given against the token of this boot. Only
    `from_networks`, such as 10.20.13.0/24, get scripts and configurations, all networks if there are none. `on_disk` is
    how a machine boots from its disk.
    """

    approve: bool = False
    once: bool = False
    token: bool = False
    from_networks: tuple[str, ...] = ()
    on_disk: str = "exit"
    done: str = "config"

    def fields(self) -> dict[str, object]:
        """The fields that differ from their defaults."""
        defaults = Policy()._asdict()
        found: dict[str, object] = {name: value for name, value in self._asdict().items() if value != defaults[name]}
        if networks := found.pop("from_networks", ()):
            found[_FROM] = [*networks]  # type: ignore[misc]
        return found


def policy_in(fields: Mapping[str, object]) -> Policy | None:
    """The policy of these fields of JSON; None if all are as without one. Raises PolicyError."""
    values: dict[str, object] = {}
    for name, value in fields.items():
        if name == _FROM:
            values["from_networks"] = _networks(value)
        elif name in _CHOICES:
            if value not in _CHOICES[name]:
                raise PolicyError(name, "neither " + " nor ".join(f'"{each}"' for each in _CHOICES[name]))
            values[name] = value
        elif name in ("approve", "once", "token"):
            if not isinstance(value, bool):
                raise PolicyError(name, "neither true nor false")
            values[name] = value
        else:
            known = ("approve", "once", "token", _FROM, *_CHOICES)
            raise PolicyError(name, f"unknown; a policy has {', '.join(known)}")
    policy = Policy(**values)  # type: ignore[arg-type]
    return None if policy == Policy() else policy


def _networks(value: object) -> tuple[str, ...]:
    from ipaddress import ip_network

    if not isinstance(value, list) or not value:
        raise PolicyError(_FROM, 'not a list of networks, such as ["10.20.13.0/24"]')
    networks = []
    for one in value:
        try:
            networks.append(str(ip_network(one)) if isinstance(one, str) else "")
        except ValueError as error:
            raise PolicyError(_FROM, str(error)) from error
        if not networks[-1]:
            raise PolicyError(_FROM, "a network is not a string")
    return tuple(networks)
