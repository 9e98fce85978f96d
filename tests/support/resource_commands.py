"""Runs of the commands on groups, profiles and templates, in either mode."""

import io
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from matchboxctl.main import main
from tests.support.commands import Ended


@dataclass(frozen=True)
class ResourceCommands:
    """Runs commands on the data directory, or the table and bucket, of the environment."""

    files: Path
    capture: pytest.CaptureFixture[bytes]
    monkeypatch: pytest.MonkeyPatch
    environment: Mapping[str, str]
    data: Path | None

    def run(self, *arguments: str, stdin: bytes = b"") -> Ended:
        """Run a command; standard input is not a terminal."""
        self.monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        return self._ended(arguments)

    def answered(self, answer: str, *arguments: str) -> Ended:
        """Run a command on a terminal with the typed answer."""
        with _terminal(answer) as terminal:
            self.monkeypatch.setattr(sys, "stdin", terminal)
            return self._ended(arguments)

    def ok(self, *arguments: str, stdin: bytes = b"") -> str:
        """The output of a command that must succeed without warnings."""
        ended = self.run(*arguments, stdin=stdin)
        assert (0, "") == (ended.code, ended.err)
        return ended.out

    def written(self, *arguments: str) -> bytes:
        """The bytes that a command writes."""
        self.capture.readouterr()
        assert 0 == main(arguments)
        return self.capture.readouterr().out

    def file(self, name: str, text: str | bytes) -> str:
        """The path of a new file with this text."""
        path = self.files / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return str(path)

    def _ended(self, arguments: tuple[str, ...]) -> Ended:
        self.capture.readouterr()
        code = main(arguments)
        out, err = self.capture.readouterr()
        return Ended(code, out.decode(), err.decode())


@contextmanager
def _terminal(answer: str) -> Iterator[io.TextIOWrapper]:
    ours, its = os.openpty()
    try:
        os.write(ours, os.fsencode(answer))
        with open(its, encoding="utf-8") as terminal:  # noqa: PTH123 (a descriptor)
            yield terminal
    finally:
        os.close(ours)
