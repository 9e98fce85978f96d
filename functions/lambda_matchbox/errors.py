"""The errors that the domain raises, and what each means to a machine.

MatchboxError
├── NotFoundError            no group matches, or something that is named does not exist: the machine's 404
├── StoreUnavailableError    the stores cannot be reached at the moment: the machine retries
│   └── LostObjectError      (aws.catalog.object_cache) the bucket lacks what the table names
├── WaitingError             the machine waits for approval: it asks again
├── RefusedError             the group's boot policy gives the machine nothing
├── UndeliverableError       a response or an asset that this client cannot get with these settings
├── DocumentError            a file that is not a valid group, profile or source
├── UnsafeSecretError        (secrets.stores) a secret that is not used, as others could read it
├── RenderError              (answers.errors) a template does not parse or render
├── InvalidConfigError       (answers.errors) a template, or what it renders, is not what its route serves
├── AWSError                 (aws.clients.errors) AWS refused a request: a permission, a missing table
└── UnwritableError          (aws.catalog.items) an item that DynamoDB cannot hold
"""


class MatchboxError(Exception):
    """A request that cannot be answered: the reason in one line. `report` has further lines for the log."""

    report: tuple[str, ...] = ()


class NotFoundError(MatchboxError):
    """No group matches, or something that is named does not exist."""


class StoreUnavailableError(MatchboxError):
    """The stores cannot be reached at the moment, throttle, or take too long."""


class WaitingError(MatchboxError):
    """The machine waits until an operator approves it."""


class RefusedError(MatchboxError):
    """The boot policy of its group gives the machine nothing, or nothing more."""


class UndeliverableError(MatchboxError):
    """The response is too large for the load balancer or the client, which cannot follow a redirect to it."""


class DocumentError(MatchboxError):
    """A document that is not a valid group, profile or image source; the message is its line, if known, and reason."""

    def __init__(self, reason: str, line: int | None = None) -> None:
        super().__init__(reason if line is None else f"line {line}: {reason}")
        self.reason = reason
        self.line = line
