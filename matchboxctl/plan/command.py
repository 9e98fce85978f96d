"""The work of `matchboxctl plan`."""

from pathlib import Path
from typing import Any

from matchboxctl.cli.errors import FailedError
from matchboxctl.cli.output import print_result
from matchboxctl.plan.knobs import knobs
from matchboxctl.plan.limits import Limits
from matchboxctl.plan.picture import picture
from matchboxctl.plan.report import document, text
from matchboxctl.plan.scenario import Scenario, run
from matchboxctl.plan.storm import Fleet

_KINDS = (Fleet, Limits, Scenario)


def show(within: float, output: str, svg: str, *, with_knobs: bool, **given: Any) -> None:
    """Print the storm, and those with each change that may help."""
    fleet, limits, others = ({name: given[name] for name in kind._fields if name in given} for kind in _KINDS)
    result = run(Scenario(Fleet(**fleet), Limits(**limits), **others))
    tried = [(name, run(changed)) for name, changed in knobs(result, within)] if with_knobs else []
    if svg:
        machines = given["machines"]
        curves = [("as planned", result.outcome.booted), *((name, one.outcome.booted) for name, one in tried)]
        _write(Path(svg), picture(f"{machines:,} machines", curves, machines))
    print_result(output, lambda: document(result, within, tried), lambda: text(result, within, tried))


def _write(path: Path, content: str) -> None:
    try:
        path.write_text(content)
    except OSError as error:
        raise FailedError(f"cannot write {path}: {error.strerror}") from error
