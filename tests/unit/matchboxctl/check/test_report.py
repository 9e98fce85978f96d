"""The report of `matchboxctl check`."""

import json

import pytest
import yaml

from matchboxctl.check.report import Report
from matchboxctl.check.result import Result, Status, without_secrets
from matchboxctl.cli.errors import FailedError
from matchboxctl.netboot.placeholders import Placeholder

LEFT = [Placeholder(f"<{name}>", f"line {at}") for at, name in enumerate("abcdefg", 1)]
OK = Result(Status.OK, "", "/ipxe", "names 1 kernel and 0 initrd", seconds=0.5)
FILE = Result(Status.OK, "kernel", "/assets/k", "6 bytes", 6, "0" * 64, seconds=0.0014)
CONFIG = Result(
    Status.WARNING,
    "talos.config",
    "/ignition?uuid=00000000-0000-4000-8000-000000000000&token=hunter2",
    "Talos v1alpha1 worker, 1,088 bytes, with made-up uuid",
    configuration="Talos v1alpha1 worker",
    placeholders=LEFT,
)
FAILED = Result(Status.FAILED, "rootfs", "/assets/r", "404 from http://h")


def test_lines_fit_a_terminal() -> None:
    assert ["ok     kernel /assets/k  0.001 s  6 bytes"] == list(FILE.lines(80))
    assert [
        "warn   talos.config /ignition?uuid=00000000-0000-4000-8000-000000000000&token=…",
        "       0.000 s  Talos v1alpha1 worker, 1,088 bytes, with made-up uuid;",
        "       placeholders are left: <a> (line 1), <b> (line 2), <c> (line 3), <d>",
        "       (line 4), <e> (line 5) and 2 more",
    ] == list(CONFIG.lines(80))
    (line,) = CONFIG.lines(None)
    assert line.endswith(
        "&token=…  0.000 s  Talos v1alpha1 worker, 1,088 bytes, with made-up uuid; " + CONFIG.reason[55:]
    )


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("/i?uuid=1&token=abc&x=y", "/i?uuid=1&token=…&x=y"),
        ("GET /i?Password=a%20b#f failed", "GET /i?Password=…#f failed"),
        ("http://user:pass@host/i", "http://…@host/i"),
        ("ds=nocloud;secret=x;s=http://h/", "ds=nocloud;secret=…;s=http://h/"),
        ("/i?mac=52-54", "/i?mac=52-54"),
    ],
)
def test_secrets_of_addresses_are_shortened(text: str, shown: str) -> None:
    assert shown == without_secrets(text)


def test_controls_of_a_terminal_are_escaped() -> None:
    (line,) = Result(Status.FAILED, "kernel", "/a\x1b[2J", "500 from http://h: \x1b]0;x\x07").lines(None)
    assert line.isprintable()


def document(report: Report, capsys: pytest.CaptureFixture[str]) -> object:
    capsys.readouterr()
    with pytest.raises(FailedError, match="group b would stop at rootfs /assets/r: 404 from http://h"):
        report.end()
    return json.loads(capsys.readouterr().out)


def test_document_has_all_results(capsys: pytest.CaptureFixture[str]) -> None:
    """Its shape is documented, and stable."""
    report = Report("http://h", "json")
    report.add_server(Result(Status.OK, "", "/boot.ipxe", ""))
    report.begin("a", {"arch": "arm64"})
    report.add(OK)
    report.add(FILE)
    report.add(CONFIG)
    report.begin("b", {"token": "hunter2"})
    report.add(FAILED)
    check = {"bytes": None, "sha256": None, "configuration": None, "placeholders": [], "seconds": 0.0}
    assert {
        "url": "http://h",
        "passed": False,
        "server": [{"status": "ok", "what": "script", "address": "/boot.ipxe", "found": "", **check}],
        "machines": [
            {
                "group": "a",
                "labels": {"arch": "arm64"},
                "passed": True,
                "stopped_by": None,
                "checks": [
                    {"status": "ok", "what": "script", "address": "/ipxe", "found": OK.found, **check, "seconds": 0.5},
                    {
                        "status": "ok",
                        "what": "kernel",
                        "address": "/assets/k",
                        "found": "6 bytes",
                        **check,
                        "bytes": 6,
                        "sha256": "0" * 64,
                        "seconds": 0.001,
                    },
                    {
                        "status": "warning",
                        "what": "talos.config",
                        "address": "/ignition?uuid=00000000-0000-4000-8000-000000000000&token=…",
                        "found": CONFIG.found,
                        **check,
                        "configuration": "Talos v1alpha1 worker",
                        "placeholders": [{"text": one.text, "where": one.where} for one in LEFT],
                    },
                ],
            },
            {
                "group": "b",
                "labels": {"token": "…"},
                "passed": False,
                "stopped_by": "rootfs /assets/r: 404 from http://h",
                "checks": [
                    {"status": "failed", "what": "rootfs", "address": "/assets/r", "found": FAILED.found, **check}
                ],
            },
        ],
    } == document(report, capsys)


def test_yaml_has_the_same_document(capsys: pytest.CaptureFixture[str]) -> None:
    report = Report("http://h", "yaml")
    report.begin("", {})
    report.add(OK)
    report.end()
    written = yaml.safe_load(capsys.readouterr().out)
    assert report.document() == written
    assert (True, None) == (written["passed"], written["machines"][0]["group"])


def test_first_stop_is_named_once() -> None:
    report = Report("http://h", "json")
    for group in ("a", "b", "c"):
        report.begin(group, {})
        report.add(OK if group == "a" else FAILED)
    with pytest.raises(FailedError) as stopped:
        report.end()
    assert "2 of 3 groups would not boot; group b would stop at rootfs /assets/r: 404 from http://h" == str(
        stopped.value
    )
    alone = Report("http://h", "json")
    alone.add_server(FAILED)
    with pytest.raises(FailedError, match="all machines would stop at rootfs /assets/r: 404 from http://h"):
        alone.end()


def test_interruption_says_what_was_checked() -> None:
    report = Report("http://h", "json")
    report.begin("a", {})
    report.add(OK)
    report.add(FILE)
    assert "interrupted: 2 checks passed in 1 of 4 groups; nothing was changed" == report.interrupted(4)
    report.add(FAILED)
    stop = "group a would stop at rootfs /assets/r: 404 from http://h"
    assert f"interrupted: 3 checks: 1 failed; {stop}; nothing was changed" == report.interrupted(1)
