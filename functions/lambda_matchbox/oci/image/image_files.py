"""Which of the wanted files does an image hold, and what is in them?

The layers are read from the top down, and only those that can still matter. What may be wanted is written down while
its layer streams; where a link leads to what has already passed, that layer is read once more.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from lambda_matchbox.oci.descriptors import Descriptor, OpenBlob
from lambda_matchbox.oci.errors import ImageError
from lambda_matchbox.oci.image import checksums
from lambda_matchbox.oci.image.choice import Alternatives, Choice, Open, There, choose
from lambda_matchbox.oci.image.layer_archive import is_distributed, naming, open_layer, plain_file
from lambda_matchbox.oci.image.layer_index import components
from lambda_matchbox.oci.image.layered_paths import Faulty, Found, LayeredPaths, Undecided
from lambda_matchbox.oci.image.spooling import LARGEST_FILE, Spooled, TakenFile, spool
from lambda_matchbox.oci.image.tar_stream import Kind

_SMALL_LAYER = 1 << 20
# Links on the way to what is wanted, for each layer: after more of them the layer is read a second time instead.
_MOST_TURNS = 16


def take_files(
    layers: Sequence[Descriptor], open_blob: OpenBlob, alternatives: Alternatives, directory: Path
) -> Mapping[str, TakenFile]:
    """The files of the first of the alternatives that the image, of these layers from the lowest up, holds whole.

    They are written to `directory`, which is there, empty, and the caller's to remove. All bytes that were used have
    been verified. Checksums that the image holds beside its files agree with them.
    Raises ImageError where no alternative is whole (it tells what each lacks), where a path leads in a loop, out of the
    image, nowhere or to something else than a file, where a checksum does not agree, and where a layer that matters is
    damaged or exceeds a bound; and what `open_blob` raises.
    """
    taking = _Taking(layers, open_blob, directory)
    chosen = taking.choose(
        [
            {name: ["/".join(components(path)) for path in paths] for name, paths in alternative.items()}
            for alternative in alternatives
        ]
    )
    checksum_files = list(taking.checksum_files(chosen))
    files = dict.fromkeys((there.found for there in chosen.files.values()), LARGEST_FILE)
    taking.fetch(dict.fromkeys((one.found for one in checksum_files), checksums.LARGEST) | files)
    own: dict[str, bytes] = {}
    for one in checksum_files:
        body = taking.checksum_body(one.found)
        checksums.check(one.subject, taking.content(one.of.found).sha256, one.path, body)
        if one.path == one.of.path + checksums.SUFFIX and checksums.names_only(one.of.path, body):
            own[one.of.path] = body
    taken = {}
    for name, there in chosen.files.items():
        content = taking.content(there.found)
        taken[name] = TakenFile(content.file, there.path, content.size, content.sha256, own.get(there.path))
    return taken


class _ChecksumFile(NamedTuple):
    """A checksum file of the image, and the file that it may name, by the path that it would have."""

    of: There
    subject: str
    path: str
    found: Found


class _Taking:
    """The layers as far as they are read, and what was written down of them."""

    def __init__(self, layers: Sequence[Descriptor], open_blob: OpenBlob, directory: Path) -> None:
        self._layers = layers[::-1]
        self._open_blob = open_blob
        self._directory = directory
        self._paths = LayeredPaths(len(layers))
        self._contents: dict[tuple[int, int], Spooled] = {}

    def choose(self, alternatives: Alternatives) -> Choice:
        """Read layers until it is decided what is taken, and those below that are worth reading for checksums."""
        choice = choose(alternatives, self._paths.resolve)
        for number, layer in enumerate(self._layers):
            if isinstance(choice, Choice) and not self._may_tell_checksums(choice, layer):
                break
            self._read(number, layer, self._wanted(choice))
            choice = choose(alternatives, self._paths.resolve)
            self._forget(self._wanted(choice))
        if isinstance(choice, Open):
            raise ImageError(f"the image's layers leave it open what is at {choice.paths[0]!r}")
        return choice

    def checksum_files(self, choice: Choice) -> Iterator[_ChecksumFile]:
        """Those that may name a file that was chosen: by the path that was asked for, or by that which links lead to.

        Raises ImageError for one that is there and no file.
        """
        for there in choice.files.values():
            for subject in dict.fromkeys((there.path, there.found.path)):
                for path in checksums.companions(subject):
                    outcome = self._paths.resolve(path)
                    if isinstance(outcome, Faulty):
                        raise ImageError(f"the checksum file {path!r} of the image cannot be read: {outcome.why}")
                    if isinstance(outcome, Found):
                        yield _ChecksumFile(there, subject, path, outcome)

    def fetch(self, wanted: Mapping[Found, int]) -> None:
        """Write down those of the files, each with the most bytes it may have, that are not yet."""
        for number, layer in enumerate(self._layers):
            missing = {found.entry: (found.path, largest) for found, largest in wanted.items() if found.layer == number}
            missing = {entry: one for entry, one in missing.items() if (number, entry) not in self._contents}
            if not missing:
                continue
            with open_layer(layer, self._open_blob) as entries:
                for position, (entry, body) in enumerate(entries):
                    if position not in missing:
                        continue
                    path, largest = missing[position]
                    if entry.size > largest:
                        raise ImageError(f"{path!r} has {entry.size} bytes; at most {largest} are taken")
                    self._write(number, position, body)

    def content(self, found: Found) -> Spooled:
        """What was fetched."""
        return self._contents[found.layer, found.entry]

    def checksum_body(self, found: Found) -> bytes:
        """What was fetched, of a checksum file."""
        content = self.content(found)
        if content.size > checksums.LARGEST:
            raise ImageError(f"{found.path!r} has {content.size} bytes, too many for checksums")
        return content.file.read_bytes()

    def _may_tell_checksums(self, choice: Choice, layer: Descriptor) -> bool:
        """Whether a layer below all that matters is read only because it may hold checksums of the chosen files.

        It is if it is small: a COPY of a checksum file makes such a layer, and a large one is not downloaded for a
        checksum that it might hold. Nor are the layers below one that was not read, since it may have replaced theirs.
        A plain file needs no download to be known.
        """
        if not any(isinstance(self._paths.resolve(path), Undecided) for path in self._wanted(choice)):
            return False
        return plain_file(layer) is not None or (layer.size <= _SMALL_LAYER and is_distributed(layer))

    def _wanted(self, choice: Choice | Open) -> Mapping[str, int]:
        """The paths that may be taken, and those of their checksums, each with the most bytes it may have."""
        paths = [*choice.paths] if isinstance(choice, Open) else [there.path for there in choice.files.values()]
        subjects = paths + [found.path for found in map(self._paths.resolve, paths) if isinstance(found, Found)]
        sums = (path for subject in subjects for path in checksums.companions(subject))
        return dict.fromkeys(sums, checksums.LARGEST) | dict.fromkeys(paths, LARGEST_FILE)

    def _read(self, number: int, layer: Descriptor, wanted: Mapping[str, int]) -> None:
        index = self._paths.begin_layer()
        file = plain_file(layer)
        if file is not None:
            # Its name is known without its bytes, which are fetched if it is chosen.
            with naming(layer):
                index.add(file)
        else:
            watched = self._watched(wanted)
            turns = _turns(watched)
            left = _MOST_TURNS
            written: dict[str, int] = {}
            with open_layer(layer, self._open_blob) as entries:
                for position, (entry, body) in enumerate(entries):
                    path = index.add(entry)
                    if entry.kind is Kind.FILE:
                        if entry.size <= watched.get(path, -1):
                            self._remove(number, written.get(path, -1))
                            self._write(number, position, body)
                            written[path] = position
                    elif path in turns and entry.kind is Kind.SYMLINK and left:
                        # A link on the way to what is wanted: from here on it is awaited elsewhere, too.
                        left -= 1
                        watched |= self._watched(wanted)
                        turns = _turns(watched)
        self._paths.end_layer()

    def _watched(self, wanted: Mapping[str, int]) -> dict[str, int]:
        """Where the layer that is read now would have to have what is wanted."""
        outcomes = ((self._paths.resolve(path), largest) for path, largest in wanted.items())
        return {outcome.path: largest for outcome, largest in outcomes if isinstance(outcome, Undecided)}

    def _forget(self, wanted: Mapping[str, int]) -> None:
        """Remove what was written down and cannot be taken any more."""
        found = [outcome for outcome in map(self._paths.resolve, wanted) if isinstance(outcome, Found)]
        kept = {(outcome.layer, outcome.entry) for outcome in found}
        for place in self._contents.keys() - kept:
            self._remove(*place)

    def _remove(self, number: int, entry: int) -> None:
        if content := self._contents.pop((number, entry), None):
            content.file.unlink()

    def _write(self, number: int, entry: int, body: Iterable[bytes]) -> None:
        self._contents[number, entry] = spool(body, self._directory / f"{number}-{entry}")


def _turns(paths: Iterable[str]) -> set[str]:
    """The paths, and the directories on the way to them."""
    turns: set[str] = set()
    for path in paths:
        while path and path not in turns:
            turns.add(path)
            path = path.rpartition("/")[0]
    return turns
