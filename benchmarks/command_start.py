"""The processor time of commands until they begin their work, compared with `--version`.

The work begins when a command opens or lists the first file of its data directory. Each sample is a fresh interpreter,
and candidates alternate. Run by `make bench`.
"""

import os
import statistics
import subprocess
import sys

from benchmarks.timing import ENVIRONMENT, print_table

SAMPLES = 15
DATA = "examples/talos"
DIRECTORY_MODE = {"PATH": os.environ["PATH"], "MATCHBOX_DATA_PATH": DATA}
CANDIDATES = {
    "--version": (DIRECTORY_MODE, ["--version"]),
    "render --help": (DIRECTORY_MODE, ["render", "--help"]),
    "group list": (DIRECTORY_MODE, ["group", "list"]),
    "render ipxe": (DIRECTORY_MODE, ["render", "ipxe"]),
    "validate": (DIRECTORY_MODE, ["validate"]),
    "serve": (DIRECTORY_MODE, ["serve", "--address", "127.0.0.1:0"]),
    "import": (ENVIRONMENT, ["import", DATA]),
}
PROGRAM = f"""
import os, sys
def end_at_work(event, arguments):
    if event in ("open", "os.listdir", "os.scandir") and str(arguments[0]).startswith({DATA!r}):
        os._exit(0)
sys.addaudithook(end_at_work)
from matchboxctl.main import main
main(sys.argv[1:])
"""


def seconds(environment: dict[str, str], arguments: list[str]) -> float:
    """The processor time of one start."""
    command = [sys.executable, "-c", PROGRAM, *arguments]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, arguments
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Print the table."""
    samples: dict[str, list[float]] = {name: [] for name in CANDIDATES}
    for _ in range(SAMPLES + 1):
        for name, (environment, arguments) in CANDIDATES.items():
            samples[name].append(seconds(environment, arguments))
    # The first round warms the caches of bytecode and files.
    medians = {name: statistics.median(taken[1:]) for name, taken in samples.items()}
    print_table("matchboxctl, processor time before its work", "ms", medians, "--version")


if __name__ == "__main__":
    main()
