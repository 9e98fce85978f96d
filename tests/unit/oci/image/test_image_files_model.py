"""Paths resolve as in the unpacked image (a model)."""

import io
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from lambda_matchbox.oci.descriptors import Blob, Descriptor
from lambda_matchbox.oci.errors import ImageError
from lambda_matchbox.oci.image.image_files import extract_files
from lambda_matchbox.oci.image.layered_paths import Found, LayeredPaths
from lambda_matchbox.oci.image.tar_stream import entries
from tests.support.images import layers as made
from tests.support.images.layers import Entry
from tests.support.images.manifests import digest_of

MAX_LINKS = 40


@dataclass
class Node:
    """What lies at a path: a file by its body, a link by its target, a directory by its children, or nothing usable.

    `layer` is the last layer that had an entry of it.
    """

    layer: int
    body: bytes | None = None
    target: str | None = None
    children: "dict[str, Node] | None" = None


@dataclass
class Unpacked:
    """A directory into which layers are unpacked in their order."""

    root: Node = field(default_factory=lambda: Node(0, children={}))
    layer: int = 0

    def apply(self, changes: Sequence[Entry]) -> None:
        self.layer += 1
        for entry in changes:
            *parents, name = entry.name.rstrip("/").split("/")
            parent = self._parent(parents)
            if name == ".wh..wh..opq":
                for child in list(parent):
                    self._remove_older(parent, child)
            elif name.startswith(".wh."):
                self._remove_older(parent, name.removeprefix(".wh."))
            elif entry.type == tarfile.DIRTYPE:
                if name not in parent or parent[name].children is None:
                    parent[name] = Node(self.layer, children={})
                parent[name].layer = self.layer
            elif entry.type == tarfile.SYMTYPE:
                parent[name] = Node(self.layer, target=entry.target)
            elif entry.type == tarfile.LNKTYPE:
                there = self.find(entry.target, follow=False)
                parent[name] = Node(self.layer) if there is None else Node(self.layer, there.body, there.target)
            else:
                parent[name] = Node(self.layer, entry.body)

    def find(self, path: str, *, follow: bool = True) -> Node | None:
        trail = [self.root]
        pending = [name for name in path.split("/") if name][::-1]
        links = 0
        while pending:
            name = pending.pop()
            children = trail[-1].children
            if children is None:
                return None
            if name == "..":
                if len(trail) == 1:
                    return None
                trail.pop()
                continue
            node = children.get(name)
            if node is None:
                return None
            if node.target is not None and (pending or follow):
                links += 1
                if links > MAX_LINKS:
                    return None
                if node.target.startswith("/"):
                    del trail[1:]
                pending += [name for name in node.target.split("/") if name][::-1]
            else:
                trail.append(node)
        return trail[-1]

    def _parent(self, names: Sequence[str]) -> dict[str, Node]:
        trail = [self.root]
        pending = list(names)[::-1]
        links = 0
        while pending:
            name = pending.pop()
            children = trail[-1].children
            assert children is not None
            if name == "..":
                if len(trail) == 1:
                    raise ImageError("out of the image")
                trail.pop()
                continue
            node = children.get(name)
            if node is not None and node.target is not None:
                links += 1
                if links > MAX_LINKS:
                    raise ImageError("a loop")
                if node.target.startswith("/"):
                    del trail[1:]
                pending += [name for name in node.target.split("/") if name][::-1]
                continue
            if node is None or node.children is None:
                node = children[name] = Node(self.layer, children={})
            trail.append(node)
        children = trail[-1].children
        assert children is not None
        return children

    def _remove_older(self, parent: dict[str, Node], name: str) -> None:
        node = parent.get(name)
        if node is None:
            return
        if node.children is not None:
            for child in list(node.children):
                self._remove_older(node.children, child)
        if node.layer < self.layer and not node.children:
            del parent[name]


NAMES = st.sampled_from("abc")
PATHS = st.lists(NAMES, min_size=1, max_size=3).map("/".join)
TARGETS = st.one_of(
    PATHS,
    PATHS.map(lambda path: f"/{path}"),
    PATHS.map(lambda path: f"../{path}"),
    PATHS.map(lambda path: f"../../{path}"),
)
BODIES = st.binary(min_size=1, max_size=3)


@st.composite
def listing_layer(draw: st.DrawFn) -> list[Entry]:
    """A layer that lists its directories, with at most one entry for a path, and nothing below what is no directory."""
    kinds = draw(
        st.dictionaries(PATHS, st.sampled_from(["file", "link", "hard link", "directory", "gone"]), max_size=6)
    )
    changes: dict[str, Entry] = {}
    whiteouts: list[Entry] = []
    for path, kind in sorted(kinds.items()):
        parents = ["/".join(path.split("/")[:depth]) for depth in range(1, path.count("/") + 1)]
        if any(kinds.get(parent, "directory") != "directory" for parent in parents):
            continue
        for parent in parents:
            changes.setdefault(parent, made.directory(parent))
        directory, _, name = path.rpartition("/")
        prefix = f"{directory}/" if directory else ""
        if kind == "file":
            changes[path] = made.Entry(path, draw(BODIES))
        elif kind == "link":
            changes[path] = made.symlink(path, draw(TARGETS))
        elif kind == "hard link":
            changes[path] = made.hard_link(path, draw(PATHS))
        elif kind == "directory":
            changes[path] = made.directory(path)
            if draw(st.booleans()):
                whiteouts.append(made.Entry(f"{path}/.wh..wh..opq"))
        else:
            whiteouts.append(made.Entry(f"{prefix}.wh.{name}"))
    directories = [entry for entry in changes.values() if entry.type == tarfile.DIRTYPE]
    others = [entry for entry in changes.values() if entry.type != tarfile.DIRTYPE]
    return [*directories, *whiteouts, *draw(st.permutations(others))]


def body_in_image(layers: Sequence[Sequence[Entry]], path: str) -> bytes | None:
    blobs = {}
    descriptors = []
    for number, changes in enumerate(layers):
        blob = made.tar(changes) + bytes([number])
        blobs[digest_of(blob)] = blob
        descriptors.append(Descriptor(made.OCI, digest_of(blob), len(blob)))

    @contextmanager
    def open_blob(part: Descriptor) -> Iterator[Blob]:
        yield io.BytesIO(blobs[part.digest])

    with tempfile.TemporaryDirectory() as directory:
        try:
            return extract_files(descriptors, open_blob, [{"f": [path]}], Path(directory))["f"].file.read_bytes()
        except ImageError:
            return None


@given(st.lists(listing_layer(), min_size=1, max_size=4), PATHS)
def test_extracted_file_is_that_of_the_unpacked_image(layers: list[list[Entry]], path: str) -> None:
    unpacked = Unpacked()
    for changes in layers:
        unpacked.apply(changes)
    there = unpacked.find(path)
    assert (there.body if there else None) == body_in_image(layers, path)


@st.composite
def unlisting_layer(draw: st.DrawFn) -> list[Entry]:
    """A layer of files (f and g) and whiteouts of them, which lists few of its directories (a, b and c)."""
    kinds = draw(st.dictionaries(PATHS, st.sampled_from(["f", "g", "f gone", "listed"]), max_size=4))
    changes = []
    for path, kind in sorted(kinds.items()):
        if kind == "listed":
            changes.append(made.directory(path))
        elif kind == "f gone":
            changes.append(made.Entry(f"{path}/.wh.f"))
    changes += [made.Entry(f"{path}/{kind}", draw(BODIES)) for path, kind in kinds.items() if kind in ("f", "g")]
    return changes


# To directories that are no links themselves, so that there is no loop, in which order would decide; under different
# names, as the order of links that come to lie at one place is not kept.
DIRECTORIES = st.sampled_from(["p", "q", "p/q", "/p", "/q/p", "../p", "../../q"])
LINKS = st.lists(st.tuples(PATHS, DIRECTORIES), max_size=3, unique_by=lambda link: link[0].rpartition("/")[2]).map(
    lambda links: [
        made.symlink(path, target)
        for path, target in links
        if not any(path.startswith(f"{other}/") for other, _ in links)
    ]
)


@given(st.lists(unlisting_layer() | LINKS, min_size=1, max_size=4))
def test_unlisted_directories_are_moved_behind_links(layers: list[list[Entry]]) -> None:
    unpacked = Unpacked()
    try:
        for changes in layers:
            unpacked.apply(changes)
    except ImageError:
        return
    paths = LayeredPaths(len(layers))
    bodies = []
    for changes in reversed(layers):
        index = paths.begin_layer()
        read = [(entry, b"".join(body)) for entry, body in entries(iter([made.tar(changes)]), lambda _: None)]
        for entry, _ in read:
            index.add(entry)
        bodies.append([body for _, body in read])
        paths.end_layer()
    for directory in ("", "a/", "b/", "c/", "a/b/", "b/a/", "a/b/c/", "p/", "q/", "p/q/", "q/p/", "p/a/", "p/q/b/"):
        for name in "fg":
            there, found = unpacked.find(directory + name), paths.resolve(directory + name)
            expected = there.body if there else None
            assert expected == (bodies[found.layer][found.entry] if isinstance(found, Found) else None)
