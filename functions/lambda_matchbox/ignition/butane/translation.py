"""The translation of Butane to Ignition, in Butane's stages; one with errors is the last."""

from collections.abc import Iterable

from lambda_matchbox.ignition.butane.checks.source_checks import source_entries
from lambda_matchbox.ignition.butane.desugaring.desugaring import add_boot_device, fill_in, forbidden_fields
from lambda_matchbox.ignition.butane.dialects import Dialect, dialect_of
from lambda_matchbox.ignition.butane.reading.decoding import decoded
from lambda_matchbox.ignition.butane.reading.unused_keys import Positions, unused_keys
from lambda_matchbox.ignition.butane.reading.yaml_nodes import Node, first_document
from lambda_matchbox.ignition.butane.report import MAX_ENTRIES, ButaneError, Report, ReportEntry, rest
from lambda_matchbox.ignition.butane.structs import Sourced, source_of
from lambda_matchbox.ignition.config.reader import text
from lambda_matchbox.ignition.config.rules import problems

_SOURCE_INVALID = "source config is invalid"
_OUTPUT_INVALID = "config generated was invalid"
# Variant and version are read before the fields are known.
_UNKNOWN = Dialect("", "", 0, "")


def translate(source: bytes) -> tuple[Sourced, Report]:
    """The Ignition config for the Butane config `source`, valid and of the version that Butane gives it; the warnings.

    There is no files directory: a config that names local files is invalid.

    Raises:
        ButaneError: it is not YAML, its variant or version is not translated, or it is invalid.
    """
    document = first_document(source)
    common = decoded("CommonFields", document, _UNKNOWN, prefix="Error unmarshaling yaml: ")
    dialect = dialect_of(text(common, "variant"), text(common, "version"))
    config = decoded("Config", document, dialect)
    report = _Report(document)
    report.add(unused_keys(config, document, dialect))
    report.add(source_entries(config, dialect), otherwise=_SOURCE_INVALID)
    report.add(fill_in(config, dialect), otherwise=_SOURCE_INVALID)
    report.add(add_boot_device(config, dialect))
    report.add(forbidden_fields(config, dialect), otherwise=_SOURCE_INVALID)
    report.add(_ignition_entries(config, dialect), otherwise=_OUTPUT_INVALID)
    return config, report.whole()


def _ignition_entries(config: Sourced, dialect: Dialect) -> Iterable[ReportEntry]:
    for problem in problems(config, dialect.minor):
        yield ReportEntry(not problem.is_warning, source_of(config, problem.path), problem.reason)


class _Report:
    """The entries so far with their positions, up to the limit, but always the first error."""

    def __init__(self, document: Node | None) -> None:
        self.entries: list[ReportEntry] = []
        self._left_out: list[int] = [0, 0]
        self._positions = Positions(document)

    def add(self, entries: Iterable[ReportEntry], *, otherwise: str = "") -> None:
        """Add a stage's entries. Raises ButaneError with the reason `otherwise` if one is an error."""
        fails = False
        for entry in entries:
            if len(self.entries) < MAX_ENTRIES or (entry.is_error and not fails):
                self.entries.append(self._placed(entry))
            else:
                self._left_out[entry.is_error] += 1
            fails = fails or entry.is_error
        if fails:
            raise ButaneError(otherwise, self.whole())

    def whole(self) -> Report:
        """The entries and the number left out, as an error if any of those is."""
        count = sum(self._left_out)
        return (*self.entries, *([ReportEntry(bool(self._left_out[True]), (), rest(count))] if count else []))

    def _placed(self, entry: ReportEntry) -> ReportEntry:
        if entry.position is not None or entry.path is None:
            return entry
        return entry._replace(position=self._positions.of(entry.path))
