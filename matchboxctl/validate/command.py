"""`matchboxctl validate`: the findings on a data directory, or on table and bucket."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from matchboxctl.cli.arguments import check_data_path
from matchboxctl.cli.errors import FailedError, UsageError
from matchboxctl.cli.output import FORMATS, print_result, terminal_width
from matchboxctl.cli.progress import Progress
from matchboxctl.store.mode import StoreSettings
from matchboxctl.validate.contents import Contents, directory_contents
from matchboxctl.validate.findings import Severity
from matchboxctl.validate.report import report, summary
from matchboxctl.validate.validation import validate

_NO_LIMIT = 1 << 20


def run(source: Path | StoreSettings, assets_path: Path | None, output: str, door: str | None = None) -> None:
    """Print the findings. Raises UsageError, and FailedError if there are faults."""
    if assets_path is not None and not assets_path.is_dir():
        raise UsageError(f"--assets-path (MATCHBOX_ASSETS_PATH) '{assets_path}' is not a directory")
    with advising_for(source):
        with Progress("reading the table", 0, "items") as progress:
            contents = source_contents(source, assets_path, progress.add)
        with Progress("trying templates", len(contents.groups), "groups") as progress:
            result = validate(contents, progress.add, **door_of(source, door))
    print_result(output, result.document, lambda: report(result, terminal_width() or _NO_LIMIT))
    if result.count(Severity.FAULT):
        raise FailedError(summary(result))
    if output not in FORMATS:
        print(summary(result))


def door_of(source: Path | StoreSettings, door: str | None) -> dict[str, bool]:
    """What validate() is to know of the front door, which a stack tells where `door` does not."""
    stack = source if isinstance(source, StoreSettings) else None
    is_public = door == "cloudfront" or (door is None and stack is not None and stack.release_copies is True)
    return {"is_public": is_public, "https_only": is_public and not (stack and stack.plain_configurations)}


def source_contents(
    source: Path | StoreSettings, assets_path: Path | None, read: Callable[[int], object] = lambda _: None
) -> Contents:
    """The contents of a data directory, or of table and bucket. Raises UsageError if there is no such directory."""
    if isinstance(source, Path):
        check_data_path(source)
        return directory_contents(source, assets_path)
    # Imported here: directory mode works without boto3.
    from matchboxctl.validate.table_contents import table_contents

    return table_contents(source, read)


def advising_for(source: Path | StoreSettings) -> AbstractContextManager[None]:
    """Raises UsageError and FailedError with advice for errors of table and bucket in the body."""
    if isinstance(source, Path):
        return nullcontext()
    from matchboxctl.store.advice import advising_on

    return advising_on(source)
