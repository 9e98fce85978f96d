"""`matchboxctl check`, as an operator runs it, against a running `serve` and against servers that are none."""

from __future__ import annotations

import hashlib
import json
import re
import socket
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING

import pytest

from matchboxctl.main import main
from tests.serving import serving

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

LARGE, SMALL = bytes(range(256)) * 8000, b"initramfs"
STATED = f"{hashlib.sha256(LARGE).hexdigest()}  vmlinuz\n"
TIME = re.compile(r"\d+\.\d{3} s")
BOOT_SCRIPT = b"#!ipxe\nchain ipxe?uuid=${uuid}\n"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One profile for each thing that may be wrong, each chosen by the label `is`."""
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
        "kernelless": {"initrd": ["/assets/good/initramfs.xz"]},
    }
    for name, boot in boots.items():
        files[f"profiles/{name}.json"] = json.dumps({"boot": boot}).encode()
        files[f"groups/{name}.json"] = json.dumps({"profile": name, "selector": {"is": name}}).encode()
    for path, body in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(body)
    return root


@pytest.fixture(scope="module")
def url(root: Path) -> Iterator[str]:
    with serving(root) as port:
        yield f"http://127.0.0.1:{port}"


@pytest.fixture
def checked(capsys: pytest.CaptureFixture[str]) -> Checked:
    return Checked(capsys)


class Checked:
    """What a check ends with, and what it prints, each time as T."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys
        self.error = ""

    def __call__(self, url: str, *arguments: str) -> tuple[int, list[str]]:
        """Exit code, and the lines after the one that says what is checked."""
        code = main(["check", url, *arguments])
        written = self._capsys.readouterr()
        self.error = written.err
        first, *lines = written.out.splitlines()
        assert first.startswith("checking http://127.0.0.1:")
        return code, [TIME.sub("T", line) for line in lines]

    def failure(self, url: str, *arguments: str) -> str:
        """The reason of the one check that fails."""
        code, lines = self(url, *arguments)
        assert 1 == code
        (line,) = [line for line in lines if line.startswith("FAILED")]
        return line.partition("  T  ")[2]


def test_a_machine_that_boots(checked: Checked, url: str) -> None:
    """Scripts and files are asked for in a machine's order, a signed redirect is followed, a checksum compared."""
    lines = [
        "ok     /boot.ipxe  T",
        "ok     /ipxe?is=good&mac=52%3A54  T  names 1 kernel and 1 initrd",
        f"ok     /assets/good/vmlinuz  T  2,048,000 bytes, SHA-256 as stated, redirected to {url}",
        "ok     /assets/good/initramfs.xz  T  9 bytes, no checksum beside it",
        "4 checks passed",
    ]
    assert (0, lines) == checked(url, "--label", "is=good", "--label", "mac=52:54")


def test_the_address_of_the_script(checked: Checked, url: str) -> None:
    """The stack's output may be given as it is, and `${cwduri}` is where the script came from."""
    code, lines = checked(f"{url}/boot.ipxe", "--label", "is=there")
    assert (0, "ok     ${cwduri}assets/good/vmlinuz") == (code, lines[2].partition("  T")[0])


def test_an_asset_that_is_missing(checked: Checked, url: str) -> None:
    """It is named, the others are checked all the same, and the command ends with 1."""
    code, lines = checked(url, "--label", "is=missing")
    assert (1, f"FAILED /assets/absent/vmlinuz  T  404 from {url}") == (code, lines[2])
    assert lines[3].startswith("ok     /assets/good/initramfs.xz")
    assert "matchboxctl: 1 of 4 checks failed, as told above\n" == checked.error


@pytest.mark.parametrize(
    ("which", "why"),
    [
        ("other", f"its SHA-256 is {STATED[:64]}, but vmlinuz.sha256 says {'0' * 64}"),
        ("senseless", "vmlinuz.sha256 states no SHA-256 of it"),
        ("empty", "it is empty"),
        ("kernelless", "its script names no kernel"),
    ],
)
def test_what_no_machine_boots_from(checked: Checked, url: str, which: str, why: str) -> None:
    """A checksum that differs or is none, an empty file, and a profile without a kernel fail with the reason."""
    assert why == checked.failure(url, "--label", f"is={which}")


def test_an_address_that_only_the_machine_knows(checked: Checked, url: str) -> None:
    """It is told, and the summary says so; it fails nothing."""
    code, lines = checked(url, "--label", "is=machines")
    assert 0 == code
    assert [
        "-      http://${next-server}/initramfs.xz  cannot be made: only the machine knows that address",
        "3 checks passed, 1 could not be made",
    ] == lines[3:]


@pytest.mark.parametrize(
    ("labels", "whom"),
    [(("--label", "is=nobody"), "these labels"), ((), "a machine without labels (--label mac=…)")],
)
def test_no_group(checked: Checked, url: str, labels: tuple[str, ...], whom: str) -> None:
    """The reason says which machine no group takes."""
    assert checked.failure(url, *labels).startswith(f"404 from {url}: no group takes {whom}, or ")


@contextmanager
def answering(answers: Mapping[str, tuple[int, dict[str, str], bytes]]) -> Iterator[str]:
    """The address of a server with these answers, by path; all others are 404."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            status, headers, body = answers.get(self.path.partition("?")[0], (404, {}, b"nothing\n"))
            self.send_response(status)
            for name, value in ({"Content-Length": str(len(body))} | headers).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)
            self.close_connection = True

        def log_request(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def test_another_server(checked: Checked) -> None:
    """What is no matchbox is told apart by its status, its answer, or its script."""
    pages = [{}, {"/boot.ipxe": (200, {}, b"<html>")}, {"/boot.ipxe": (200, {}, b"#!ipxe\nsanboot x\n")}]
    for page in pages:
        with answering(page) as url:
            assert checked.failure(url).endswith("it is no matchbox that answers there")


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (
            (503, {"Retry-After": "5"}, b"no answer\nfrom dynamodb"),
            "no answer from dynamodb: table, bucket or function",
        ),
        ((502, {}, b"<html>Bad Gateway</html>"), "the function failed, was not let in or was too slow"),
        ((403, {}, b"<Error><Code>AccessDenied</Code></Error>"), "AccessDenied: the signature has ended"),
        ((500, {}, b"the script has 2 bytes"), "the script has 2 bytes"),
    ],
)
def test_statuses(checked: Checked, answer: tuple[int, dict[str, str], bytes], why: str) -> None:
    """A status is told with what the answer says in a line and with what it may mean."""
    with answering({"/boot.ipxe": answer}) as url:
        assert checked.failure(url).startswith(f"{answer[0]} from {url}: {why}")


def kernel_by(answers: Mapping[str, tuple[int, dict[str, str], bytes]]) -> dict[str, tuple[int, dict[str, str], bytes]]:
    scripts = {"/boot.ipxe": (200, {}, BOOT_SCRIPT), "/ipxe": (200, {}, b"#!ipxe\nkernel k a=b\nboot\n")}
    return {**scripts, **answers}


def test_redirects_as_ipxe_follows_them(checked: Checked) -> None:
    """Any status with a Location is followed, an error's too, and a signature is sent as it is written."""
    with answering({"/a/../k%2Fk": (200, {}, b"kernel")}) as other:
        moved = kernel_by(
            {"/k": (503, {"Location": "/two"}, b""), "/two": (302, {"Location": f"{other}/a/../k%2Fk?X=%2B"}, b"")}
        )
        with answering(moved) as url:
            code, lines = checked(url)
    assert (0, f"ok     k  T  6 bytes, no checksum beside it, redirected to {other}") == (code, lines[2])


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ((302, {"Location": "/k"}, b""), "it redirects more than 10 times"),
        ((302, {"Location": "tftp://x/k"}, b""), "it redirects to tftp://x, which is no web server"),
        ((200, {"Content-Length": "9"}, b"kern"), "IncompleteRead"),
    ],
)
def test_files_that_do_not_arrive(checked: Checked, answer: tuple[int, dict[str, str], bytes], why: str) -> None:
    """A loop, a redirect to what is no web server, and a body that breaks off fail the file."""
    with answering(kernel_by({"/k": answer})) as url:
        assert why in checked.failure(url)


def test_a_script_that_is_elsewhere(checked: Checked) -> None:
    """A script that is redirected to another host, as a balancer sends port 80 to 443, is a failure."""
    with answering({"/boot.ipxe": (301, {"Location": "https://127.0.0.1:1/boot.ipxe"}, b"")}) as url:
        assert "https://127.0.0.1:1 refuses the connection" in checked.failure(url)
    with ExitStack() as opened:
        other = opened.enter_context(answering({"/boot.ipxe": (200, {}, BOOT_SCRIPT)}))
        moved = {"/boot.ipxe": (301, {"Location": f"{other}/boot.ipxe"}, b"")}
        url = opened.enter_context(answering(moved))
        assert f"it redirects to {other}, where most machines cannot go on" == checked.failure(url)


def test_the_client(checked: Checked, root: Path) -> None:
    """--user-agent asks as another client: one that follows no redirect is given the bytes."""
    with serving(root) as port:
        code, lines = checked(f"http://127.0.0.1:{port}", "--label", "is=good", "--user-agent", "GRUB 2.12")
    assert (0, "ok     /assets/good/vmlinuz  T  2,048,000 bytes, SHA-256 as stated") == (code, lines[2])


def test_nothing_listens(checked: Checked) -> None:
    """A connection that is refused is told from one that is not answered."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert "refuses the connection: nothing listens on that port" in checked.failure(f"http://127.0.0.1:{port}")


def test_silence_at_the_door(checked: Checked) -> None:
    """No connection within the time means a security group; the kernel drops what a full queue cannot take."""
    with ExitStack() as opened:
        listener = opened.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(4):
            waiting = opened.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        assert checked.failure(url, "--timeout", "0.3").startswith(f"no connection to {url} within 0.3 s: a security ")


def test_silence_inside(checked: Checked) -> None:
    """A server that takes the connection and says nothing is told from that."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        assert checked.failure(url, "--timeout", "0.3").startswith(f"{url} is connected, and silent for 0.3 s: ")


def test_a_name_that_is_none(capsys: pytest.CaptureFixture[str]) -> None:
    """A name that cannot be resolved is told as that."""
    assert 1 == main(["check", "http://matchbox.invalid"])
    assert "the name 'matchbox.invalid' cannot be resolved" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("ftp://127.0.0.1",), "'ftp://127.0.0.1' is no address of a matchbox"),
        (("127.0.0.1:8080",), "'127.0.0.1:8080' is no address of a matchbox"),
        (("http://127.0.0.1:x",), "'http://127.0.0.1:x' is no address of a matchbox"),
        (("http://127.0.0.1", "--label", "mac"), "--label 'mac' is no KEY=VALUE"),
        (("http://127.0.0.1", "--timeout", "-1"), "argument --timeout: '-1' is no number of seconds up to 3600"),
    ],
)
def test_what_cannot_be_checked(capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], why: str) -> None:
    """An address or a label that is none is a mistake of the call, which ends with 2."""
    try:
        code: object = main(["check", *arguments])
    except SystemExit as ended:
        code = ended.code
    assert (2, True) == (code, why in capsys.readouterr().err)
