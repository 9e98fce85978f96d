"""The errors that the domain raises, and what each means to a machine.

MatchboxError
├── NotFoundError            no group matches, or something that is named does not exist: the machine's 404
├── StoreUnavailableError    the stores cannot be reached just now: ask again later
│   └── LostObjectError      (document_objects) the bucket lacks what the table names
├── AnswerTooLargeError      an answer that the balancer cannot carry
├── UndeliverableError       an asset that this client cannot be given as things are configured
├── RenderError              (answers.errors) a template does not parse or render
├── InvalidConfigError       (answers.errors) a template, or what it renders, is not what its route serves
├── DocumentError            (documents) a file that is no group or profile
├── AWSError                 (aws_errors) AWS refused a request: a permission, a missing table
└── UnwritableError          (table) what DynamoDB cannot hold
"""


class MatchboxError(Exception):
    """What cannot be answered, and why, in one line."""


class NotFoundError(MatchboxError):
    """No group matches, or what is named is not there."""


class StoreUnavailableError(MatchboxError):
    """The stores cannot be reached just now, throttle, or take too long."""


class AnswerTooLargeError(MatchboxError):
    """The answer is over the balancer's limit and must not be redirected."""


class UndeliverableError(MatchboxError):
    """The client cannot follow the redirect that this asset needs."""
