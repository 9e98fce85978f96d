"""`matchboxctl check` follows the addresses in kernel arguments."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.support.data_files import write_files
from tests.unit.matchboxctl.check.checked import Checked
from tests.unit.matchboxctl.check.responding import responding
from tests.unit.matchboxctl.check.served import served

pytestmark = pytest.mark.system
IMAGE = bytes(range(256)) * 40
TALOS = "version: v1alpha1\nmachine:\n  type: worker\n  token: {{.token}}\n  network:\n    hostname: {{.hostname}}\n"
UUID, MADE_UP = "0a0b0c0d-0000-4000-8000-00000000ffff", "00000000-0000-4000-8000-000000000000"
TREEINFO = "[stage2]\nmainimage = images/install.img\n[checksums]\nimages/install.img = sha256:{}\n"

ARGS: Mapping[str, tuple[str, ...]] = {
    "talos": ("talos.config=${cwduri}ignition?is=talos&uuid=${uuid}",),
    "blank": ("talos.config=${cwduri}ignition?is=blank&uuid=",),
    "placeholder": ("talos.config=${cwduri}ignition?is=placeholder",),
    "rootfs": ("quiet coreos.live.rootfs_url=${cwduri}assets/rootfs.img",),
    "norootfs": ("coreos.live.rootfs_url=${cwduri}assets/absent.img", "inst.ks=${cwduri}generic?is=norootfs"),
    "broken": ("ignition.config.url=${cwduri}ignition?is=broken&uuid=${uuid}",),
    "notemplate": ("ignition.config.url=${cwduri}ignition?is=notemplate",),
    "nolabels": ("ignition.config.url=${cwduri}ignition?uuid=${uuid}",),
    "other": ("talos.config=${cwduri}ignition?is=talos&uuid=${uuid}",),
    "path": ("talos.config=/ignition?is=path",),
    "cloud": ("cloud-config-url=${cwduri}cloud?is=cloud", "proxy=http://127.0.0.1:1/", "x=${cwduri}assets/"),
    "kickstart": ("inst.ks=${cwduri}generic?is=kickstart", "inst.stage2=${cwduri}assets/os"),
    "notree": ("inst.stage2=${cwduri}assets/absent/",),
    "wrongtree": ("inst.stage2=${cwduri}assets/wrong",),
    "oldtree": ("inst.repo=${cwduri}assets/old",),
    "repositories": (
        "inst.stage2=${cwduri}assets/os",
        "inst.repo=${cwduri}assets/os/",
        "alpine_repo=${cwduri}assets/alpine",
    ),
    "norepositories": (
        "inst.stage2=${cwduri}assets/os",
        "inst.repo=${cwduri}assets/absent",
        "alpine_repo=${cwduri}assets/no",
    ),
    "text": ("x=${cwduri}generic?is=text",),
    "seed": ("ds=nocloud;s=${cwduri}assets/seed/",),
    "noseed": ("ds=nocloud;s=${cwduri}assets/absent/",),
    "any": ("url=${cwduri}generic?is=any", "other=${cwduri}assets/rootfs.img", "url=${cwduri}assets/absent"),
    "server": ("talos.config=http://${next-server}/ignition", "live=http://${ip}/x"),
    "wrongkind": ("ignition.config.url=${cwduri}generic?is=wrongkind",),
    "invalid": ("talos.config=http://[",),
    "port": ("x=http://127.0.0.1:99999/",),
    "address": ("talos.config=http://<matchbox-ip>/ignition", "console=ttyS0"),
    "token": ("inst.ks=${cwduri}generic?is=token&token=hunter2",),
}

TEMPLATES: Mapping[str, tuple[str, str]] = {
    "text": ("generic", "x CHANGEME\n"),
    "talos": ("ignition", TALOS),
    "blank": ("ignition", TALOS + "  sysctls:\n    id: {{.request.query.uuid}}\n"),
    "placeholder": ("ignition", TALOS.replace("{{.token}}", "<join-token>")),
    "broken": ("ignition", "{{.absent}}"),
    "nolabels": ("ignition", TALOS),
    "other": ("ignition", TALOS),
    "norootfs": ("generic", "lang en_US\n"),
    "cloud": ("cloud", "#cloud-config\nhostname: ${hostname}\nwrite_files: [{content: 'echo ${A}'}]\n"),
    "kickstart": ("generic", "lang en_US\n%post\necho <b>\n%end\n"),
    "any": ("generic", "#cloud-config\nhostname: a\n"),
    "wrongkind": ("generic", "#cloud-config\nhostname: a\n"),
    "token": ("generic", "rootpw hunter2\n%packages\n"),
}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A group, a profile and perhaps a template for each case, selected by the label `is`."""
    digest = hashlib.sha256(IMAGE).hexdigest()
    files: dict[str, bytes] = {
        "assets/k": b"kernel",
        "assets/rootfs.img": IMAGE,
        "assets/rootfs.img.sha256": digest.encode(),
        "assets/os/.treeinfo": TREEINFO.format(digest).encode(),
        "assets/os/images/install.img": IMAGE,
        "assets/alpine/x86_64/APKINDEX.tar.gz": IMAGE,
        "assets/wrong/.treeinfo": TREEINFO.format("0" * 64).encode(),
        "assets/wrong/images/install.img": IMAGE,
        "assets/old/LiveOS/squashfs.img": IMAGE,
        "assets/seed/user-data": b"#cloud-config\nlocale: <locale>\n",
        "assets/seed/meta-data": b"",
    }
    for name, args in ARGS.items():
        kind, template = TEMPLATES.get(name, ("", ""))
        profile = {"boot": {"kernel": "/assets/k", "args": args}}
        if kind:
            files[f"{kind}/{name}"] = template.encode()
        elif name == "notemplate":
            kind = "ignition"
        group = {"profile": name, "selector": {"is": name}, "metadata": {"token": "hunter2", "hostname": "a"}}
        files[f"profiles/{name}.json"] = json.dumps({**profile, f"{kind}_id": name} if kind else profile).encode()
        files[f"groups/{name}.json"] = json.dumps(group).encode()
    root = tmp_path_factory.mktemp("data")
    write_files(root, files)
    return root


@pytest.fixture(scope="module")
def url(root: Path) -> Iterator[str]:
    with served(root) as url:
        yield url


def followed(checked: Checked, url: str, which: str, *arguments: str) -> tuple[int, list[str]]:
    """The exit code, and the lines after the kernel's and before the summary."""
    code, lines = checked(url, "--label", f"is={which}", *arguments)
    assert lines[2].startswith("ok     kernel /assets/k")
    return code, lines[3:-1]


def test_configuration_is_described_and_not_printed(checked: Checked, url: str) -> None:
    code, lines = followed(checked, url, "talos", "--label", f"uuid={UUID}")
    address = f"/ignition?is=talos&uuid={UUID}"
    assert (0, [f"ok     talos.config {address}  T  Talos v1alpha1 worker, 86 bytes"]) == (code, lines)


def test_identity_without_a_label_is_made_up(checked: Checked, url: str) -> None:
    """For Talos, a uuid without a value too."""
    code, lines = followed(checked, url, "talos")
    assert 0 == code
    assert lines[0].startswith(f"ok     talos.config /ignition?is=talos&uuid={MADE_UP}  T  Talos v1alpha1 worker, ")
    assert lines[0].endswith(", with made-up uuid")
    code, lines = followed(checked, url, "blank", "--label", f"uuid={UUID}")
    assert (0, True) == (code, f"is=blank&uuid={UUID}  T  Talos" in lines[0])


def test_placeholder_is_a_warning(checked: Checked, url: str) -> None:
    code, lines = followed(checked, url, "placeholder")
    assert 0 == code
    assert lines[0].startswith("warn   talos.config ")
    assert lines[0].endswith("; placeholder is left: <join-token> (line 4)")


def test_file_is_downloaded_and_compared_with_its_checksum(checked: Checked, url: str) -> None:
    code, lines = followed(checked, url, "rootfs")
    found = "10,240 bytes, SHA-256 as stated"
    assert (0, [f"ok     coreos.live.rootfs_url /assets/rootfs.img  T  {found}"]) == (code, lines)


def test_missing_rootfs_fails_and_is_named_last(checked: Checked, url: str) -> None:
    code, lines = followed(checked, url, "norootfs")
    assert 1 == code
    assert f"FAILED coreos.live.rootfs_url /assets/absent.img  T  404 from {url}" == lines[0]
    assert lines[1].startswith("ok     inst.ks /generic?is=norootfs  T  kickstart, ")
    stop = f"the machine would stop at coreos.live.rootfs_url /assets/absent.img: 404 from {url}"
    assert f"matchboxctl: {stop}\n" == checked.error


def test_template_that_fails_is_named_with_the_servers_reason(checked: Checked, url: str) -> None:
    given = checked.failure(url, "--label", "is=broken", "--label", f"uuid={UUID}")
    assert given.startswith(f"500 from {url}: template 'broken'")
    made_up = checked.failure(url, "--label", "is=broken")
    assert f"{given}: tried with made-up uuid; give --label uuid=…" == made_up


def test_profile_without_the_template_is_named(checked: Checked, url: str) -> None:
    why = "the machine's profile has no ignition_id, or that template is absent"
    assert f"404 from {url}: {why}" == checked.failure(url, "--label", "is=notemplate")


def test_address_whose_labels_match_no_group_fails(checked: Checked, url: str) -> None:
    why = "no group matches the labels of this address (uuid): it lacks is; add is=…"
    assert f"404 from {url}: {why}" == checked.failure(url, "--label", "is=nolabels")


def test_address_whose_labels_select_another_group_fails(checked: Checked, url: str) -> None:
    """Although there is a configuration."""
    why = "the labels of this address (is, uuid) select another group than the machine's: its is is not the machine's"
    assert why == checked.failure(url, "--label", "is=other")


@pytest.mark.parametrize(
    ("which", "why"),
    [
        ("path", "not a whole address: begin it with ${{cwduri}} or http://"),
        ("notree", "404 from {url}: there is neither images/install.img nor LiveOS/squashfs.img below it"),
        ("invalid", "invalid address 'http://[': Invalid IPv6 URL"),
        ("wrongkind", "cloud-config: Ignition reads Ignition configs"),
        ("token", "kickstart: the section that begins at line 2 has no %end"),
    ],
)
def test_address_that_would_stop_the_machine_fails(checked: Checked, url: str, which: str, why: str) -> None:
    assert why.format(url=url) == checked.failure(url, "--label", f"is={which}")


def test_invalid_port_fails(checked: Checked, url: str) -> None:
    assert "http://127.0.0.1:99999 is no address of a server" == checked.failure(url, "--label", "is=port")


def test_placeholder_in_kernel_arguments_is_a_warning(checked: Checked, url: str) -> None:
    code, lines = followed(checked, url, "address")
    assert (1, "warn   kernel arguments  T  placeholder is left: <matchbox-ip> (talos.config)") == (code, lines[0])
    assert lines[1].startswith("FAILED talos.config http://<matchbox-ip>/ignition  T  ")


def test_labels_are_compared_at_other_addresses_of_the_server_too(checked: Checked, tmp_path: Path) -> None:
    for path in ("groups", "profiles", "assets"):
        (tmp_path / path).mkdir()
    (tmp_path / "assets/k").write_bytes(b"kernel")
    (tmp_path / "groups/g.json").write_text('{"profile": "p", "selector": {"arch": "arm64"}}')
    with served(tmp_path) as url:
        port = url.rpartition(":")[2]
        config = f"talos.config=http://localhost:{port}/ignition?uuid=${{uuid}}"
        (tmp_path / "profiles/p.json").write_text(json.dumps({"boot": {"kernel": "/assets/k", "args": [config]}}))
        failure = checked.failure(url, "--label", "arch=arm64")
    assert failure.startswith(f"404 from http://localhost:{port}: no group matches the labels of this address (uuid)")


def test_other_arguments_are_followed(checked: Checked, url: str) -> None:
    """A proxy is not fetched, and a directory need not have a list."""
    code, lines = followed(checked, url, "cloud")
    assert 0 == code
    assert lines[0].endswith("  T  cloud-config, 74 bytes; placeholder is left: ${hostname} (line 2)")
    assert "-      proxy http://127.0.0.1:1/  T  not fetched: the machine connects to it later" == lines[1]
    assert lines[2].startswith("ok     x /assets/  T  ")
    code, lines = followed(checked, url, "any")
    assert 1 == code
    assert "ok     url /generic?is=any  T  cloud-config, 26 bytes, no checksum beside it" == lines[0]
    assert "ok     other /assets/rootfs.img  T  10,240 bytes, SHA-256 as stated" == lines[1]
    assert f"FAILED url /assets/absent  T  404 from {url}" == lines[2]


def test_second_stage_is_found_as_anaconda_finds_it(checked: Checked, url: str) -> None:
    code, lines = followed(checked, url, "kickstart")
    assert 0 == code
    assert "ok     inst.ks /generic?is=kickstart  T  kickstart, 31 bytes" == lines[0]
    assert "ok     inst.stage2 /assets/os/images/install.img  T  10,240 bytes, SHA-256 as stated" == lines[1]
    code, lines = followed(checked, url, "oldtree")
    assert (0, True) == (code, lines[0].startswith("ok     inst.repo /assets/old/LiveOS/squashfs.img  T  10,240 bytes"))
    assert checked.failure(url, "--label", "is=wrongtree").startswith("the hash is sha256-")


def test_repositories_are_known_by_their_index(checked: Checked, url: str) -> None:
    code, lines = followed(checked, url, "repositories")
    assert 0 == code
    assert lines[1].startswith("ok     inst.repo /assets/os/.treeinfo  T  ")
    assert lines[2].startswith("ok     alpine_repo /assets/alpine/x86_64/APKINDEX.tar.gz  T  10,240 bytes")
    code, lines = followed(checked, url, "norepositories")
    assert (1, ["ok", "FAILED", "FAILED"]) == (code, [line.split()[0] for line in lines])
    why = "it is no repository, without .treeinfo, repodata/repomd.xml, x86_64/APKINDEX.tar.gz"
    assert f"FAILED alpine_repo /assets/no  T  404 from {url}: {why}" == lines[2]


def test_placeholder_in_a_text_of_no_known_kind_is_a_warning(checked: Checked, url: str) -> None:
    _, lines = followed(checked, url, "text")
    assert lines[0].endswith("placeholder is left: CHANGEME (line 1)")


def test_seed_of_cloud_init_is_fetched(checked: Checked, url: str) -> None:
    code, lines = followed(checked, url, "seed")
    assert 0 == code
    assert "ok     ds meta-data /assets/seed/meta-data  T  empty" == lines[0]
    assert lines[1].startswith("warn   ds user-data /assets/seed/user-data  T  cloud-config, 31 bytes; placeholder is ")
    code, lines = followed(checked, url, "noseed")
    assert (1, ["FAILED", "FAILED"]) == (code, [line.split()[0] for line in lines])


def test_address_of_a_variable_that_only_the_machine_knows_is_a_warning(checked: Checked, url: str) -> None:
    code, lines = followed(checked, url, "server")
    why = "not fetched: only the machine knows ${next-server}; give --label next-server=…"
    assert 0 == code
    assert f"warn   talos.config http://${{next-server}}/ignition  T  {why}" == lines[0]
    with responding({"/ignition": (200, {}, TALOS.encode())}) as other:
        host = other.removeprefix("http://")
        code, lines = followed(checked, url, "server", "--label", f"next-server={host}", "--label", f"ip={host}")
    assert (1, True) == (code, lines[0].startswith(f"warn   talos.config {other}/ignition  T  Talos v1alpha1 worker"))


@pytest.mark.parametrize("output", ["table", "json"])
def test_no_secret_is_printed(capsys: pytest.CaptureFixture[str], url: str, output: str) -> None:
    from matchboxctl.main import main

    for which in TEMPLATES:
        main(["check", url, "--label", f"is={which}", "--label", "token=hunter2", "-o", output])
    written = capsys.readouterr()
    assert "hunter2" not in written.out + written.err
    assert "token=…" in written.out
    assert "token=…" in written.err
