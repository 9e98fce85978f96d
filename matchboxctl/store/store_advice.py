"""What does an operator do about what a disk, table or bucket refuses?"""

from collections.abc import Iterator
from contextlib import contextmanager

from matchboxctl.cli.errors import FailedError


@contextmanager
def with_advice() -> Iterator[None]:
    """Raise FailedError that says what to do for what is refused in the body."""
    from lambda_matchbox.aws.clients.errors import AWSError

    try:
        yield
    except BrokenPipeError:
        # Whoever reads the output has read enough.
        raise
    except OSError as error:
        raise FailedError(str(error)) from error
    except AWSError as error:
        absent = error.code in ("ResourceNotFoundException", "NoSuchBucket")
        advice = "make them with `matchboxctl init`" if absent else "see to the permissions of these credentials"
        raise FailedError(f"{error}: {advice}") from error
