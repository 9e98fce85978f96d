"""`matchboxctl check` against servers that fail."""

import os
import signal
import socket
import ssl
from collections.abc import Mapping
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from matchboxctl.main import main
from tests.support.certificates import Authority
from tests.support.server_threads import in_thread
from tests.unit.matchboxctl.check.checked import Checked
from tests.unit.matchboxctl.check.responding import responding

pytestmark = pytest.mark.system

BOOT_SCRIPT = b"#!ipxe\nchain ipxe?uuid=${uuid}\n"


def test_other_server_is_recognized(checked: Checked) -> None:
    pages = [{}, {"/boot.ipxe": (200, {}, b"<html>")}, {"/boot.ipxe": (200, {}, b"#!ipxe\nsanboot x\n")}]
    for page in pages:
        with responding(page) as url:
            assert checked.failure(url).endswith("this server is not a matchbox")


@pytest.mark.parametrize(
    ("response", "why"),
    [
        (
            (503, {"Retry-After": "5"}, b"no response\nfrom dynamodb"),
            "no response from dynamodb: the table, bucket or function",
        ),
        ((502, {}, b"<html>Bad Gateway</html>"), "the function failed, could not be invoked or timed out"),
        ((403, {}, b"<Error><Code>AccessDenied</Code></Error>"), "AccessDenied: the signature has expired"),
        ((500, {}, b"the script has 2 bytes"), "the script has 2 bytes"),
    ],
)
def test_status_is_reported_with_the_body_and_advice(
    checked: Checked, response: tuple[int, dict[str, str], bytes], why: str
) -> None:
    with responding({"/boot.ipxe": response}) as url:
        assert checked.failure(url).startswith(f"{response[0]} from {url}: {why}")


@pytest.mark.parametrize(
    ("headers", "body", "why"),
    [
        ({"X-Amz-Cf-Id": "x"}, b"<HTML>403 ERROR</HTML>", "CloudFront gives configurations over https only: begin"),
        ({}, b"<HTML>403 ERROR</HTML>", "the signature has expired"),
        ({"X-Amz-Cf-Id": "x"}, b"10.0.0.5 is in no network of AllowedCidrs\n", "10.0.0.5 is in no network of AllowedC"),
        ({"X-Amz-Cf-Id": "x"}, b"the request has no token\n", "the request has no token"),
    ],
)
def test_refusals_of_cloudfront_are_named(checked: Checked, headers: dict[str, str], body: bytes, why: str) -> None:
    script = b"#!ipxe\nkernel k talos.config=${cwduri}generic?mac=${mac}\nboot\n"
    pages = {"/boot.ipxe": (200, headers, BOOT_SCRIPT), "/ipxe": (200, {}, script), "/k": (200, {}, b"k")}
    with responding({**pages, "/generic": (403, headers, body)}) as url:
        code, lines = checked(url, "--label", "mac=52:54:00:12:34:56")
    assert 1 == code
    assert any(f"403 from {url}: {why}" in line for line in lines), lines


@pytest.mark.parametrize(
    ("headers", "metadata", "warned"),
    [
        ({"X-Amz-Cf-Id": "x"}, b"NAME=node-1\nREQUEST_QUERY_MAC=x\n", True),
        ({}, b"NAME=node-1\n", False),
        ({"X-Amz-Cf-Id": "x"}, b"NAME=node-2\n", False),
        ({"X-Amz-Cf-Id": "x"}, b"MAC=52:54:00:12:34:56\n", False),
    ],
)
def test_metadata_without_a_token_is_named_behind_cloudfront(
    checked: Checked, headers: dict[str, str], metadata: bytes, *, warned: bool
) -> None:
    script = b"#!ipxe\nkernel k talos.config=${cwduri}generic?mac=${mac}\nboot\n"
    config = b"version: v1alpha1\nmachine:\n  type: worker\n  network:\n    hostname: node-1\n# 52:54:00:12:34:56\n"
    pages = {"/boot.ipxe": (200, {}, BOOT_SCRIPT), "/ipxe": (200, {}, script), "/k": (200, {}, b"k")}
    responses = {"/generic": (200, headers, config), "/metadata": (200, headers, metadata)}
    with responding(pages | responses) as url:
        _, lines = checked(url, "--label", "mac=52:54:00:12:34:56")
    assert warned == any("whoever on the internet names its labels gets its metadata" in line for line in lines)


def test_file_of_a_cloudfront_elsewhere_puts_nothing_behind_cloudfront(checked: Checked) -> None:
    with responding({"/k": (200, {"X-Amz-Cf-Id": "x"}, b"k")}) as mirror:
        script = f"#!ipxe\nkernel k root={mirror}/k talos.config=${{cwduri}}generic?mac=${{mac}}\nboot\n"
        config = b"version: v1alpha1\nmachine:\n  type: worker\n  network:\n    hostname: node-1\n"
        pages = {"/boot.ipxe": (200, {}, BOOT_SCRIPT), "/ipxe": (200, {}, script.encode()), "/k": (200, {}, b"k")}
        with responding({**pages, "/generic": (200, {}, config), "/metadata": (200, {}, b"NAME=node-1\n")}) as url:
            _, lines = checked(url, "--label", "mac=52:54:00:12:34:56")
    assert any(mirror in line for line in lines)
    assert not any("internet" in line for line in lines)


def kernel_by(
    responses: Mapping[str, tuple[int, dict[str, str], bytes]],
) -> dict[str, tuple[int, dict[str, str], bytes]]:
    scripts = {"/boot.ipxe": (200, {}, BOOT_SCRIPT), "/ipxe": (200, {}, b"#!ipxe\nkernel k a=b\nboot\n")}
    return {**scripts, **responses}


def test_any_location_is_followed(checked: Checked) -> None:
    """With any status, as by iPXE; a signature is sent unchanged."""
    with responding({"/a/../k%2Fk": (200, {}, b"kernel")}) as other:
        moved = kernel_by(
            {"/k": (503, {"Location": "/two"}, b""), "/two": (302, {"Location": f"{other}/a/../k%2Fk?X=%2B"}, b"")}
        )
        with responding(moved) as url:
            code, lines = checked(url)
    assert (0, f"ok     kernel k  T  6 bytes, no checksum beside it, redirected to {other}") == (code, lines[2])


@pytest.mark.parametrize(
    ("response", "why"),
    [
        ((302, {"Location": "/k"}, b""), "more than 10 redirects"),
        ((302, {"Location": "tftp://x/k"}, b""), "redirected to tftp://x, which is not a web server"),
        ((200, {"Content-Length": "9"}, b"kern"), "ended the connection before the whole response was sent"),
    ],
)
def test_incomplete_download_fails(checked: Checked, response: tuple[int, dict[str, str], bytes], why: str) -> None:
    """A loop, a redirect to another scheme, or a truncated body."""
    with responding(kernel_by({"/k": response})) as url:
        assert why in checked.failure(url)


def test_script_on_another_host_fails(checked: Checked) -> None:
    """As when a balancer redirects port 80 to 443."""
    with responding({"/boot.ipxe": (301, {"Location": "https://127.0.0.1:1/boot.ipxe"}, b"")}) as url:
        assert "https://127.0.0.1:1 refuses the connection" in checked.failure(url)
    with ExitStack() as opened:
        other = opened.enter_context(responding({"/boot.ipxe": (200, {}, BOOT_SCRIPT)}))
        moved = {"/boot.ipxe": (301, {"Location": f"{other}/boot.ipxe"}, b"")}
        url = opened.enter_context(responding(moved))
        assert f"redirected to {other}, which most machines cannot follow" == checked.failure(url)


def test_refused_connection_is_reported(checked: Checked) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert "refuses the connection: no server listens on that port" in checked.failure(f"http://127.0.0.1:{port}")


def test_connect_timeout_is_reported(checked: Checked) -> None:
    """The kernel drops what a full backlog cannot take."""
    with ExitStack() as opened:
        listener = opened.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(4):
            waiting = opened.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        assert checked.failure(url, "--timeout", "0.3").startswith(f"no connection to {url} within 0.3 s: a security ")


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_read_timeout_is_reported(checked: Checked, scheme: str) -> None:
    """Also of a handshake."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"{scheme}://127.0.0.1:{listener.getsockname()[1]}"
        assert checked.failure(url, "--timeout", "0.3").startswith(f"{url} sent nothing for 0.3 s: ")


def test_certificate_of_an_unknown_authority_is_reported(checked: Checked, tmp_path: Path) -> None:
    issued = Authority().issue("boot.test", ["127.0.0.1"])
    (tmp_path / "server.pem").write_bytes(issued.certificate + issued.key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "server.pem")
    with ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        with in_thread(server):
            url = f"https://127.0.0.1:{server.server_port}"
            assert checked.failure(url).startswith(f"{url}: TLS failed: its certificate is not valid: unable to get ")


def test_unknown_host_name_is_reported(capsys: pytest.CaptureFixture[str]) -> None:
    assert 1 == main(["check", "http://matchbox.invalid"])
    assert "the name 'matchbox.invalid' cannot be resolved" in capsys.readouterr().out


class _Interrupting(dict[str, tuple[int, dict[str, str], bytes]]):
    """Answers during whose kernel the operator presses Ctrl-C, once."""

    pressed = False

    def get(self, path: str, default: object = None) -> object:  # type: ignore[override]
        if path == "/k" and not self.pressed:
            self.pressed = True
            os.kill(os.getpid(), signal.SIGINT)
        return super().get(path, default)  # type: ignore[arg-type]


def test_interrupted_check_says_what_was_checked(capsys: pytest.CaptureFixture[str]) -> None:
    with responding(_Interrupting(kernel_by({}))) as url:
        assert 130 == main(["check", url])
    # The server may complain of the client that went away.
    assert "matchboxctl: interrupted: 2 checks passed; nothing was changed\n" in capsys.readouterr().err
