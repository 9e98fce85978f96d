"""cloud-init's `phone_home`, which posts a form when a machine is installed, through each door that takes POST."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from http.client import HTTPConnection
from typing import TypeAlias
from urllib.parse import urlencode

import pytest

from lambda_matchbox.web.app import App
from tests.support.http_serving import http_serving
from tests.unit.web.gated_server import MAC, Server, policy

Send: TypeAlias = Callable[[str, str, str], int]
"""From the method, the address and the body of a request to the status."""

Door: TypeAlias = Callable[[App], AbstractContextManager[Send]]

FORM = urlencode(
    {
        "pub_key_rsa": "ssh-rsa AAAAB3Nza root@n1",
        "pub_key_ed25519": "ssh-ed25519 AAAAC3Nza root@n1",
        "instance_id": "i-87018aed",
        "hostname": "n1",
        "fqdn": "n1.example.com",
    }
)
FORM_TYPE = "application/x-www-form-urlencoded"


@contextmanager
def serve(app: App) -> Iterator[Send]:
    with http_serving(app) as port:

        def send(method: str, path: str, body: str) -> int:
            with closing(HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
                connection.request(method, path, body or None, {"Content-Type": FORM_TYPE})
                return connection.getresponse().status

        yield send


@contextmanager
def balancer(app: App) -> Iterator[Send]:
    def send(method: str, path: str, body: str) -> int:
        path, _, query = path.partition("?")
        headers = {"host": ["boot.example"], "x-forwarded-for": ["10.0.0.5"], "content-type": [FORM_TYPE]}
        parameters = {key: [value] for key, _, value in (pair.partition("=") for pair in query.split("&"))}
        event = {"httpMethod": method, "path": path, "body": body, "isBase64Encoded": False}
        status = app.handle({**event, "multiValueHeaders": headers, "multiValueQueryStringParameters": parameters})
        return int(status["statusCode"])

    yield send


@pytest.mark.system
@pytest.mark.parametrize("door", [serve, balancer])
@policy(once=True, done="report")
def test_a_machine_is_installed_when_cloud_init_phones_home(server: Server, door: Door) -> None:
    with door(server.app) as send:
        assert send("GET", f"/cloud?mac={MAC}", "") == 200
        assert server.state is not None
        assert not server.state.installed
        assert send("POST", f"/report?mac={MAC}&state=installed", FORM) == 200
        assert server.state.installed
