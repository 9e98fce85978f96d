"""A deployed stack of its own, whose built functions run over stores of this machine."""

import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from boot_history.handler import history_of
from lambda_matchbox.aws.table_and_bucket import create_history_table
from lambda_matchbox.machines.history_stores import History
from tests.rigs.lambda_runtime import lambda_function
from tests.rigs.program import scratch_directory
from tests.rigs.service import Service
from tests.rigs.stores import Stores, new_stores
from tests.stack.balancer import Balancer, artefacts, balancer
from tests.stack.cloudfront.distribution import CloudFront, cloudfront
from tests.stack.filter_patterns import matches
from tests.stack.resolution import Stack
from tools.template_translation import Deployment, translations

BEHIND_CLOUDFRONT = {"FrontDoor": "cloudfront", "AllowedCidrs": "127.0.0.0/8", "VpcId": "", "SubnetIds": ""}
"""Parameters with which this machine may boot."""


class Place:
    """The stores that its template names are not made yet."""

    def __init__(
        self, built: Path, tables: Service, buckets: Service, secrets: Service, parameters: Mapping[str, str]
    ) -> None:
        [template] = translations([Deployment(parameters)])
        self.stack = Stack(template, parameters, str(uuid.uuid4()))
        self._built = built
        name = self.stack.environment("BootApi")["MATCHBOX_TABLE"]
        self.stores: Stores = replace(new_stores(tables, buckets), name=name)
        given = self.stores.environment()
        self._aws = {name: value for name, value in given.items() if name.startswith("AWS_")}
        self._aws |= dict.fromkeys(("AWS_ENDPOINT_URL_SECRETS_MANAGER", "AWS_ENDPOINT_URL_SSM"), secrets.endpoint)

    @contextmanager
    def balancer(self, port: int = 0) -> Iterator[Balancer]:
        with balancer(self.stack, self._built, self._aws, port) as running:
            yield running

    @contextmanager
    def cloudfront(
        self, port: int = 0, https_port: int = 0, domain: str = "d111111abcdef8.cloudfront.net"
    ) -> Iterator[CloudFront]:
        """The distribution of a stack that was made with BEHIND_CLOUDFRONT; `domain` is what it calls itself."""
        with (
            scratch_directory() as scratch,
            cloudfront(self.stack, self._built, self.stores, self._aws, scratch, port, https_port, domain) as running,
        ):
            yield running

    @contextmanager
    def invoking(self, function: str) -> Iterator[Any]:
        """A function, as something that takes events."""
        with lambda_function(artefacts(self.stack, function, self._built, self._aws)) as running:
            yield running

    @contextmanager
    def history(self) -> Iterator[tuple[Any, History]]:
        """The function that writes the history, over a new table, and what it has written."""
        table = {"MATCHBOX_HISTORY_TABLE": f"{self.stores.name}-history"}
        with closing(self.stores.tables.client("dynamodb")) as client:
            create_history_table(client, table["MATCHBOX_HISTORY_TABLE"])
        environment = self.stores.environment() | table
        with lambda_function(artefacts(self.stack, "BootHistory", self._built, self._aws | table)) as running:
            yield running, history_of(environment)

    def handed_over(self, log: Iterable[str]) -> list[str]:
        """The lines that the log's subscription hands to that function."""
        pattern = self.stack.properties("BootApiSubscription")["FilterPattern"]
        return [line for line in log if matches(pattern, line)]
