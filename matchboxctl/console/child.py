"""Work in a process of its own, whose memory is free when it ends."""

import asyncio
import pickle
import sys
from asyncio.subprocess import PIPE
from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

from lambda_matchbox.errors import MatchboxError
from matchboxctl.cli.errors import CommandError, FailedError

_Result = TypeVar("_Result")


class Runner(Protocol):
    """Runs work beside the event loop, and returns what it returns."""

    def __call__(self, work: Callable[[], _Result], /) -> Awaitable[_Result]:
        """The result of the work."""


async def in_child(work: Callable[[], _Result]) -> _Result:
    """What the work returns, which like the work is pickled. Raises FailedError for a CommandError or MatchboxError.

    The process ends with this task.
    """
    process = await asyncio.create_subprocess_exec(sys.executable, "-P", "-m", __name__, stdin=PIPE, stdout=PIPE)
    try:
        written, _ = await process.communicate(pickle.dumps(work))
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        raise RuntimeError(f"a process of this console ended with {process.returncode}, and wrote why above")
    error, result = pickle.loads(written)  # noqa: S301 (by the process above)
    if error:
        raise FailedError(error)
    return result  # type: ignore[no-any-return]


def _main() -> None:
    error, result = "", None
    try:
        result = pickle.load(sys.stdin.buffer)()  # noqa: S301 (of the process that started this one)
    except (CommandError, MatchboxError) as reason:
        error = str(reason)
    pickle.dump((error, result), sys.stdout.buffer)


if __name__ == "__main__":
    _main()
