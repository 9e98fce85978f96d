"""Findings on boot policies."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.unit.matchboxctl.validate.written_data import booting, found, one

CONFIG = "talos.config=${base}generic?mac=${mac:hexhyp}&token=${token}"
PLAIN = "talos.config=${cwduri}generic?mac=${mac:hexhyp}"
TALOS = {"generic/t": "version: v1alpha1\nmachine:\n  type: worker\n"}


def policy(boot: Mapping[str, object], *args: str, text: str = "", **group: object) -> Mapping[str, object]:
    """The group of GOOD with this policy, and its profile with these arguments and a template."""
    named = {"id": "g", "profile": "p", "selector": {"mac": "52:54:00:00:00:01"}, "boot": boot, **group}
    template = {"generic/t": f"#{text}\n{TALOS['generic/t']}"}
    return {"groups/g.json": named, **booting([*args], generic_id="t"), **template}


@pytest.mark.parametrize(
    ("boot", "arg"),
    [
        ({"token": True}, CONFIG),
        ({"token": True, "once": True}, f'"{CONFIG}"'),
        ({"token": True}, "talos.config=${base}generic?token=${token}"),
        ({"once": True, "on_disk": "404"}, PLAIN),
    ],
)
def test_good_policy_has_no_finding(tmp_path: Path, boot: Mapping[str, object], arg: str) -> None:
    assert [] == found(tmp_path, policy(boot, arg))


def test_token_that_no_argument_passes(tmp_path: Path) -> None:
    message = "talos.config requests /generic without the token that group g needs"
    assert ("fault", "token", "profiles/p.json", None, message) == one(tmp_path, policy({"token": True}, PLAIN))
    message = "no kernel argument passes the token that group g needs for a configuration"
    assert ("note", "token", "profiles/p.json", None, message) == one(tmp_path, policy({"token": True}, "quiet"))


def test_variables_that_no_script_sets(tmp_path: Path) -> None:
    message = "${token} and ${base} in the boot section is not set for group g"
    assert ("fault", "token", "profiles/p.json", None, message) == one(tmp_path, policy({"once": True}, CONFIG))


def test_policy_of_every_machine(tmp_path: Path) -> None:
    message = "its boot policy is that of every machine that no other group selects"
    files = policy({"approve": True}, PLAIN, selector={})
    assert ("note", "policy", "groups/g.json", None, message) == one(tmp_path, files)


@pytest.mark.parametrize("boot", [{"once": True}, {"token": True}])
def test_states_that_anybody_may_write(tmp_path: Path, boot: dict[str, object]) -> None:
    def of_policies(boot: Mapping[str, object], **selector: str) -> list[str]:
        files = policy(boot, CONFIG if "token" in boot else PLAIN, selector=selector)
        return [each.message for each in found(tmp_path, files) if each.rule == "policy"]

    message = "whoever makes up identities leaves a state with each, and passes for other machines' installations"
    assert [message] == of_policies(boot, rack="7")
    for closed in ({"approve": True}, {"from": ["10.0.0.0/8"]}):
        assert [] == of_policies(boot | closed, rack="7")
    for key in ("MAC", "uuid", "client_ip"):
        assert [] == of_policies(boot, **{key: "52:54:00:00:00:01"})


def test_fields_without_effect(tmp_path: Path) -> None:
    message = "its boot policy has on_disk and done, which mean nothing without once"
    files = policy({"on_disk": "404", "done": "report", "approve": True}, PLAIN)
    assert ("fault", "policy", "groups/g.json", None, message) == one(tmp_path, files)


def test_report_that_nothing_makes(tmp_path: Path) -> None:
    boot = {"once": True, "done": "report"}
    message = "nothing in its templates or kernel arguments calls /report, for which group g waits"
    assert ("note", "report", "profiles/p.json", None, message) == one(tmp_path, policy(boot, PLAIN))
    assert [] == found(
        tmp_path, policy(boot, PLAIN, text=" {{.base}}report?{{.request.raw_query}}", metadata={"base": "b"})
    )
