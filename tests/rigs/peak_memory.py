"""Peak memory and run time of a program."""

import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from tests.rigs.failure import RigFailedError

# A process of its own in between: what counts for a child is also the memory of the process that it was forked from.
_MEASURE = """
import resource, subprocess, sys, time
start = time.monotonic()
code = subprocess.call(sys.argv[1:])
print(code, time.monotonic() - start, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


class Measured(NamedTuple):
    """What a program took: seconds, and bytes of memory at the most (those of its largest process)."""

    seconds: float
    peak: int


def measured(command: Sequence[str], environment: Mapping[str, str]) -> Measured:
    """Run the program. Raises RigFailedError where it ends with another code than 0."""
    done = subprocess.run(
        [sys.executable, "-c", _MEASURE, *command], env=environment, capture_output=True, text=True, check=True
    )
    code, seconds, kilobytes = done.stdout.splitlines()[-1].split()
    if code != "0":
        raise RigFailedError(f"{' '.join(command)} ended with {code}: {done.stderr}")
    return Measured(float(seconds), int(kilobytes) * 1024)
