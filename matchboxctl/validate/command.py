"""`matchboxctl validate`: the findings on a data directory, or on table and bucket."""

from pathlib import Path

from matchboxctl.cli.arguments import check_data_path
from matchboxctl.cli.errors import FailedError, UsageError
from matchboxctl.cli.output import FORMATS, print_result, terminal_width
from matchboxctl.store.mode import StoreSettings
from matchboxctl.validate.contents import directory_contents
from matchboxctl.validate.findings import Result, Severity
from matchboxctl.validate.report import report, summary
from matchboxctl.validate.validation import validate

_NO_LIMIT = 1 << 20


def run(source: Path | StoreSettings, assets_path: Path | None, output: str) -> None:
    """Print the findings. Raises UsageError, and FailedError if there are faults."""
    if assets_path is not None and not assets_path.is_dir():
        raise UsageError(f"--assets-path (MATCHBOX_ASSETS_PATH) '{assets_path}' is not a directory")
    result = validated(source, assets_path)
    print_result(output, result.document, lambda: report(result, terminal_width() or _NO_LIMIT))
    if result.count(Severity.FAULT):
        raise FailedError(summary(result))
    if output not in FORMATS:
        print(summary(result))


def validated(source: Path | StoreSettings, assets_path: Path | None = None) -> Result:
    """The findings on the source. Raises UsageError and FailedError if it cannot be read."""
    if isinstance(source, Path):
        check_data_path(source)
        return validate(directory_contents(source, assets_path))
    # Imported here: directory mode works without boto3.
    from matchboxctl.store.advice import advising_on
    from matchboxctl.validate.table_contents import table_contents

    with advising_on(source):
        return validate(table_contents(source))
