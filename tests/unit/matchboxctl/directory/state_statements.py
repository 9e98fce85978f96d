"""Statements on a file of states, beside its store."""

import sqlite3
from contextlib import closing
from pathlib import Path


def run(file: Path, statement: str) -> None:
    """Execute and commit the statement."""
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute(statement)
