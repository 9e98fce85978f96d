"""`matchboxctl render` of machines whose group has a boot policy."""

import json
from contextlib import closing
from pathlib import Path

import pytest

from lambda_matchbox.machines.identities import Identities
from lambda_matchbox.machines.state import MachineState, approved, held
from matchboxctl.directory.machine_states import DirectoryMachines
from matchboxctl.main import main
from tests.support.data_files import write_files

MAC = "52:54:00:12:34:56"
SCRIPT = "#!ipxe\nkernel /assets/k x=${base}generic?token=${token}\nboot\n"


class Render:
    def __init__(self, root: Path, capture: pytest.CaptureFixture[str]) -> None:
        self.root = root
        self._capture = capture

    def __call__(self, route: str, boot: object, state: MachineState | None = None, *labels: str) -> dict[str, object]:
        """The document; its verdict and response are as in the text."""
        args = ["x=${base}generic?token=${token}"]
        group = {"profile": "p", "selector": {"mac": MAC}, **({"boot": boot} if boot else {})}
        files = {
            "groups/g.json": json.dumps(group),
            "profiles/p.json": json.dumps({"boot": {"kernel": "/assets/k", "args": args}, "generic_id": "t"}),
            "generic/t": "text",
        }
        write_files(self.root, files)
        if state is not None:
            with closing(DirectoryMachines(self.root)) as machines:
                machines.write(machines.read(state.id), state)
        flags = [route, "--data-path", str(self.root), "--label", f"mac={MAC}", *labels]
        before = sorted(path.name for path in self.root.iterdir())
        assert 0 == main(["render", *flags, "-o", "json"])
        document: dict[str, object] = json.loads(self._capture.readouterr().out)
        assert 0 == main(["render", *flags])
        self.text = self._capture.readouterr().out
        assert before == sorted(path.name for path in self.root.iterdir())
        return document


@pytest.fixture
def render(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Render:
    return Render(tmp_path, capsys)


def test_response_is_shown_beside_the_verdict_as_without_a_policy(render: Render) -> None:
    for boot, state, verdict, reason in (
        ({"approve": True}, None, "wait", "it waits for approval"),
        ({"once": True}, MachineState(Identities(MAC), installed=1), "disk", "it is installed"),
        ({"once": True}, held(MachineState(Identities(MAC)), 1), "refuse", "it is held"),
    ):
        found = render("ipxe", boot, state)
        assert {"verdict": verdict, "reason": reason} == found["verdict"]
        assert (200, SCRIPT) == (found["status"], found["body"])
        assert f"verdict   {verdict}: {reason}\nresponse  200, text/plain; charset=utf-8, " in render.text
        assert " bytes, without the boot policy\n" in render.text
        assert verdict == render("generic", boot)["verdict"]["verdict"]  # type: ignore[index]


def test_allowed_machine_and_its_token(render: Render) -> None:
    state = approved(MachineState(Identities(MAC)), 1)
    assert {"verdict": "allow", "reason": ""} == render("ipxe", {"approve": True, "token": True}, state)["verdict"]
    assert "verdict   allow; its script sets token and base before this\n" in render.text
    assert {"verdict": "allow", "reason": ""} == render("generic", {"token": True})["verdict"]
    assert "verdict   allow, against the token of its boot\n" in render.text
    assert " bytes\n" in render.text


def test_address_is_a_label(render: Render) -> None:
    boot = {"from": ["10.20.13.0/24"]}
    for label, verdict in ((), "allow"), (("--label", "client_ip=10.20.13.1"), "allow"):
        assert {"verdict": verdict, "reason": ""} == render("grub", boot, None, *label)["verdict"]
    reason = "10.9.9.9 is in none of the networks of its group"
    assert {"verdict": "refuse", "reason": reason} == render("grub", boot, None, "--label", "client_ip=10.9.9.9")[
        "verdict"
    ]


def test_group_without_policy_has_no_verdict(render: Render) -> None:
    assert render("ipxe", None)["verdict"] is None
    assert "verdict" not in render.text
