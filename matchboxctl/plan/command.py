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


def show(within: float, output: str, svg: str, *, with_knobs: bool, **given: Any) -> None:
    """Print the storm, and those with each change that may help."""
    limits = Limits(
        quota=given["quota"],
        line_gbit=given["line"],
        balancer_units=given["balancer_units"],
        table_reads=given["table_reads"],
        firmware=given["firmware"],
    )
    fleet = Fleet(given["machines"], given["over"], given["rack"], given["retry"])
    scenario = Scenario(
        fleet, limits, given["door"], given["where"], given["image_mb"], given["history"], given["seed"]
    )
    result = run(scenario)
    tried = [(name, run(changed)) for name, changed in knobs(result, within)] if with_knobs else []
    if svg:
        curves = [("as planned", result.outcome.booted), *((name, one.outcome.booted) for name, one in tried)]
        _write(Path(svg), picture(f"{fleet.machines:,} machines", curves, fleet.machines))
    print_result(output, lambda: document(result, within, tried), lambda: text(result, within, tried))


def _write(path: Path, content: str) -> None:
    try:
        path.write_text(content)
    except OSError as error:
        raise FailedError(f"cannot write {path}: {error.strerror}") from error
