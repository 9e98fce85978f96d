"""The directory of a sync's temporary files."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lambda_matchbox.locked_directories import locked, remove_abandoned

_PREFIX = "matchbox-sync-"


@contextmanager
def emptied(directory: Path | None) -> Iterator[Path]:
    """`directory`, created and empty, or one of the system's; removed afterwards. Raises OSError.

    What a killed sync left is removed first: in this directory, or in each of the system's that is not locked.
    """
    if directory is None:
        above = Path(tempfile.gettempdir())
        remove_abandoned(above, _PREFIX)
        with locked(above, _PREFIX) as made:
            yield made
        return
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)
