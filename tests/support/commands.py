"""Runs of `matchboxctl` in the test's own process."""

from typing import NamedTuple

import pytest

from matchboxctl.main import main


class Ended(NamedTuple):
    """The exit code and output of a command."""

    code: int
    out: str
    err: str


class Commands:
    """Runs commands, with the environment of the test."""

    def __init__(self, capture: pytest.CaptureFixture[bytes]) -> None:
        self._capture = capture

    def __call__(self, *arguments: object) -> Ended:
        self._capture.readouterr()
        code = main([*map(str, arguments)])
        out, err = self._capture.readouterr()
        return Ended(code, out.decode(), err.decode())

    def refused(self, *arguments: object) -> list[str]:
        """The lines of the error of wrong usage."""
        ended = self(*arguments)
        assert (2, "") == ended[:2]
        return ended.err.splitlines()
