"""What `matchboxctl sync` prints of each source."""

from collections.abc import Callable, Mapping, Sequence

from lambda_matchbox.image_sync.sync import Outcome
from matchboxctl.cli.output import FORMATS, print_text
from matchboxctl.cli.progress import bars_hidden


class SyncReport:
    """Lines as sources are synced, or one document at the end; standard error has failures as they come."""

    def __init__(self, output: str, write: Callable[[str], None] | None = None) -> None:
        self._output = output
        self._write = write or _print
        self._sources: list[Mapping[str, object]] = []

    def add(self, outcome: Outcome) -> None:
        """Add what became of a source."""
        signer = None if outcome.signature is None else outcome.signature.signer
        state = "held" if outcome.held else "published" if outcome.changed else "up to date"
        line = f"{state}{':' if state == 'up to date' else ' at' if outcome.held else ''} {outcome.digest}"
        if outcome.held:
            line += f"; run `matchboxctl follow {outcome.source_id}` to let syncs update it"
        elif signer is not None:
            line += f" (signed by {signer})"
        self._add(f"{outcome.source_id}: {line}", outcome.source_id, state, digest=outcome.digest, signer=signer)

    def add_withdrawn(self, source_id: str, by: str) -> None:
        """Add a source that no longer exists, whose releases are not served any more."""
        line = f"{source_id}: withdrawn: the source no longer exists, and {by} replaces its assets"
        self._add(line, source_id, "withdrawn")

    def add_failed(self, source_id: str, error: str) -> None:
        """Add a source that could not be synced."""
        self._add("", source_id, "failed", error=error)

    def end(self, refused: Sequence[str]) -> None:
        """Print the document; `refused` says which sources are invalid."""
        # They end in any order.
        found = sorted(self._sources, key=lambda each: str(each["id"]))
        if self._output in FORMATS:
            print_text(FORMATS[self._output]({"sources": found, "refused": list(refused)}))

    def _add(self, line: str, source_id: str, state: str, **more: object) -> None:
        empty = {"digest": None, "signer": None, "error": None}
        self._sources.append({"id": source_id, "state": state, **empty, **more})
        if line and self._output not in FORMATS:
            self._write(line)


def _print(line: str) -> None:
    with bars_hidden():
        print(line, flush=True)
