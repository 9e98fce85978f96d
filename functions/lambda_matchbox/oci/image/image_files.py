"""Extraction of files from the layers of an image.

Layers are read from the top down, as far as they matter. Candidates are written to disk while their layer streams;
where a link leads to an entry that has already passed, that layer is read again.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from lambda_matchbox.oci.descriptors import Descriptor, OpenBlob
from lambda_matchbox.oci.errors import ImageError
from lambda_matchbox.oci.image import checksums
from lambda_matchbox.oci.image.choice import Alternatives, ChosenFiles, ResolvedFile, Undecided, choose
from lambda_matchbox.oci.image.layer_archive import is_distributed, naming, open_layer, plain_file
from lambda_matchbox.oci.image.layer_index import components
from lambda_matchbox.oci.image.layered_paths import Found, Invalid, LayeredPaths, Unresolved
from lambda_matchbox.oci.image.spooling import MAX_FILE_SIZE, ExtractedFile, Spooled, spool
from lambda_matchbox.oci.image.tar_stream import EntryType

_SMALL_LAYER = 1 << 20
# Links on the way to candidates that are followed while a layer streams; after more it is read a second time instead.
_MAX_LINKS_FOLLOWED = 16


def extract_files(
    layers: Sequence[Descriptor], open_blob: OpenBlob, alternatives: Alternatives, directory: Path
) -> Mapping[str, ExtractedFile]:
    """The files of the first complete alternative in an image of these layers, the lowest first.

    They are written to `directory`, which is empty and which the caller removes. All bytes used are verified, also
    against checksum files in the image.
    Raises ImageError where no alternative is complete; where a path is not a file, leads out of the image or in a loop;
    where a checksum differs; and where a layer is damaged or exceeds a limit. Raises what `open_blob` raises.
    """
    extraction = _Extraction(layers, open_blob, directory)
    chosen = extraction.choose(
        [
            {name: ["/".join(components(path)) for path in paths] for name, paths in alternative.items()}
            for alternative in alternatives
        ]
    )
    checksum_files = list(extraction.checksum_files(chosen))
    files = dict.fromkeys((there.found for there in chosen.values()), MAX_FILE_SIZE)
    extraction.fetch(dict.fromkeys((one.found for one in checksum_files), checksums.MAX_SIZE) | files)
    own: dict[str, bytes] = {}
    for one in checksum_files:
        body = extraction.checksum_body(one.found)
        checksums.check(one.subject, extraction.content(one.of.found).sha256, one.path, body)
        if one.path == one.of.path + checksums.SUFFIX and checksums.names_only(one.of.path, body):
            own[one.of.path] = body
    extracted = {}
    for name, there in chosen.items():
        content = extraction.content(there.found)
        extracted[name] = ExtractedFile(content.file, there.path, content.size, content.sha256, own.get(there.path))
    return extracted


class _ChecksumFile(NamedTuple):
    """A checksum file of the image for the file `of`, which it may name by the path `subject`."""

    of: ResolvedFile
    subject: str
    path: str
    found: Found


class _Extraction:
    """The layers as far as they are read, and the entries written to disk."""

    def __init__(self, layers: Sequence[Descriptor], open_blob: OpenBlob, directory: Path) -> None:
        self._layers = layers[::-1]
        self._open_blob = open_blob
        self._directory = directory
        self._paths = LayeredPaths(len(layers))
        self._contents: dict[tuple[int, int], Spooled] = {}

    def choose(self, alternatives: Alternatives) -> ChosenFiles:
        """Read layers until the choice is final, and further ones that may hold checksum files."""
        choice = choose(alternatives, self._paths.resolve)
        for number, layer in enumerate(self._layers):
            if not isinstance(choice, Undecided) and not self._may_hold_checksums(choice, layer):
                break
            self._read(number, layer, self._wanted(choice))
            choice = choose(alternatives, self._paths.resolve)
            self._forget(self._wanted(choice))
        if isinstance(choice, Undecided):
            raise ImageError(f"the layers do not determine {choice.paths[0]!r}")
        return choice

    def checksum_files(self, choice: ChosenFiles) -> Iterator[_ChecksumFile]:
        """The checksum files for the chosen files, by their path in the alternative and by their real path.

        Raises ImageError for one that is not a file.
        """
        for there in choice.values():
            for subject in dict.fromkeys((there.path, there.found.path)):
                for path in checksums.companions(subject):
                    outcome = self._paths.resolve(path)
                    if isinstance(outcome, Invalid):
                        raise ImageError(f"cannot read the checksum file {path!r} of the image: {outcome.why}")
                    if isinstance(outcome, Found):
                        yield _ChecksumFile(there, subject, path, outcome)

    def fetch(self, wanted: Mapping[Found, int]) -> None:
        """Write the files that are not on disk yet; `wanted` has their size limits."""
        for number, layer in enumerate(self._layers):
            missing = {found.entry: (found.path, limit) for found, limit in wanted.items() if found.layer == number}
            missing = {entry: one for entry, one in missing.items() if (number, entry) not in self._contents}
            if not missing:
                continue
            with open_layer(layer, self._open_blob) as entries:
                for position, (entry, body) in enumerate(entries):
                    if position not in missing:
                        continue
                    path, limit = missing[position]
                    if entry.size > limit:
                        raise ImageError(f"{path!r} has {entry.size} bytes; the limit is {limit}")
                    self._write(number, position, body)

    def content(self, found: Found) -> Spooled:
        """A fetched file."""
        return self._contents[found.layer, found.entry]

    def checksum_body(self, found: Found) -> bytes:
        """The content of a fetched checksum file."""
        content = self.content(found)
        if content.size > checksums.MAX_SIZE:
            raise ImageError(
                f"{found.path!r} has {content.size} bytes; the limit of a checksum file is {checksums.MAX_SIZE}"
            )
        return content.file.read_bytes()

    def _may_hold_checksums(self, choice: ChosenFiles, layer: Descriptor) -> bool:
        """Whether to read a layer below all chosen files because it may hold their checksums.

        Only small ones are: a COPY of a checksum file makes such a layer. Reading ends at the first layer that is
        skipped, since it may replace files of those below. The name of a plain file is known without a download.
        """
        if not any(isinstance(self._paths.resolve(path), Unresolved) for path in self._wanted(choice)):
            return False
        return plain_file(layer) is not None or (layer.size <= _SMALL_LAYER and is_distributed(layer))

    def _wanted(self, choice: ChosenFiles | Undecided) -> Mapping[str, int]:
        """The candidates and their checksum files, with their size limits."""
        paths = [*choice.paths] if isinstance(choice, Undecided) else [there.path for there in choice.values()]
        subjects = paths + [found.path for found in map(self._paths.resolve, paths) if isinstance(found, Found)]
        sums = (path for subject in subjects for path in checksums.companions(subject))
        return dict.fromkeys(sums, checksums.MAX_SIZE) | dict.fromkeys(paths, MAX_FILE_SIZE)

    def _read(self, number: int, layer: Descriptor, wanted: Mapping[str, int]) -> None:
        index = self._paths.begin_layer()
        file = plain_file(layer)
        if file is not None:
            # Its name is known without its content, which is fetched if it is chosen.
            with naming(layer):
                index.add(file)
        else:
            watched = self._watched(wanted)
            on_the_way = _on_the_way(watched)
            left = _MAX_LINKS_FOLLOWED
            written: dict[str, int] = {}
            with open_layer(layer, self._open_blob) as entries:
                for position, (entry, body) in enumerate(entries):
                    path = index.add(entry)
                    if entry.type is EntryType.FILE:
                        if entry.size <= watched.get(path, -1):
                            self._remove(number, written.get(path, -1))
                            self._write(number, position, body)
                            written[path] = position
                    elif path in on_the_way and entry.type is EntryType.SYMLINK and left:
                        # A link on the way to a candidate: watch its target, too.
                        left -= 1
                        watched |= self._watched(wanted)
                        on_the_way = _on_the_way(watched)
        self._paths.end_layer()

    def _watched(self, wanted: Mapping[str, int]) -> dict[str, int]:
        """The paths in the current layer that would decide about the wanted ones."""
        outcomes = ((self._paths.resolve(path), limit) for path, limit in wanted.items())
        return {outcome.path: limit for outcome, limit in outcomes if isinstance(outcome, Unresolved)}

    def _forget(self, wanted: Mapping[str, int]) -> None:
        """Remove files that are no longer candidates."""
        found = [outcome for outcome in map(self._paths.resolve, wanted) if isinstance(outcome, Found)]
        kept = {(outcome.layer, outcome.entry) for outcome in found}
        for position in self._contents.keys() - kept:
            self._remove(*position)

    def _remove(self, number: int, entry: int) -> None:
        if content := self._contents.pop((number, entry), None):
            content.file.unlink()

    def _write(self, number: int, entry: int, body: Iterable[bytes]) -> None:
        self._contents[number, entry] = spool(body, self._directory / f"{number}-{entry}")


def _on_the_way(paths: Iterable[str]) -> set[str]:
    """The paths and all directories above them."""
    on_the_way: set[str] = set()
    for path in paths:
        while path and path not in on_the_way:
            on_the_way.add(path)
            path = path.rpartition("/")[0]
    return on_the_way
