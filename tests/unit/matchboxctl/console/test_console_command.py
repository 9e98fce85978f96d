"""How a console is started, and when it refuses to."""

import http.client
import ssl
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from urllib.parse import urlencode

import pytest

from matchboxctl.cli.arguments import Address
from matchboxctl.cli.errors import UsageError
from matchboxctl.console.command import password_in, run
from matchboxctl.console.settings import ConsoleSettings
from tests.support.certificates import Authority
from tests.support.consoles import Browser
from tests.support.serving import LIMIT

pytestmark = pytest.mark.system
PASSWORD = "correct horse battery"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
COMMAND = [sys.executable, "-m", "matchboxctl.main", "console", "--address", "127.0.0.1:0", "--data-path"]


def test_first_address_is_printed_and_an_interrupt_ends_it(tmp_path: Path) -> None:
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen([*COMMAND, str(tmp_path), "--read-only"], **pipes) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        first, second = process.stdout.readline(), process.stdout.readline()
        assert f"console of data directory {tmp_path}, read-only\n" == first
        port, _, secret = second.removeprefix("open http://127.0.0.1:").partition("/?token=")
        assert "read-only" in Browser(int(port), secret.strip()).get("/").text
        process.send_signal(2)
        assert (0, "") == (process.wait(LIMIT), process.stderr.read())


# As a page does whose file system is away.
STUCK = """
import sys, threading
from matchboxctl.console import command
from matchboxctl.main import main

command.END_SECONDS = 0.1
threading.Thread(target=threading.Event().wait).start()
sys.exit(main())
"""


def test_console_ends_while_a_page_waits(tmp_path: Path) -> None:
    command = [sys.executable, "-c", STUCK, "console", "--address", "127.0.0.1:0", "--data-path", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline()
            process.terminate()
            assert 0 == process.wait(LIMIT)
        finally:
            process.kill()


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        (
            {"address": Address("0.0.0.0", 0)},
            "can be reached by others: serve https with --web-ssl, and set a password",
        ),
        ({"address": Address("192.0.2.1", 0), "password": PASSWORD}, "can be reached by others"),
        ({"address": Address("boot.example", 0)}, "or use 127.0.0.1 and an SSH tunnel"),
        ({"password": "short"}, "use 12 characters or more"),
        ({"store": Path("/nowhere")}, "/nowhere is not a directory"),
        ({"address": Address("127.0.0.1", 1)}, "cannot listen on 127.0.0.1:1"),
    ],
)
def test_console_that_must_not_start_says_what_to_change(
    tmp_path: Path, settings: dict[str, object], why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> None:
        raise OSError(13, "Permission denied")

    monkeypatch.setattr("matchboxctl.console.command.listeners", refused)
    with pytest.raises(UsageError, match=why):
        run(ConsoleSettings(Address("127.0.0.1", 0), tmp_path)._replace(**settings))


def test_console_that_others_reach_has_https_and_a_password(tmp_path: Path) -> None:
    authority = Authority()
    issued = authority.issue("127.0.0.1", ["127.0.0.1"])
    (tmp_path / "server.crt").write_bytes(issued.certificate)
    (tmp_path / "server.key").write_bytes(issued.key)
    (tmp_path / "password").write_text(PASSWORD)
    flags = ["--address", "0.0.0.0:0", "--data-path", str(tmp_path), "--web-ssl", "--password-file"]
    flags += [str(tmp_path / "password"), "--web-cert-file", str(tmp_path / "server.crt")]
    flags += ["--web-key-file", str(tmp_path / "server.key")]
    command = [sys.executable, "-m", "matchboxctl.main", "console", *flags]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        opened = process.stdout.readline()
        assert (True, True) == (opened.startswith("open https://0.0.0.0:"), opened.endswith("/\n"))
        context = ssl.create_default_context(cadata=authority.certificate.decode())
        port = int(opened.rpartition(":")[2].strip("/\n"))
        with closing(http.client.HTTPSConnection("127.0.0.1", port, timeout=LIMIT, context=context)) as connection:
            connection.request("POST", "/login", urlencode({"password": PASSWORD}), FORM)
            response = connection.getresponse()
            assert (303, True) == (response.status, "; Secure" in response.headers["set-cookie"])
        process.terminate()
        assert 0 == process.wait(LIMIT)


def test_password_is_the_first_line_of_a_file(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text(f"{PASSWORD}\nmore\n")
    assert PASSWORD == password_in(str(file))
    file.write_bytes(b"\xff")
    with pytest.raises(UsageError, match="it is not UTF-8"):
        password_in(str(file))
    for empty in ("", "\nx"):
        file.write_text(empty)
        with pytest.raises(UsageError, match="has no password in its first line"):
            password_in(str(file))
    with pytest.raises(UsageError, match="No such file"):
        password_in(str(tmp_path / "none"))


def test_help_and_other_commands_load_no_console(tmp_path: Path) -> None:
    program = (
        "import sys; from matchboxctl.main import main; main(['--help']); main(['serve', '--help']);"
        "import matchboxctl.serve.command; "
        "sys.exit(any(name.startswith(('matchboxctl.console', 'jinja2')) for name in sys.modules))"
    )
    assert 0 == subprocess.run([sys.executable, "-c", program], stdout=subprocess.DEVNULL, check=False).returncode
