"""Who may use a console, and what its responses allow."""

import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from lambda_matchbox.machines.history_stores import History
from matchboxctl.console import access, server
from matchboxctl.directory.history_file import DirectoryHistory
from tests.contract.machine_histories import MAC, WAITS, asked
from tests.support.consoles import Browser, Running, console
from tests.support.data_files import write_files
from tests.support.serving import LIMIT

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
PATH = f"/machines/{MAC}"
SOURCE = {"id": "s", "image": "127.0.0.1:1/boot:stable", "assets": "s"}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    store = DirectoryHistory(tmp_path)
    History(store).add([asked(9, mac=MAC, **WAITS)])
    store.close()
    return tmp_path


@pytest.fixture
def running(data: Path) -> Iterator[Running]:
    with console(data) as running:
        yield running


def test_first_address_begins_a_session(running: Running) -> None:
    browser = Browser(running.port)
    assert (403, True) == (browser.request("GET", "/").status, "open the address" in browser.request("GET", "/").text)
    assert 403 == browser.request("GET", "/?token=wrong").status
    first = browser.request("GET", f"{PATH}?token={running.secret}&state=waiting")
    assert (303, f"{PATH}?state=waiting") == (first.status, first.headers["location"])
    elsewhere = Browser(running.port).request("GET", f"//evil.example/?token={running.secret}")
    assert (303, "/evil.example/") == (elsewhere.status, elsewhere.headers["location"])
    attributes = first.headers["set-cookie"].split("; ")[1:]
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} == set(attributes)
    assert f"matchbox-console-{running.port}=" in browser.cookie
    assert running.secret not in browser.cookie
    assert MAC in browser.get("/").text


def test_session_that_ended_is_refused_with_what_to_do(data: Path, running: Running) -> None:
    browser = running.browser()
    with console(data) as other:
        stranger = Browser(other.port)
        stranger.cookie = browser.cookie.replace(str(running.port), str(other.port))
        for target in ("/", PATH, "/live/machines"):
            page = stranger.request("GET", target)
            assert (403, True, False) == (page.status, "it has ended" in page.text, MAC in page.text)


def test_forms_need_the_token_of_their_session(running: Running) -> None:
    browser, other = running.browser(), running.browser()
    for body in ("", "csrf=", "csrf=wrong", f"csrf={other.get(PATH).csrf}"):
        response = browser.request("POST", f"{PATH}/hold", body)
        assert (403, True) == (response.status, "reload the page" in response.text)
    csrf = f"csrf={browser.get(PATH).csrf}"
    assert 403 == browser.request("POST", f"{PATH}/hold", csrf, Origin="http://evil.example").status
    assert 403 == Browser(running.port).request("POST", f"{PATH}/hold", csrf).status
    assert "waiting" in browser.get("/").text
    assert "held 0" in browser.get("/").text
    assert 303 == browser.request("POST", f"{PATH}/hold", csrf, Origin=f"http://127.0.0.1:{running.port}").status
    assert 405 == browser.request("GET", f"{PATH}/hold").status


def sent(port: int, data: str) -> tuple[int, str]:
    """The status and the text of the response to a request as it is."""
    with socket.create_connection(("127.0.0.1", port), LIMIT) as connection:
        connection.sendall(data.encode())
        status, _, text = connection.recv(65536).decode().partition("\r\n")
    return int(status.split()[1]), text


@pytest.mark.parametrize(
    ("kind", "body", "status"),
    [
        ("application/x-www-form-urlencoded; charset=nope", "password=x", 403),
        ("application/x-www-form-urlencoded; charset=unicode_escape", r"password=\ud800", 403),
        ("application/x-www-form-urlencoded\r\nContent-Encoding: gzip", "password=x", 403),
        ("application/x-www-form-urlencoded", "password=" + "x" * 65_536, 413),
        ("multipart/form-data", "x", 415),
        ("multipart/form-data; boundary=x", "x", 415),
        ("text/plain", "password=correct+horse+battery", 415),
    ],
)
def test_form_that_no_page_sends_is_refused(
    data: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
    body: str,
    status: int,
) -> None:
    monkeypatch.setattr(access, "_LOGIN_SECONDS", 0.0)
    with console(data, password="correct horse battery") as running:
        head = f"Host: 127.0.0.1\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n"
        found, text = sent(running.port, f"POST /login HTTP/1.1\r\n{head}\r\n{body}")
    assert (status, False) == (found, "has a fault" in text)
    assert "" == capsys.readouterr().err


def test_form_that_does_not_arrive_ends(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access, "_FORM_SECONDS", 0.01)
    fields = f"Cookie: {running.browser().cookie}\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    head = f"Host: 127.0.0.1:{running.port}\r\n{fields}Content-Length: 9\r\nConnection: close\r\n"
    assert 408 == sent(running.port, f"POST {PATH}/hold HTTP/1.1\r\n{head}\r\ncsrf=")[0]


def test_request_that_does_not_arrive_ends(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "_IDLE_SECONDS", 0.05)
    with console(data) as running, socket.create_connection(("127.0.0.1", running.port), LIMIT) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n")
        assert b"" == connection.recv(1)


def test_malformed_request_leaves_no_line_of_it_in_the_log(running: Running, caplog: pytest.LogCaptureFixture) -> None:
    assert 400 == sent(running.port, "GET / HTTP/1.1\r\nCookie: matchbox-console=SECRET\x01\r\n\r\n")[0]
    assert "SECRET" not in caplog.text


def test_foreign_host_names_are_refused(data: Path, running: Running) -> None:
    browser = running.browser()
    strange = ("127.0.0.1:abc", "127.0.0.1:99999", "127.0.0.1@evil.example", "[::1")
    names = ("evil.example", f"evil.example:{running.port}", "127.0.0.1.evil.example", "localhost.evil.example")
    for host in (*names, *strange):
        response = browser.request("GET", "/", Host=host)
        assert (421, True) == (response.status, MAC not in response.text)
    for host in ("localhost", "127.0.0.1", f"[::1]:{running.port}", f"LOCALHOST:{running.port}"):
        assert 421 != browser.request("GET", "/", Host=host).status
    with console(data, host_names=["console.example"]) as named:
        assert 421 != Browser(named.port).request("GET", "/", Host="console.example").status


@pytest.mark.parametrize(
    "target",
    [
        "/",
        PATH,
        "/none",
        "/live/machines",
        "/boots",
        "/health",
        "/groups",
        "/which",
        "/images",
        "/live/boots",
        "/live/groups",
        "/static/console.css",
        "/?token=x",
    ],
)
def test_every_response_binds_the_browser(running: Running, target: str) -> None:
    for browser in (running.browser(), Browser(running.port)):
        headers = browser.request("GET", target).headers
        assert POLICY == headers["content-security-policy"]
        assert ("no-referrer", "nosniff", "DENY") == tuple(
            headers[name] for name in ("referrer-policy", "x-content-type-options", "x-frame-options")
        )
        assert ("no-cache" if target.startswith("/static/") else "no-store") == headers["cache-control"]


def test_pages_have_nothing_that_the_policy_refuses(data: Path, running: Running) -> None:
    files = {
        "groups/g.json": {"profile": "p"},
        "profiles/p.json": {"ignition_id": "i"},
        "ignition/i": "a: b",
        "sources/s.json": SOURCE,
    }
    write_files(data, files)
    browser = running.browser()
    documents = ("/groups", "/groups/g", "/profiles", "/profiles/p", "/templates", "/templates/ignition/i")
    live = ("/live/machines", f"/live{PATH}", "/live/boots", "/live/groups?name=g", "/live/images/s", "/live/health")
    for target in ("/", PATH, "/boots", "/health", "/images", "/images/s", *live, *documents, "/which?labels=a%3Db"):
        html = browser.get(target).html
        assert not re.findall(r"<style|<script(?! src=\"/static/)|\s(?:style|on[a-z]+)=|javascript:", html)
        assert not re.findall(r"(?:href|src|action)=\"(?!/|#)", html)


def test_read_only_console_has_no_action(data: Path) -> None:
    with console(data, read_only=True) as running:
        browser = running.browser()
        page = browser.get(PATH)
        assert ("<form method" in page.html, "read-only" in page.text) == (False, True)
        response = browser.request("POST", f"{PATH}/hold", "csrf=x")
        assert (403, True) == (response.status, "without --read-only" in response.text)


def test_password_opens_a_console_in_place_of_its_address(data: Path) -> None:
    with console(data, password="correct horse battery") as running:
        browser = Browser(running.port)
        assert (303, "/login") == ((response := browser.request("GET", "/")).status, response.headers["location"])
        assert 303 == browser.request("GET", f"/?token={running.secret}").status
        wrong = browser.request("POST", "/login", "password=wrong")
        assert (403, True) == (wrong.status, "not the password" in wrong.text)
        assert 303 == browser.request("POST", "/login", "password=correct+horse+battery").status
        assert MAC in browser.get("/").text
        # The form of another tab.
        assert 303 == browser.request("POST", "/login", "password=correct+horse+battery").status


@pytest.mark.parametrize("text", ["%ff", "%00", "%0a", "%ed%a0%80", "%F0%9F%98%80", "=", "a=", "=b", "%2e%2e%2f", "-"])
def test_whatever_is_asked_for_is_a_text(running: Running, text: str) -> None:
    browser = running.browser()
    for target in (f"/?q={text}", f"/?group={text}", f"/?state={text}", f"/?note={text}", f"/live/machines?key={text}"):
        assert 200 == browser.request("GET", target).status
    assert 200 == browser.request("GET", f"/live/machines?since={'9' * 5000}").status
    assert browser.request("GET", f"/machines/{text}").status in (400, 404)


def test_errors_are_pages(running: Running) -> None:
    browser = running.browser()
    for target, status, why in (
        ("/none", 404, "there is no such page"),
        ("/machines/aa:bb:cc:dd:ee:ff", 404, "was never seen"),
        ("/?cursor=x", 400, "no cursor of a page"),
        ("/static/../secrets", 404, "there is no such page"),
        ("/static/..%2fserver.py", 404, "there is no such page"),
        ("/?q=x&cursor=y", 400, "no cursor of a page"),
        (f"/?q={'x' * 161}", 400, "160 letters at most"),
        ("/machines/%ff", 404, "was never seen"),
    ):
        page = browser.request("GET", target)
        assert (status, True) == (page.status, why in page.text), page.text


def test_reading_writes_nothing(tmp_path: Path) -> None:
    write_files(tmp_path, {"groups/g.json": {"profile": "p"}, "profiles/p.json": {}})
    before = sorted(tmp_path.rglob("*"))
    with console(tmp_path, read_only=True) as running:
        browser = running.browser()
        for target in ("/", "/boots", "/health", "/groups", "/groups/g", "/images", "/which?labels=a%3Db"):
            browser.get(target)
    assert before == sorted(tmp_path.rglob("*"))
