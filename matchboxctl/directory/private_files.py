"""The files of a data directory that are nobody's assets, whatever links lead to them."""

from pathlib import Path

from matchboxctl.directory.history_file import FILE as HISTORY
from matchboxctl.directory.index_file import FILE as INDEX
from matchboxctl.directory.secrets import DIRECTORY as SECRETS
from matchboxctl.directory.state_file import FILE as STATE


def is_private(data_path: Path, path: Path) -> bool:
    """Whether the path leads to secrets, states of machines, keys of tokens, histories, or the index of groups."""
    whole, data = path.resolve(), data_path.resolve()
    if not whole.is_relative_to(data):
        return False
    first = next(iter(whole.relative_to(data).parts), "")
    # SQLite's own files beside a database have its name and more.
    return first == SECRETS or first.startswith((STATE, HISTORY, INDEX))
