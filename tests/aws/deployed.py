"""A deployed stack: what CloudFormation says of it, and requests that change nothing."""

import http.client
import json
import re
import ssl
import time
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any, NamedTuple

import boto3
import pytest

_ADDRESS = re.compile(r"(https?)://([^/]+)(/.*|)")
_TIMEOUT = 30.0
_IPXE = {"user-agent": "iPXE/1.21.1+", "accept": "*/*"}
"""Headers of a client that follows every redirect."""


class Response(NamedTuple):
    """The response of a server, and within how many seconds it came."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    seconds: float

    def __str__(self) -> str:
        return f"{self.status} {self.body[:200].decode('utf-8', 'replace')!r}"


def fetch(address: str, method: str = "GET", **headers: str) -> Response:
    """The response to one request, whose path and query are sent as they are written. Redirects are not followed."""
    found = _ADDRESS.fullmatch(address)
    assert found is not None, f"{address!r} is no address: compare it with the stack's outputs"
    scheme, authority, target = found.groups()
    begun = time.perf_counter()
    connection = (
        http.client.HTTPConnection(authority, timeout=_TIMEOUT)
        if scheme == "http"
        else http.client.HTTPSConnection(authority, timeout=_TIMEOUT, context=ssl.create_default_context())
    )
    try:
        connection.putrequest(method, target or "/", skip_accept_encoding=True)
        for name, value in (_IPXE | headers).items():
            connection.putheader(name.replace("_", "-"), value)
        connection.endheaders()
        response = connection.getresponse()
        lower = {name.lower(): value for name, value in response.getheaders()}
        return Response(response.status, lower, response.read(), time.perf_counter() - begun)
    except (OSError, http.client.HTTPException) as error:
        raise AssertionError(
            f"no response from {authority}: {error!r}. Run this where machines boot; others are not admitted"
        ) from error
    finally:
        connection.close()


class Deployed:
    """The stack with that name in the Region, or in the one of the owner's profile."""

    def __init__(self, name: str, region: str | None = None) -> None:
        self._session = boto3.Session(region_name=region)
        cloudformation = self.client("cloudformation")
        [stack] = cloudformation.describe_stacks(StackName=name)["Stacks"]
        pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=name)
        resources = [each for page in pages for each in page["StackResourceSummaries"]]
        _, self.partition, _, self.region, self.account, _ = stack["StackId"].split(":", 5)
        self.parameters = {each["ParameterKey"]: each["ParameterValue"] for each in stack.get("Parameters", ())}
        self.outputs = {each["OutputKey"]: each["OutputValue"] for each in stack["Outputs"]}
        self.resources = {each["LogicalResourceId"]: each.get("PhysicalResourceId", "") for each in resources}
        self.types = {each["LogicalResourceId"]: each["ResourceType"] for each in resources}
        self.plain = self.outputs["BootUrl"].removesuffix("/boot.ipxe")
        """The front door's address by http, without a final slash."""
        self.base = self.outputs["ConfigurationUrl"].rstrip("/")
        """The address of configurations: by https behind CloudFront."""

    def client(self, service: str) -> Any:
        """boto3's client, with the owner's credentials."""
        return self._session.client(service)

    @property
    def behind_cloudfront(self) -> bool:
        """Whether machines ask CloudFront, not the load balancer."""
        return self.parameters["FrontDoor"] == "cloudfront"

    def get(self, target: str, method: str = "GET", **headers: str) -> Response:
        """The door's response by http."""
        return fetch(self.plain + target, method, **headers)

    def ranged(self, target: str) -> Response:
        """The response to a request for the first byte of an asset, from where the door redirects to."""
        response = self.get(target, range="bytes=0-0")
        return fetch(response.headers["location"], range="bytes=0-0") if response.status == 302 else response

    @cached_property
    def asset(self) -> str:
        """The path of the first file in the door's listings."""
        waiting = ["/assets/"]
        while waiting:
            directory = waiting.pop()
            links = re.findall(r'<a href="([^"]+)"', self.get(directory).body.decode("utf-8", "replace"))
            for file in (link for link in links if not link.endswith("/")):
                return directory + file
            waiting += [directory + link for link in reversed(links)]
        pytest.skip("there is no asset: import one, or run the output SyncCommand")

    def log(self, group: str, pattern: str, minutes: int) -> Iterator[dict[str, Any]]:
        """The lines of a log group, by its logical id, that match the pattern: those of the last minutes, in JSON."""
        pages = (
            self.client("logs")
            .get_paginator("filter_log_events")
            .paginate(
                logGroupName=self.resources[group],
                filterPattern=pattern,
                startTime=int((time.time() - minutes * 60) * 1000),
            )
        )
        for page in pages:
            yield from (json.loads(each["message"]) for each in page["events"] if each["message"].startswith("{"))
