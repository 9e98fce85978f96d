"""`matchboxctl check` against a running `serve`."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from matchboxctl.main import main
from tests.support.data_files import write_files
from tests.support.serving import serving
from tests.unit.matchboxctl.check.checked import Checked

pytestmark = pytest.mark.system

LARGE, SMALL = bytes(range(256)) * 8000, b"initramfs"
STATED = f"{hashlib.sha256(LARGE).hexdigest()}  vmlinuz\n"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A profile for each problem, selected by the label `is`."""
    root = tmp_path_factory.mktemp("data")
    files = {
        "assets/good/vmlinuz": LARGE,
        "assets/good/vmlinuz.sha256": STATED.encode(),
        "assets/good/initramfs.xz": SMALL,
        "assets/other/vmlinuz": LARGE,
        "assets/other/vmlinuz.sha256": f"{'0' * 64}  vmlinuz\n".encode(),
        "assets/senseless/vmlinuz": LARGE,
        "assets/senseless/vmlinuz.sha256": b"soon\n",
        "assets/empty/vmlinuz": b"",
    }
    boots: dict[str, Mapping[str, object]] = {
        "good": {"kernel": "/assets/good/vmlinuz", "initrd": ["--name main /assets/good/initramfs.xz"]},
        "there": {"kernel": "${cwduri}assets/good/vmlinuz"},
        "missing": {"kernel": "/assets/absent/vmlinuz", "initrd": ["/assets/good/initramfs.xz"]},
        "other": {"kernel": "/assets/other/vmlinuz"},
        "senseless": {"kernel": "/assets/senseless/vmlinuz"},
        "empty": {"kernel": "/assets/empty/vmlinuz"},
        "machines": {"kernel": "/assets/good/vmlinuz", "initrd": ["http://${next-server}/initramfs.xz"]},
        "broken": {"kernel": "http://["},
        "nameless": {"kernel": "/assets/good/vmlinuz", "initrd": ["--name main"]},
        "kernelless": {"initrd": ["/assets/good/initramfs.xz"]},
    }
    for name, boot in boots.items():
        files[f"profiles/{name}.json"] = json.dumps({"boot": boot}).encode()
        files[f"groups/{name}.json"] = json.dumps({"profile": name, "selector": {"is": name}}).encode()
    write_files(root, files)
    return root


@pytest.fixture(scope="module")
def url(root: Path) -> Iterator[str]:
    with serving(root) as port:
        yield f"http://127.0.0.1:{port}"


def test_all_checks_pass(checked: Checked, url: str) -> None:
    """Requests are in a machine's order."""
    lines = [
        "ok     /boot.ipxe  T",
        "ok     /ipxe?is=good&mac=52%3A54  T  names 1 kernel and 1 initrd",
        "ok     kernel /assets/good/vmlinuz  T  2,048,000 bytes, SHA-256 as stated",
        "ok     initrd /assets/good/initramfs.xz  T  9 bytes, no checksum beside it",
        "4 checks passed",
    ]
    assert (0, lines) == checked(url, "--label", "is=good", "--label", "mac=52:54")


def test_address_may_be_that_of_boot_ipxe(checked: Checked, url: str) -> None:
    """`${cwduri}` is the directory of the script."""
    code, lines = checked(f"{url}/boot.ipxe", "--label", "is=there")
    assert (0, "ok     kernel ${cwduri}assets/good/vmlinuz") == (code, lines[2].partition("  T")[0])


def test_missing_asset_fails_and_others_are_checked(checked: Checked, url: str) -> None:
    code, lines = checked(url, "--label", "is=missing")
    assert (1, f"FAILED kernel /assets/absent/vmlinuz  T  404 from {url}") == (code, lines[2])
    assert lines[3].startswith("ok     initrd /assets/good/initramfs.xz")
    assert "4 checks: 1 failed" == lines[-1]
    stop = f"matchboxctl: the machine would stop at kernel /assets/absent/vmlinuz: 404 from {url}\n"
    assert stop == checked.error


@pytest.mark.parametrize(
    ("which", "why"),
    [
        ("other", f"the SHA-256 is {STATED[:64]}, but vmlinuz.sha256 states {'0' * 64}"),
        ("senseless", "vmlinuz.sha256 has no SHA-256 of the file"),
        ("empty", "the file is empty"),
        ("broken", "invalid address 'http://[': Invalid IPv6 URL"),
        ("nameless", "the profile has an empty address"),
        ("kernelless", "the script names no kernel"),
    ],
)
def test_unbootable_profile_fails_with_the_reason(checked: Checked, url: str, which: str, why: str) -> None:
    assert why == checked.failure(url, "--label", f"is={which}")


def test_address_that_only_the_machine_knows_is_a_warning(checked: Checked, url: str) -> None:
    code, lines = checked(url, "--label", "is=machines")
    assert 0 == code
    why = "not fetched: only the machine knows ${next-server}; give --label next-server=…"
    assert [f"warn   initrd http://${{next-server}}/initramfs.xz  T  {why}", "4 checks passed, 1 warning"] == lines[3:]


@pytest.mark.parametrize(
    ("labels", "whom"),
    [(("--label", "is=nobody"), "these labels"), ((), "a machine without labels (--label mac=…)")],
)
def test_labels_without_a_group_fail(checked: Checked, url: str, labels: tuple[str, ...], whom: str) -> None:
    assert f"404 from {url}: no group matches {whom}" == checked.failure(url, *labels)


def test_user_agent_acts_as_another_client(checked: Checked, url: str) -> None:
    """One without redirects gets the bytes."""
    code, lines = checked(url, "--label", "is=good", "--user-agent", "GRUB 2.12")
    assert (0, "ok     kernel /assets/good/vmlinuz  T  2,048,000 bytes, SHA-256 as stated") == (code, lines[2])


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("ftp://127.0.0.1",), "invalid address 'ftp://127.0.0.1'"),
        (("127.0.0.1:8080",), "invalid address '127.0.0.1:8080'"),
        (("http://127.0.0.1:x",), "invalid address 'http://127.0.0.1:x'"),
        (("http://127.0.0.1", "--label", "mac"), "invalid --label 'mac': use KEY=VALUE"),
        (
            ("http://127.0.0.1", "--timeout", "-1"),
            "invalid number of seconds '-1': use up to 3600",
        ),
    ],
)
def test_invalid_arguments_end_with_exit_code_2(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], why: str
) -> None:
    assert 2 == main(["check", *arguments])
    assert why in capsys.readouterr().err
