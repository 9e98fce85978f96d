"""The log on a terminal of 80 columns."""

import io
import logging
import re
import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_matchbox.http import Request
from lambda_matchbox.web.access_log import AccessLogFields, log_request
from matchboxctl.log.terminal_log import TerminalLog

MAC = "52:54:00:12:34:56"
UUID = "4c4c4544-0034-4d10-8052-b4c04f303332"
SECONDS = 0.0123


def lines(
    path: str, *, method: str = "GET", coloured: bool = False, client: str = "192.0.2.7", **found: Any
) -> list[str]:
    """What the log writes for a request."""
    stream = io.StringIO()
    request = Request(method, path, "", {"x-forwarded-for": client, "user-agent": "curl/8"})
    log_request(TerminalLog("info", stream, coloured=coloured), request, AccessLogFields(**found), SECONDS)
    return stream.getvalue().splitlines()


def record(level: int, message: str, **fields: object) -> list[str]:
    stream = io.StringIO()
    log = TerminalLog("info", stream, coloured=False)
    {logging.INFO: log.info, logging.WARNING: log.warning, logging.ERROR: log.error}[level](message, extra=fields)
    return stream.getvalue().splitlines()


def test_requests_have_aligned_lines_of_80_columns() -> None:
    """Time, machine, what, status, milliseconds."""
    requests = [
        lines("/ipxe", labels={"mac": MAC}, group="node1", profile="worker", status=200),
        lines("/ipxe", labels={"mac": MAC}, reason="no group matches these labels", status=404),
        lines("/assets/talos/arm64/vmlinuz", group=None, profile=None, status=200, method="HEAD"),
        lines("/ignition", labels={"uuid": UUID}, group="a" * 60, status=200),
        lines("/assets/coreos/fedora-coreos-40.20240602.3.0-live-rootfs.x86_64.img", status=206),
        lines("/boot.ipxe", client="2001:db8:1234:5678:9abc:def0:1234:5678", status=302),
    ]
    (first,), (unmatched,), (asset,), (long_group,), (long_path,), (long_address,) = requests
    assert re.fullmatch(rf"\d\d:\d\d:\d\d  {MAC}  /ipxe → node1 {{23}}  200   12\.3 ms", first)
    assert f"{MAC}  /ipxe: no group matches these labels  404" in unmatched
    assert "192.0.2.7          HEAD /assets/talos/arm64/vmlinuz      200" in asset
    assert "  4c4c4…4c04f303332  /ignition →…" in long_group
    assert "/assets/cor…" in long_path
    assert "live-rootfs.x86_64.img  206" in long_path
    assert "2001:…" in long_address
    assert {80} == {len(line) for (line,) in requests}


def test_reason_is_shown_in_full() -> None:
    """Below the line if it is long, in lines of at most 80 columns."""
    reason = "template 'worker.yaml', line 12: there is no value for " + "network " * 30
    first, *below = lines("/ignition", labels={"mac": MAC}, reason=reason, status=500)
    assert re.fullmatch(rf"[0-9:]{{8}}  {MAC}  /ignition +  500   12\.3 ms", first)
    assert reason.split() == " ".join(below).split()
    assert all(line.startswith(" " * 10) and len(line) <= 80 for line in below)


def test_unknown_machine_is_shown_in_full() -> None:
    """A UUID is longer than its column, and a group's selector needs all of it."""
    first, below, reason = lines("/ipxe", labels={"uuid": UUID}, reason="no group matches " * 4, status=404)
    assert UUID not in first
    assert [" " * 10 + f"uuid={UUID}", " " * 10 + ("no group matches " * 4).strip()] == [below, reason]
    assert 1 == len(lines("/ipxe", labels={"uuid": UUID}, group="g", status=200))


def test_warnings_about_a_request_are_below_its_line() -> None:
    _, ignored, first, second = lines(
        "/ignition", ignored_labels=("a\n",), report=("line 1: x", "line 2: y"), status=200
    )
    assert ["ignored_labels: a%0A", "butane: line 1: x", "butane: line 2: y"] == [
        line.strip() for line in (ignored, first, second)
    ]


@pytest.mark.parametrize(("status", "colour"), [(200, 32), (206, 32), (302, 36), (404, 33), (500, 31), (503, 31)])
def test_status_has_its_colour(status: int, colour: int) -> None:
    (line,) = lines("/", coloured=True, status=status)
    assert f"\x1b[{colour}m{status}\x1b[0m" in line
    assert [line] != lines("/", status=status)
    assert 80 == len(re.sub("\x1b\\[[0-9]+m", "", line))


def test_other_records_have_level_message_and_fields() -> None:
    stream = io.StringIO()
    log = TerminalLog("info", stream, coloured=False)
    try:
        raise RuntimeError("a fault\x1b[2J")
    except RuntimeError:
        log.exception("unhandled exception")
    head, *traceback = (line[10:] for line in stream.getvalue().splitlines())
    assert "error: unhandled exception" == head
    assert ("Traceback (most recent call last):", r"RuntimeError: a fault\x1b[2J") == (traceback[0], traceback[-1])
    assert ["info: signing fingerprint=ABCD"] == [
        line[10:] for line in record(logging.INFO, "signing", fingerprint="ABCD")
    ]
    refused = record(logging.WARNING, "connections refused", refused={"over 2 connections": 3, "over 1,024 of one": 1})
    assert ["warning: connections refused refused=over 2 connections: 3, over 1,024", "of one: 1"] == [
        line[10:] for line in refused
    ]


def test_records_below_the_level_are_left_out() -> None:
    stream = io.StringIO()
    log = TerminalLog("warning", stream, coloured=False)
    log.info("one")
    log.warning("two")
    assert ["warning: two"] == [line[10:] for line in stream.getvalue().splitlines()]


texts = st.text(st.characters(), max_size=100)


@given(texts, texts, texts, texts, texts)
def test_client_cannot_control_the_terminal(path: str, method: str, name: str, reason: str, group: str) -> None:
    """No escape sequence, no further line, no change of direction."""
    found = {"labels": {"hostname": name}, "reason": reason, "group": group, "ignored_labels": (name,)}
    for line in (
        *lines(path, method=method, client=name, status=404, report=(reason,), **found),
        *record(logging.ERROR, reason, field=path, refused={group: 1}),
    ):
        assert not [char for char in line if unicodedata.category(char) in ("Cc", "Cf", "Zl", "Zp", "Co", "Cs")]
        assert re.match(r"[0-9:]{8}  | {10}", line)


def test_token_is_not_shown() -> None:
    """In a query that a reason quotes, for instance."""
    assert "secret" not in "".join(lines("/a?token=secret", reason="no route '/a?token=secret'", status=404))
