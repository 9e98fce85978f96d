"""YAML's tags in a Butane config mean what they mean to gopkg.in/yaml.v3 (resolve.go, decode.go)."""

import pytest

from lambda_matchbox.ignition.butane.report import ButaneError
from tests.support.butane_form import translate

HEAD = "variant: fcos\nversion: 1.5.0\n"
DIRECTORY = "storage:\n  directories:\n    - path: /a\n      "


@pytest.mark.parametrize(
    ("member", "expected"),
    [
        ("mode: !!int '420'", {"mode": 420}),
        ("mode: !!float 420", {"mode": 420}),
        ("mode: ! 420", {"mode": 420}),
        ("group:\n        name: !!binary |\n          L2\n          I=", {"group": {"name": "/b"}}),
        ("overwrite: !mine yes", {"overwrite": True}),
        ("overwrite: !!binary eWVz", {"overwrite": True}),
        ("overwrite: !<tag:example.org,2000:x> no", {"overwrite": False}),
        ("!mine mode: 420", {"mode": 420}),
        ("user: !mine {name: !mine ~}", {"user": {"name": "~"}}),
        ("group: !mine\n        name: !!str 5", {"group": {"name": "5"}}),
        ("bogus: !!int x", {}),
    ],
)
def test_tags_decide_on_the_type(member: str, expected: dict[str, object]) -> None:
    """A tag unknown to yaml.v3 makes a scalar a string."""
    ignition, _ = translate(f"{HEAD}{DIRECTORY}{member}\n")
    assert {"directories": [{"path": "/a", **expected}]} == ignition["storage"]


@pytest.mark.parametrize(
    ("member", "reason", "masked"),
    [
        ("mode: !!int hunter2", "yaml: cannot decode !!str `hunter2` as a !!int", None),
        (
            "mode: !!float 18446744073709551615",
            "yaml: cannot decode !!int `18446744073709551615` as a !!float",
            None,
        ),
        ("mode: !!timestamp 2020", "yaml: cannot decode !!int `2020` as a !!timestamp", None),
        ("mode: !!int <<", "yaml: cannot decode !!str `<<` as a !!int", None),
        ("group: {name: !!binary aGVs bG8=}", "yaml: !!binary value contains invalid base64 data", None),
        (
            "mode: ! '5'",
            "yaml: unmarshal errors:\n  line 6: cannot unmarshal !!str `5` into int",
            "line 6: cannot unmarshal !!str into int",
        ),
        ("mode: !!int 4.5", "yaml: cannot decode !!float `4.5` as a !!int", None),
        ("overwrite: !!bool yes", "yaml: cannot decode !!str `yes` as a !!bool", None),
        ("user: !!null hunter2", "yaml: cannot decode !!str `hunter2` as a !!null", None),
        ("!!int mode: 1", "yaml: cannot decode !!str `mode` as a !!int", None),
        ("overwrite: !!binary hunter2", "yaml: !!binary value contains invalid base64 data", None),
        (
            "mode: !hunter2 5",
            "yaml: unmarshal errors:\n  line 6: cannot unmarshal !hunter2 `5` into int",
            "line 6: cannot unmarshal ! into int",
        ),
        (
            "mode: !!hunter2 5",
            "yaml: unmarshal errors:\n  line 6: cannot unmarshal !!hunter2 `5` into int",
            "line 6: cannot unmarshal ! into int",
        ),
        (
            "mode: !hunter2 {a: b}",
            "yaml: unmarshal errors:\n  line 6: cannot unmarshal !hunter2 `` into int",
            "line 6: cannot unmarshal ! into int",
        ),
        (
            "mode: !!seq {a: b}",
            "yaml: unmarshal errors:\n  line 6: cannot unmarshal !!seq into int",
            "line 6: cannot unmarshal !!seq into int",
        ),
    ],
)
def test_a_value_that_does_not_fit_its_tag_is_an_error(member: str, reason: str, masked: str | None) -> None:
    """The line for the log shows neither value nor tag."""
    with pytest.raises(ButaneError) as caught:
        translate(f"{HEAD}{DIRECTORY}{member}\n")
    hidden = "line 6: a value is not of the type of its tag" if masked is None else masked
    assert (reason, (hidden,)) == (caught.value.reason, caught.value.lines)
