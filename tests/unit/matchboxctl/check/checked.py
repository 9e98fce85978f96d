"""`matchboxctl check` as an operator runs it, in this process."""

import re

import pytest

from matchboxctl.main import main

TIME = re.compile(r"\d+\.\d{3} s")


class Checked:
    """Exit code and output of a check, with each time as T."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys
        self.error = ""

    def __call__(self, url: str, *arguments: str) -> tuple[int, list[str]]:
        """Exit code, and the lines after the first."""
        code = main(["check", url, *arguments])
        written = self._capsys.readouterr()
        self.error = written.err
        first, *lines = written.out.splitlines()
        assert first.startswith(("checking http://127.0.0.1:", "checking https://127.0.0.1:"))
        return code, [TIME.sub("T", line) for line in lines]

    def failure(self, url: str, *arguments: str) -> str:
        """The reason of the one check that fails."""
        code, lines = self(url, *arguments)
        assert 1 == code
        (line,) = [line for line in lines if line.startswith("FAILED")]
        return line.partition("  T  ")[2]
