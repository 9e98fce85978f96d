"""Calls of Parameter Store by the Lambda function's app, besides those of the table."""

import re
import sys
from collections.abc import Iterator
from contextlib import closing
from typing import NamedTuple

import pytest

from lambda_matchbox.catalog.groups import Group
from lambda_matchbox.catalog.profiles import NetBoot, Profile
from lambda_matchbox.machines.policy import Policy
from tests.contract.boot_app import BootApp, boot_app
from tests.rigs.catalog_table import CatalogTable
from tests.rigs.service import Service
from tests.rigs.tcp_fault import FaultProxy, fault_proxy

PREFIX = "/matchbox/calls"
TEMPLATES = {
    "none": b"{{.request.query.mac}}",
    "one": b'{{secret "0"}}',
    "ten": b"".join(b'{{secret "%d"}} {{secret "%d"}}' % (number, number) for number in range(10)),
    "eleven": b"".join(b'{{secret "%d"}}' % number for number in range(11)),
}
CLIENT = "lambda_matchbox.aws.clients.parameter_store"


class Booted(NamedTuple):
    """The app, and the proxy of Parameter Store."""

    app: BootApp
    parameters: FaultProxy

    def token(self, name: str) -> str:
        found = re.search(r"^set token (\S+)$", self.app.send("/ipxe", **_labels(name)).body.decode(), re.MULTILINE)
        assert found is not None
        return found[1]

    def calls(self, name: str, token: str) -> tuple[dict[str, int], dict[str, int]]:
        """The calls of the table and of Parameter Store for a configuration."""
        self.parameters.forget_requests()
        table = self.app.calls("/generic", token=token, **_labels(name))
        return dict(table), dict(self.parameters.requests())


def _labels(name: str) -> dict[str, str]:
    return {"mac": f"52:54:00:00:00:0{list(TEMPLATES).index(name)}", "template": name}


@pytest.fixture
def booted(table: CatalogTable, moto_server: Service) -> Iterator[Booted]:
    for name, body in TEMPLATES.items():
        table.writer.put_template("generic", name, body)
        table.writer.put_profile(Profile(name, generic_id=name, boot=NetBoot("/assets/k")))
        table.fill(Group(name, profile=name, selector={"template": name}, boot=Policy(token=True)))
    with closing(moto_server.client("ssm")) as ssm, fault_proxy(moto_server.endpoint) as parameters:
        for number in range(11):
            ssm.put_parameter(Name=f"{PREFIX}/{number}", Value="x", Type="SecureString", Overwrite=True)
        environment = {"MATCHBOX_SECRETS": f"{PREFIX}/", "AWS_ENDPOINT_URL_SSM": parameters.endpoint}
        with boot_app(table, **environment) as app:
            yield Booted(app, parameters)


def test_ten_secrets_are_one_more_call_and_then_none(booted: Booted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, CLIENT, raising=False)
    plain, parameters = booted.calls("none", booted.token("none"))
    assert parameters == {}
    assert CLIENT not in sys.modules
    for name, calls in (("one", 1), ("ten", 1), ("eleven", 1)):
        token = booted.token(name)
        # What an earlier template has read is kept.
        assert booted.calls(name, token) == (plain, {"GetParameters": calls})
        # The machine's state is not written again.
        assert booted.calls(name, token)[1] == {}


def test_more_than_ten_secrets_are_more_calls(booted: Booted) -> None:
    assert booted.calls("eleven", booted.token("eleven"))[1] == {"GetParameters": 2}
