"""`matchboxctl render` as a test runs it."""

import json
from typing import Any

import pytest

from matchboxctl.main import main


class Rendered:
    """Runs the command; `error` is what the last one wrote on standard error."""

    def __init__(self, capsys: pytest.CaptureFixture[str], *flags: str) -> None:
        self._capsys = capsys
        self._flags = flags
        self.error = ""

    def __call__(self, route: str, *flags: str, **labels: str) -> tuple[int, str]:
        given = [word for key, value in labels.items() for word in ("--label", f"{key}={value}")]
        code = main(["render", route, *given, *flags, *self._flags])
        written = self._capsys.readouterr()
        self.error = written.err
        return code, written.out

    def document(self, route: str, *flags: str, **labels: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self(route, "-o", "json", *flags, **labels)[1])
        return found
