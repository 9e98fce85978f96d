from typing import Any

import pytest

from matchboxctl.talos.machine_config import MachineConfig
from matchboxctl.talos.patches import merged, values_for


@pytest.mark.parametrize(
    ("key", "own", "patch", "expected"),
    [
        ("", {"a": 1, "b": 2}, {"b": 3, "c": 4}, {"a": 1, "b": 3, "c": 4}),
        ("", {"a": {"b": 1}}, {"a": {"c": 2}}, {"a": {"b": 1, "c": 2}}),
        ("certSANs", ["a"], ["b"], ["a", "b"]),
        ("podSubnets", ["a"], ["b"], ["b"]),
        ("auditPolicy", {"a": 1}, {"b": 1}, {"b": 1}),
        (
            "",
            {"network": {"podSubnets": ["a"]}},
            {"network": {"podSubnets": ["b"]}},
            {"network": {"podSubnets": ["b"]}},
        ),
        (
            "interfaces",
            [{"interface": "eth0", "mtu": 1}, {"deviceSelector": {"driver": "x"}}],
            [{"interface": "eth0", "dhcp": True}, {"deviceSelector": {"driver": "x"}, "mtu": 2}, {"interface": "eth1"}],
            [
                {"interface": "eth0", "mtu": 1, "dhcp": True},
                {"deviceSelector": {"driver": "x"}, "mtu": 2},
                {"interface": "eth1"},
            ],
        ),
        ("vlans", [{"vlanId": 1, "mtu": 1}], [{"vlanId": 1, "mtu": 2}], [{"vlanId": 1, "mtu": 2}]),
        ("a", ["x"], "y", "y"),
    ],
)
def test_patch_is_merged(key: str, own: object, patch: object, expected: object) -> None:
    assert expected == merged(own, patch, key)


def test_values_are_at_the_first_key_that_the_file_lacks_or_that_is_no_mapping() -> None:
    config = MachineConfig("machine:\n  labels: {a: b}\n  sans: [x]\n  disk: /dev/sda\n  empty:\n")
    patch: dict[str, Any] = {
        "machine": {"labels": {"c": "d"}, "sans": ["y"], "disk": "z", "empty": {"e": 1}, "new": {"n": {"m": 1}}}
    }
    assert config.main is not None
    assert {
        ("machine", "labels", "c"): "d",
        ("machine", "sans"): ["x", "y"],
        ("machine", "disk"): "z",
        ("machine", "empty"): {"e": 1},
        ("machine", "new"): {"n": {"m": 1}},
    } == dict(values_for(config.main, patch))
