"""Times and memory of commands on so many groups, each with a machine's state and history, in both modes.

Times that grow faster than the data show in the ratio of the last size to the first. Tables are on DynamoDB Local,
buckets on versitygw. Run by `make bench`.
"""

import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing
from pathlib import Path

from botocore.session import Session

from benchmarks.boot_machines import PROFILE, mac, write
from benchmarks.machine_lists import filled
from benchmarks.timing import ENVIRONMENT
from lambda_matchbox.aws.table_and_bucket import create_history_table
from lambda_matchbox.machines.identities import Identities
from lambda_matchbox.machines.records import text_of
from lambda_matchbox.machines.state import MachineState
from lambda_matchbox.machines.stores import new_revision
from matchboxctl.directory.history_file import DirectoryHistory
from matchboxctl.directory.state_file import StateFile
from matchboxctl.store.history import table_history
from matchboxctl.store.mode import StoreSettings
from tests.rigs.dynamodb_local import dynamodb_local
from tests.rigs.peak_memory import Measured, measured
from tests.rigs.stores import Stores, new_stores
from tests.rigs.versitygw import versitygw

SIZES = (10_000, 100_000)
COMMAND = [sys.executable, "-m", "matchboxctl.main"]
START = (
    "import sys; from pathlib import Path; from matchboxctl.directory.catalog import DirectoryCatalog; "
    "DirectoryCatalog(Path(sys.argv[1]), print, keeps_index=True)"
)
"""What `serve` does before it listens."""


def main() -> None:
    """Print a table of all commands."""
    sizes = tuple(map(int, sys.argv[1:])) or SIZES
    found: dict[str, list[Measured]] = {}
    for size in sizes:
        with tempfile.TemporaryDirectory() as scratch:
            for name, taken in commands(Path(scratch), size):
                print(f"{name} of {size:,}: {taken.seconds:.1f} s, {taken.peak / 1e6:.0f} MB", file=sys.stderr)
                found.setdefault(name, []).append(taken)
    print(f"{'':40}" + "".join(f" {f'{size:,}: s':>12} {'MB':>5}" for size in sizes) + f" {'ratio':>6}")
    for name, of_sizes in found.items():
        ratio = of_sizes[-1].seconds / of_sizes[0].seconds
        print(
            f"{name:40}" + "".join(f" {one.seconds:>12.1f} {one.peak / 1e6:>5.0f}" for one in of_sizes),
            f"{ratio:>6.1f}",
        )


def commands(scratch: Path, size: int) -> Iterator[tuple[str, Measured]]:
    """What each command took."""
    data = scratch / "data"
    write(data, size)
    for name in (PROFILE.boot.kernel, *PROFILE.boot.initrd):
        (data / name.strip("/")).parent.mkdir(exist_ok=True)
        (data / name.strip("/")).write_text("x")
    write_states(data, size)
    with closing(DirectoryHistory(data)) as history:
        filled(history, size)
    directory = {**ENVIRONMENT, "MATCHBOX_DATA_PATH": str(data)}
    for name in ("MATCHBOX_TABLE", "MATCHBOX_BUCKET"):
        del directory[name]
    # What was written just now would be read again.
    time.sleep(4)
    for what in ("a start without an index", "a start with an index"):
        yield f"{what}, directory", measured([sys.executable, "-c", START, str(data)], directory)
    for arguments in (["group", "list"], ["machine", "list"], ["validate"]):
        yield f"{' '.join(arguments)}, directory", run(directory, *arguments)
    with ExitStack() as stack:
        stores = new_stores(stack.enter_context(dynamodb_local()), stack.enter_context(versitygw()))
        stores.create()
        table = {**stores.environment(), "MATCHBOX_HISTORY_TABLE": "history"}
        yield "import, table", run(table, "import", str(data))
        fill_history(stores, size)
        for arguments in (["group", "list"], ["machine", "list"], ["validate"]):
            yield f"{' '.join(arguments)}, table", run(table, *arguments)
        yield "export, table", run(table, "export", str(scratch / "exported"))
        yield "import --machines, table", run(table, "import", "--machines", str(data))
        yield "the same, nothing new", run(table, "import", "--machines", str(data))
        yield "fsck, table", run(table, "fsck")
        yield "export --machines, table", run(table, "export", "--machines", str(scratch / "exported"))


def run(environment: Mapping[str, str], *arguments: str) -> Measured:
    """What the command took."""
    return measured([*COMMAND, *arguments], environment)


def write_states(data: Path, size: int) -> None:
    """Write a state for each machine: one by one each would wait for the disk."""
    states = (MachineState(Identities(mac=mac(number)), approved=1) for number in range(size))
    rows = [(state.id, new_revision(), text_of(state)) for state in states]
    with closing(StateFile(data)) as file, file.writing() as connection:
        connection.executemany("INSERT INTO machine VALUES (?, ?, ?)", rows)


def fill_history(stores: Stores, size: int) -> None:
    """Write the record of each machine into a new table."""
    with closing(stores.tables.client("dynamodb")) as client:
        create_history_table(client, "history")
    core = Session()
    core.set_credentials(stores.tables.access_key, stores.tables.secret_key)
    settings = StoreSettings("", "", stores.tables.region, stores.tables.endpoint, "", core, history_table="history")
    filled(table_history(settings, days=30), size)


if __name__ == "__main__":
    main()
