"""`matchboxctl migrate`: what a matchbox serves, copied, validated, and compared with the copy."""

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing
from filecmp import cmp
from functools import partial
from pathlib import Path
from tempfile import gettempdir
from typing import BinaryIO, NamedTuple

from lambda_matchbox.locked_directories import locked, remove_abandoned
from matchboxctl.check.boot import boot_script
from matchboxctl.check.boot_client import BootClient, FetchError
from matchboxctl.check.command import server_root
from matchboxctl.cli.arguments import parse_address
from matchboxctl.cli.errors import FailedError, UsageError, on_interrupt
from matchboxctl.cli.output import FORMATS, print_text, terminal_width
from matchboxctl.cli.progress import Progress
from matchboxctl.cli.warnings import Warnings
from matchboxctl.cli.work import BYTES
from matchboxctl.cli.wrapping import wrapped
from matchboxctl.directory.files import DataDirectory, read_directory
from matchboxctl.migrate.comparison import AGENT, SECONDS, Comparison
from matchboxctl.migrate.old_addresses import old_addresses
from matchboxctl.migrate.report import Table
from matchboxctl.render.command import opened_source
from matchboxctl.store.mode import StoreSettings
from matchboxctl.transfer.differences import WRITTEN, Chosen, Report
from matchboxctl.transfer.files import FileCopy, TargetFile, UnreadableFileError
from matchboxctl.validate.command import advising_for, source_contents
from matchboxctl.validate.findings import Result, Severity
from matchboxctl.validate.report import report, summary
from matchboxctl.validate.validation import validate

_NO_LIMIT = 1 << 20
_PIECE = 1 << 20
_SCRATCH = ".matchboxctl-migrate-"


class MigrateOptions(NamedTuple):
    """The directory of gRPC's certificates, the address of the old matchbox's HTTP API or empty, and the format."""

    certs: Path
    compare: str
    output: str
    dry_run: bool


def migrate(source: str, target: Path | StoreSettings | None, options: MigrateOptions) -> None:
    """Copy what `source` has into the target, if there is one, and report what differs.

    Raises UsageError, and FailedError if something was not copied, or differs.
    """
    old = server_root(options.compare) if options.compare else ""
    _check(source, target, old)
    warnings = Warnings()
    with ExitStack() as stack, on_interrupt(WRITTEN):
        root, notes = Path(source), []
        if not root.is_dir():
            remove_abandoned(Path(gettempdir()), _SCRATCH)
            root = stack.enter_context(locked(Path(gettempdir()), _SCRATCH))
            notes = _read_over_rpc(source, options.certs, root, warnings)
        directory = read_directory(root)
        for problem in directory.problems:
            warnings.warn(_without(root, source, str(problem)))
        for file in directory.unread if target is not None else ():
            warnings.warn(
                f"{_without(root, source, str(file))}: not copied: it is no .json file right in the directory"
            )
        notes += old_addresses(directory)
        changes = Report(options.output, dry_run=options.dry_run)
        if target is not None:
            _copy(root, directory, target, changes, warnings, dry_run=options.dry_run)
        served = root if target is None or options.dry_run else target
        stack.enter_context(advising_for(served))
        contents = source_contents(served, None)
        with Progress("trying templates", len(contents.groups), "groups") as progress:
            result = validate(contents, progress.add)
        if served is root:
            findings = [one._replace(file=_without(root, source, one.file)) for one in result.findings]
            result = result._replace(findings=findings)
        opened = stack.enter_context(closing(opened_source(served)))
        table = Table(Comparison(directory, opened.source, contents.assets, old).rows(), old)
    _print(options.output, changes, result, table, notes)
    ended = [table.summary(), summary(result)]
    is_compared = old and directory.groups
    if warnings.count or table.differ or (not is_compared and result.count(Severity.FAULT)):
        done = "read" if target is None or options.dry_run else "copied"
        raise FailedError("; ".join([*([warnings.summary(done)] if warnings.count else []), *ended]))
    if options.output not in FORMATS:
        print(*ended, sep="\n")


def _check(source: str, target: Path | StoreSettings | None, old: str) -> None:
    """Raise UsageError or FailedError for what would end the command after it has begun to copy."""
    if not Path(source).is_dir() and ("/" in source or ":" not in source):
        raise UsageError(f"{source!r} is neither a directory nor HOST:PORT of matchbox's gRPC API")
    if isinstance(target, Path):
        if target.exists() and not target.is_dir():
            raise UsageError(f"--into {target} is not a directory")
        if target.resolve().is_relative_to(Path(source).resolve()):
            raise UsageError(f"--into {target} is in FROM: name another, or none to see what would differ")
    if old:
        try:
            boot_script(old, BootClient(AGENT, SECONDS))
        except FetchError as error:
            raise FailedError(f"--compare {old}: {error}; nothing was copied") from error


def _read_over_rpc(source: str, certs: Path, root: Path, warnings: Warnings) -> list[str]:
    """Read the documents into the directory; returns notes on what gRPC does not give."""
    # grpc reads this when it is imported. Its own log has lines of another format.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    from matchboxctl.migrate.rpc_source import UNLISTED, read_over_rpc

    address = parse_address("FROM", source)
    print(f"reading gRPC on {address.text}", file=sys.stderr)
    read_over_rpc(address, certs, root, warnings)
    return [f"gRPC does not give {UNLISTED}: copy these from matchbox's data directory"]


def _copy(
    root: Path,
    directory: DataDirectory,
    target: Path | StoreSettings,
    changes: Report,
    warnings: Warnings,
    *,
    dry_run: bool,
) -> None:
    if isinstance(target, StoreSettings):
        # Imported here: a directory is copied without boto3.
        from matchboxctl.transfer.importing import TableImport

        chosen = Chosen(prune=False, machines=False, secrets=False, dry_run=dry_run)
        with advising_for(target):
            TableImport(target, root, directory, warnings, changes, chosen).run()
        return
    if not dry_run:
        try:
            target.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(f"--into {target} cannot be created: {error.strerror}") from error
    sources = {path: root / path for path in _paths(directory)}
    progress = Progress("copying files", 0, BYTES)
    targets = {
        path: TargetFile(partial(cmp, file, shallow=False), partial(_put, file, progress), _is_private(root, file))
        for path, file in sources.items()
    }
    into = FileCopy(target, targets, warnings)
    shown = into.differences()
    changes.add(shown if dry_run else into.carry_out(shown, progress), names=dry_run)


def _paths(directory: DataDirectory) -> list[str]:
    return [
        *(f"profiles/{profile.id}.json" for profile in directory.profiles),
        *(f"groups/{group.id}.json" for group in directory.groups),
        *(f"{template.kind}/{template.id}" for template in directory.templates),
        *(f"sources/{name}.json" for name in directory.sources),
        *(f"assets/{path}" for path in directory.assets),
    ]


def _is_private(root: Path, file: Path) -> bool:
    """Whether not everybody can read it, for its own mode or that of a directory; a link may lead nowhere."""
    below = [one for one in (file, *file.parents) if one.is_relative_to(root)]
    return file.exists() and not all(one.stat().st_mode & 0o004 for one in below)


def _put(source: Path, progress: Progress, file: BinaryIO) -> None:
    for piece in _pieces(source):
        file.write(piece)
        progress.add(len(piece))


def _pieces(source: Path) -> Iterator[bytes]:
    try:
        with source.open("rb") as opened:
            while piece := opened.read(_PIECE):
                yield piece
    except OSError as error:
        raise UnreadableFileError(f"{source}: cannot be read: {error.strerror}") from error


def _without(root: Path, source: str, text: str) -> str:
    """The text without the path of a temporary directory."""
    return text if root == Path(source) else text.replace(f"{root}/", "")


def _print(output: str, changes: Report, result: Result, table: Table, notes: list[str]) -> None:
    if output in FORMATS:
        document = {**changes.document(), "validation": result.document(), **table.document(), "notes": notes}
        print_text(FORMATS[output](document))
        return
    print_text(report(result, terminal_width() or _NO_LIMIT))
    print_text(f"\n{table.text()}\n")
    for note in notes:
        print(wrapped(f"note: {note}", sys.stderr), file=sys.stderr)
