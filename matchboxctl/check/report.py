"""The report of `check`: a line for each result as it comes, or one document at the end."""

import shutil
import sys
from collections.abc import Mapping
from typing import NamedTuple

from matchboxctl.check.result import Result, Status, without_secrets
from matchboxctl.cli.errors import FailedError
from matchboxctl.cli.plurals import counted
from matchboxctl.cli.tables import shown
from matchboxctl.render.secret_masks import names_a_secret


class _Machine(NamedTuple):
    group: str
    labels: Mapping[str, str]
    results: list[Result]

    @property
    def name(self) -> str:
        return f"group {self.group}" if self.group else "the machine"

    @property
    def stop(self) -> Result | None:
        """The first result that would stop it."""
        return next((result for result in self.results if result.status is Status.FAILED), None)


class Report:
    """What was found of the server at `root` and of the machines, in one of the formats of `-o`."""

    def __init__(self, root: str, output: str) -> None:
        self._root = root
        self._output = output
        self._is_table = output == "table"
        self._server: list[Result] = []
        self._machines: list[_Machine] = []
        is_terminal = sys.stdout is not None and sys.stdout.isatty()
        self._width = shutil.get_terminal_size().columns if is_terminal else None
        self._print(f"checking {root}")

    def add_server(self, result: Result) -> None:
        """Add a result that is that of all machines."""
        self._server.append(result)
        self._print_result(result)

    def begin(self, group: str, labels: Mapping[str, str]) -> None:
        """Begin a machine; `group` is empty unless it stands for a group."""
        self._machines.append(_Machine(group, labels, []))
        if group:
            pairs = " ".join(f"{key}={value}" for key, value in masked_labels(labels).items())
            self._print(shown(f"group {group}: {pairs or 'any machine'}"), before="\n")

    def add(self, result: Result) -> None:
        """Add a result of the machine that was begun last."""
        self._machines[-1].results.append(result)
        self._print_result(result)

    def end(self) -> None:
        """Print the summary or the document. Raises FailedError with the first result that would stop a machine."""
        if self._is_table:
            self._print(self._summary(), before="\n" if len(self._machines) > 1 else "")
        else:
            from matchboxctl.cli.output import FORMATS, print_text

            print_text(FORMATS[self._output](self.document()))
        if reason := self._first_stop():
            raise FailedError(reason)

    def interrupted(self, machines: int) -> str:
        """What was checked up to now, and that nothing else was done."""
        where = f" in {len(self._machines)} of {counted(machines, 'group')}" if machines > 1 else ""
        return "; ".join(
            filter(None, (f"interrupted: {self._summary()}{where}", self._first_stop(), "nothing was changed"))
        )

    def document(self) -> dict[str, object]:
        """All results, for programs."""
        return {
            "url": self._root,
            "passed": not self._first_stop(),
            "server": [result.document() for result in self._server],
            "machines": [
                {
                    "group": machine.group or None,
                    "labels": masked_labels(machine.labels),
                    "passed": machine.stop is None,
                    "stopped_by": None if machine.stop is None else _sentence(machine.stop),
                    "checks": [result.document() for result in machine.results],
                }
                for machine in self._machines
            ],
        }

    def _summary(self) -> str:
        results = [*self._server, *(result for machine in self._machines for result in machine.results)]
        counts = {status: sum(result.status is status for result in results) for status in Status}
        made = counted(len(results) - counts[Status.SKIPPED], "check")
        parts = [f"{counts[Status.FAILED]} failed"] if counts[Status.FAILED] else []
        parts += [counted(counts[Status.WARNING], "warning")] if counts[Status.WARNING] else []
        parts += [f"{counts[Status.SKIPPED]} skipped"] if counts[Status.SKIPPED] else []
        return f"{made}: {', '.join(parts)}" if counts[Status.FAILED] else ", ".join([f"{made} passed", *parts])

    def _first_stop(self) -> str:
        """What would stop the first of the machines that would not boot; empty if all would."""
        if failed := next((result for result in self._server if result.status is Status.FAILED), None):
            return f"all machines would stop at {_sentence(failed)}"
        stopped = [machine for machine in self._machines if machine.stop is not None]
        if not stopped or stopped[0].stop is None:
            return ""
        first = stopped[0]
        others = (
            f"{len(stopped)} of {counted(len(self._machines), 'group')} would not boot; " if len(stopped) > 1 else ""
        )
        return f"{others}{first.name} would stop at {_sentence(stopped[0].stop)}"

    def _print_result(self, result: Result) -> None:
        self._print("\n".join(result.lines(self._width)))

    def _print(self, text: str, before: str = "") -> None:
        if self._is_table:
            print(f"{before}{text}", flush=True)


def _sentence(result: Result) -> str:
    return f"{result.name}: {result.reason}"


def masked_labels(labels: Mapping[str, str]) -> dict[str, str]:
    """Labels without values that may be secrets."""
    return {key: "…" if names_a_secret(key) else without_secrets(value) for key, value in labels.items()}
