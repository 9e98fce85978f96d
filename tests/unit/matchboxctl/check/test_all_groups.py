"""`matchboxctl check --all`: a machine of each group."""

from pathlib import Path

import pytest

from lambda_matchbox.catalog.groups import Group
from matchboxctl.check.group_labels import GroupMachine, machines_of
from matchboxctl.main import main
from tests.rigs.service import Service
from tests.rigs.stores import new_stores
from tests.support.data_files import write_files
from tests.support.example_data import example_with_secrets
from tests.support.serving import started
from tests.unit.matchboxctl.check.checked import Checked
from tests.unit.matchboxctl.check.served import served

pytestmark = pytest.mark.system

TALOS = "version: v1alpha1\nmachine:\n  type: worker\n  token: {{.request.query.uuid}}\n"
SEED_ARGS = [
    "init_on_alloc=1",
    "console=tty0",
    "talos.platform=metal",
    "talos.config=${cwduri}ignition?uuid=${uuid}",
]
"""Those of a profile whose configuration has no group, since the address has no `arch`."""


@pytest.fixture(autouse=True)
def no_store(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MATCHBOX_TABLE", "MATCHBOX_BUCKET"):
        monkeypatch.delenv(name, raising=False)


def test_each_group_is_checked_and_shared_files_are_downloaded_once(checked: Checked, tmp_path: Path) -> None:
    config = "talos.config=${cwduri}ignition?uuid=${uuid}&mac=${mac:hexhyp}&arch=${buildarch}"
    boot = {"kernel": "/assets/k", "args": [config]}
    data = write_files(
        tmp_path,
        {
            "assets/k": "kernel",
            "profiles/p.json": {"ignition_id": "t", "boot": boot},
            "profiles/q.json": {"boot": {"kernel": "/assets/absent"}},
            "ignition/t": TALOS,
            "groups/arm.json": {"profile": "p", "selector": {"arch": ["arm64", "aarch64"]}},
            "groups/one.json": {"profile": "p", "selector": {"mac": "52:54:00:00:00:01"}},
            "groups/q.json": {"profile": "q", "selector": {"rack": "3"}},
            "groups/r.json": {"profile": "absent", "selector": {"serial": "1"}},
            "groups/two.json": {"profile": "q", "selector": {"mac": "52-54-00-00-00-01"}},
        },
    )
    with served(data) as url:
        code, lines = checked(url, "--all", "--data-path", str(data))
    assert 1 == code
    config = "talos.config /ignition?uuid=00000000-0000-4000-8000-000000000000"
    found = "Talos v1alpha1 worker, 88 bytes, with made-up uuid and"
    assert [
        "ok     /boot.ipxe  T",
        "",
        "group arm: arch=arm64",
        "ok     /ipxe?arch=arm64  T  names 1 kernel and 0 initrd",
        "ok     kernel /assets/k  T  6 bytes, no checksum beside it",
        f"ok     {config}&mac=02-00-00-00-00-00&arch=arm64  T  {found} mac",
        "",
        "group one: mac=52:54:00:00:00:01",
        "ok     /ipxe?mac=52%3A54%3A00%3A00%3A00%3A01  T  names 1 kernel and 0 initrd",
        "ok     kernel /assets/k  T  6 bytes, no checksum beside it, as downloaded before",
        f"ok     {config}&mac=52-54-00-00-00-01&arch=x86_64  T  {found} arch",
        "",
        "group q: rack=3",
        "warn   selector  T  rack: /boot.ipxe does not send this, so only a script of your own can",
        "ok     /ipxe?rack=3  T  names 1 kernel and 0 initrd",
        f"FAILED kernel /assets/absent  T  404 from {url}",
        "",
        "group r: serial=1",
        f"FAILED /ipxe?serial=1  T  404 from {url}: the machine's profile is absent, or it has no boot section",
        "",
        "group two: mac=52:54:00:00:00:01",
        "warn   selector  T  no machine is in it: group one has the same selectors, and the smaller id",
        "",
        "12 checks: 2 failed, 2 warnings",
    ] == lines
    stop = f"group q would stop at kernel /assets/absent: 404 from {url}"
    assert f"matchboxctl: 2 of 5 groups would not boot; {stop}\n" == checked.error


def test_address_without_the_labels_of_the_group_fails(checked: Checked, tmp_path: Path) -> None:
    """Both mistakes are named: no template, and an address by which no group matches."""
    boot = {"kernel": "/assets/k", "initrd": ["/assets/k"], "args": SEED_ARGS}
    files: dict[str, object] = {
        "assets/k": "kernel",
        "profiles/cozystack-arm64.json": {"id": "cozystack-arm64", "boot": boot},
        "groups/default.json": {"id": "default", "profile": "cozystack-arm64", "selector": {"arch": "arm64"}},
        "ignition/cozystack-config.yaml": TALOS,
    }
    data = write_files(tmp_path, files)
    no_group = "no group matches the labels of this address (uuid): it lacks arch; add arch=${buildarch:uristring}"
    no_template = "the machine's profile has no ignition_id, or that template is absent"
    with served(data) as url:
        for arguments in (("--label", "arch=arm64"), ("--all", "--data-path", str(data))):
            assert f"404 from {url}: {no_group}; {no_template}" == checked.failure(url, *arguments)
            assert "would stop at talos.config /ignition?uuid=" in checked.error
        profile = {"id": "cozystack-arm64", "ignition_id": "cozystack-config.yaml", "boot": boot}
        write_files(tmp_path, {"profiles/cozystack-arm64.json": profile})
        assert f"404 from {url}: {no_group}" == checked.failure(url, "--label", "arch=arm64")
        boot["args"] = [f"{SEED_ARGS[-1]}&arch=${{buildarch}}"]
        write_files(tmp_path, {"profiles/cozystack-arm64.json": profile})
        assert 0 == checked(url, "--label", "arch=arm64")[0]


ABSENT = {
    "talos": ["kernel /assets/talos/arm64/vmlinuz", "initrd /assets/talos/arm64/initramfs.xz"],
    "fedora-coreos": [
        "kernel /assets/fedora-coreos/x86_64/vmlinuz",
        "initrd /assets/fedora-coreos/x86_64/initramfs.img",
        "coreos.live.rootfs_url /assets/fedora-coreos/x86_64/rootfs.img",
    ],
    "flatcar": ["kernel /assets/flatcar/x86_64/vmlinuz", "initrd /assets/flatcar/x86_64/initramfs.cpio.gz"],
}


@pytest.mark.parametrize("example", ABSENT)
def test_example_lacks_nothing_but_its_files(checked: Checked, tmp_path: Path, example: str) -> None:
    """With files in place it passes, with a warning of the placeholders that its operator has to fill in."""
    data = example_with_secrets(example, tmp_path / example)
    with served(data) as url:
        everything = (url, "--all", "--label", "mac=52:54:00:00:00:01", "--data-path", str(data))
        code, lines = checked(*everything)
        failed = [line.removeprefix("FAILED ") for line in lines if line.startswith("FAILED")]
        assert (1, {f"{file}  T  404 from {url}" for file in ABSENT[example]}) == (code, set(failed))
        for file in ABSENT[example]:
            path = data / file.partition(" /")[2]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"file")
        code, lines = checked(*everything)
    assert (0, "") == (code, checked.error)
    assert all("placeholder" in line for line in lines if line.startswith("warn"))


def test_groups_of_a_table_are_checked(
    moto_server: Service, checked: Checked, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    boot = {"kernel": "/assets/k", "args": ["talos.config=${cwduri}ignition?uuid=${uuid}&arch=${buildarch}"]}
    data = write_files(
        tmp_path,
        {
            "assets/k": "kernel",
            "profiles/p.json": {"ignition_id": "t", "boot": boot},
            "ignition/t": TALOS.replace("{{.request.query.uuid}}", "{{.token}}"),
            "groups/a.json": {"profile": "p", "selector": {"arch": "arm64"}, "metadata": {"token": "t"}},
            "groups/b.json": {"profile": "p", "selector": {"uuid": "x"}},
        },
    )
    stores = new_stores(moto_server, moto_server)
    stores.fill(data)
    for name, value in stores.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("MATCHBOX_DATA_PATH", raising=False)
    with started("--address", "127.0.0.1:0", environment=stores.environment()) as serve:
        code, lines = checked(f"http://127.0.0.1:{serve.port}", "--all")
        serve.end()
    assert (1, ["group a: arch=arm64", "group b: uuid=x"]) == (code, [line for line in lines if "group" in line])
    (failed,) = [line for line in lines if line.startswith("FAILED")]
    assert failed.startswith("FAILED talos.config /ignition?uuid=x&arch=x86_64  T  500 from ")


def test_directory_without_groups_is_an_error(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "groups").mkdir()
    assert 2 == main(["check", "http://127.0.0.1:1", "--all", "--data-path", str(tmp_path)])
    assert f"{tmp_path} has no groups: set --data-path" in capsys.readouterr().err


def test_machine_of_a_group_has_its_first_combination_that_is_free() -> None:
    groups = [
        Group("b", selector={"arch": ("x", "y")}),
        Group("a", selector={"arch": "x"}),
        Group("c", selector={"arch": "y", "mac": "52:54:00:00:00:01"}),
        Group("d", selector={}),
        Group("e", selector={"arch": "x"}),
    ]
    assert [
        GroupMachine("a", {"arch": "x"}),
        GroupMachine("b", {"arch": "y"}),
        GroupMachine("c", {"arch": "y", "mac": "52:54:00:00:00:01"}),
        GroupMachine("d", {}),
        GroupMachine("e", {"arch": "x"}, "a"),
    ] == machines_of(groups)
