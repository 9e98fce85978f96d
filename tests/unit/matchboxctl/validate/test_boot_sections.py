"""Findings on the addresses in boot sections."""

from pathlib import Path

import pytest

from matchboxctl.validate.contents import directory_contents
from matchboxctl.validate.validation import validate
from tests.conformance.recordings import HERE
from tests.unit.matchboxctl.validate.written_data import GOOD, booting, found, one

CONFIG = "#cloud-config\n"


@pytest.mark.parametrize(
    ("arg", "message"),
    [
        (
            "talos.config=${cwduri}ignition?mac=${mac:hexhyp}",
            "talos.config requests /ignition, for which the profile has no ignition_id",
        ),
        (
            "talos.config=http://192.0.2.1:8080/ignition?mac=x",
            "talos.config requests /ignition, for which the profile has no ignition_id",
        ),
        ("inst.ks=${cwduri}generic?mac=${mac}", "inst.ks requests /generic, for which the profile has no generic_id"),
        (
            "cloud-config-url=http://${next-server}/cloud?mac=x",
            "cloud-config-url requests /cloud, for which the profile has no cloud_id",
        ),
        ("ignition.config.url=${cwduri}ignitoin", "ignition.config.url: there is no route /ignitoin"),
        ("autoinstall.url=${cwduri}user-data", "autoinstall.url: there is no route /user-data"),
    ],
)
def test_address_without_a_route_is_a_fault(tmp_path: Path, arg: str, message: str) -> None:
    assert ("fault", "route", "profiles/p.json", None, message) == one(tmp_path, booting(["quiet", arg]))


def test_both_faults_of_the_recorded_seed_are_found() -> None:
    """matchbox serves it, and its machines get no configuration."""
    data = HERE / "seed" / "data"
    message = "talos.config requests /ignition"
    assert [
        ("route", f"{message}, for which the profile has no ignition_id"),
        ("labels", f"{message} without arch, by which group default selects"),
    ] == [(each.rule, each.message) for each in validate(directory_contents(data)).findings]


def test_misspelt_route_has_a_hint(tmp_path: Path) -> None:
    (finding,) = found(tmp_path, booting(["ignition.config.url=${cwduri}ignitoin"]))
    assert "did you mean /ignition?" == finding.advice


@pytest.mark.parametrize(
    "arg",
    [
        "talos.config=https://example.com/config.yaml",
        "talos.config=${cwduri}${arch}/config",
        "http_proxy=${cwduri}ignition",
        "console=ttyS0",
        "url=nfs://192.0.2.1/ignition",
    ],
)
def test_address_elsewhere_or_with_an_unknown_path_is_none(tmp_path: Path, arg: str) -> None:
    assert [] == found(tmp_path, booting([arg]))


def test_path_where_an_address_is_needed_is_a_fault(tmp_path: Path) -> None:
    template = {"ignition/t": "version: v1alpha1\nmachine: {type: worker}\n"}
    (finding,) = found(tmp_path, {**booting(["talos.config=/ignition?token=hidden"], ignition_id="t"), **template})
    message = "talos.config has the path /ignition and no server, where the machine needs both"
    assert ("address", message) == (finding.rule, finding.message)
    assert "write ${cwduri} in place of the first slash" == finding.advice


def test_request_without_a_label_of_the_selector_is_a_fault(tmp_path: Path) -> None:
    """The machine got its script by labels that it does not send for its configuration."""
    args = ["cloud-config-url=${cwduri}cloud?uuid=${uuid}"]
    files = {**booting(args, cloud_id="c"), "cloud/c": CONFIG, "groups/h.json": {"profile": "p"}}
    (finding,) = found(tmp_path, files)
    message = "cloud-config-url requests /cloud without mac, by which group g selects"
    assert ("labels", message, "add mac=… to the address") == (finding.rule, finding.message, finding.advice)
    assert ["g"] == list(finding.groups)
    args[0] += "&mac=${mac:hexhyp}"
    assert [] == found(tmp_path, {**files, **booting(args, cloud_id="c")})


@pytest.mark.parametrize(
    ("arg", "severity", "message"),
    [
        ("coreos.live.rootfs_url=${cwduri}assets/root", "fault", "/assets/root does not exist"),
        ("coreos.live.rootfs_url=http://h/assets/r", "note", "/assets/r, if that is this server, does not exist"),
        ("url=${cwduri}assets/x%20y?a=1", "fault", "/assets/x y does not exist"),
        (
            "inst.stage2=${cwduri}assets/tree",
            "fault",
            "/assets/tree has neither .treeinfo nor images/install.img nor LiveOS/squashfs.img",
        ),
        ("ds=nocloud;s=${cwduri}assets/seed/", "fault", "/assets/seed/ lacks user-data and meta-data"),
        (
            "alpine_repo=${cwduri}assets/alpine",
            "fault",
            "/assets/alpine is no repository, without .treeinfo, repodata/repomd.xml, x86_64/APKINDEX.tar.gz",
        ),
    ],
)
def test_absent_asset_of_an_argument_is_found(tmp_path: Path, arg: str, severity: str, message: str) -> None:
    where = arg.partition("=")[0]
    assert (severity, "asset", "profiles/p.json", None, f"{where}: {message}") == one(tmp_path, booting([arg]))


def test_files_that_a_seed_lacks_are_to_be_added(tmp_path: Path) -> None:
    (finding,) = found(tmp_path, booting(["ds=nocloud-net;s=${cwduri}assets/f/"]))
    assert f"add {tmp_path}/assets/f/user-data and {tmp_path}/assets/f/meta-data" == finding.advice
    assert ["g"] == finding.groups


def test_assets_of_arguments_that_are_there_are_no_findings(tmp_path: Path) -> None:
    args = [
        "inst.stage2=${cwduri}assets/tree",
        "ds=nocloud;s=${cwduri}assets/seed/",
        "inst.repo=${cwduri}assets/tree/",
        "alpine_repo=${cwduri}assets/alpine,${cwduri}assets/alpine/",
        "url=${cwduri}assets/seed/",
        "coreos.live.rootfs_url=${cwduri}assets/my%20rootfs",
    ]
    paths = ("alpine/aarch64/APKINDEX.tar.gz", "tree/.treeinfo", "seed/user-data", "seed/meta-data", "my rootfs")
    assert [] == found(tmp_path, {**booting(args), **{f"assets/{path}": "x" for path in paths}})


def test_asset_of_many_profiles_is_one_finding(tmp_path: Path) -> None:
    files = {f"profiles/q{at}.json": {"boot": {"kernel": "/assets/absent"}} for at in range(3)}
    assert ("kernel (and 2 more): /assets/absent does not exist", "profiles/q0.json") == one(tmp_path, files)[:1:-2]


def test_asset_is_looked_up_as_by_the_routes(tmp_path: Path) -> None:
    """Decoded, without query, at its clean path, behind options."""
    initrd = ["--name main /assets/a/../i?x=1", "/assets/my%20initrd", "/assets/100%", "/assets/${arch}/i"]
    profile = {"profiles/p.json": {"boot": {"kernel": "assets/k", "initrd": initrd}}}
    assert [] == found(tmp_path, {**profile, "assets/my initrd": "x", "assets/100%": "x"})


def test_asset_of_a_source_is_got_by_a_sync(tmp_path: Path) -> None:
    source = {"id": "s", "image": "ghcr.io/x/y:1", "assets": "talos"}
    files = {"profiles/p.json": {"boot": {"kernel": "/assets/talos/k"}}, "sources/s.json": source}
    (asset, _) = found(tmp_path, files)
    assert f"matchboxctl sync --data-path {tmp_path} s" == asset.advice


def test_asset_that_cannot_be_read_has_the_reason(tmp_path: Path) -> None:
    """What even root cannot read."""
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets" / "mem").symlink_to("/proc/self/mem")
    *_, message = one(tmp_path, {"profiles/p.json": {"boot": {"kernel": "/assets/mem"}}})
    assert "kernel: /assets/mem cannot be read: asset 'mem' cannot be read: Input/output error" == message


def test_asset_without_a_checksum_beside_others_with_one_is_a_note(tmp_path: Path) -> None:
    expected = (
        "note",
        "checksum",
        "profiles/p.json",
        None,
        "initrd: /assets/i has no .sha256 beside it, unlike others",
    )
    assert expected == one(tmp_path, {"assets/k.sha256": "x"})
    assert GOOD["assets/k"] == (tmp_path / "assets/k").read_text()
