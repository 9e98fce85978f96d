"""Resolution of paths over the indexes of an image's layers, as far as they are read, from the top down.

Links are resolved inside the image's root: an absolute one starts there, and none leads above it.
"""

from typing import NamedTuple

from lambda_matchbox.oci.image.layer_index import (
    MAX_LINKS,
    Directory,
    HardLink,
    LayerIndex,
    MemoryBudget,
    Node,
    Unusable,
    components,
)
from lambda_matchbox.oci.image.links_below import move_behind_links


class Found(NamedTuple):
    """A file: its layer (counted from the top), its entry's number there, and its path with all links resolved."""

    layer: int
    entry: int
    path: str


class Missing(NamedTuple):
    """The path does not exist; `why` explains it where a link is broken."""

    why: str = ""


class Invalid(NamedTuple):
    """The path is not a file, such as a directory or a loop of links."""

    why: str


class Unresolved(NamedTuple):
    """Undecided by the layers read so far; it depends on `path` in the others."""

    path: str


Outcome = Found | Missing | Invalid | Unresolved


class _View(NamedTuple):
    """A directory over all layers: its parts from the top down, and whether unread layers can add to it."""

    parts: list[tuple[int, Directory]]
    open: bool


class LayeredPaths:
    """The paths of an image with this number of layers."""

    def __init__(self, layers: int) -> None:
        self._count = layers
        self._memory = MemoryBudget()
        self._indexes: list[LayerIndex] = []
        self._read = 0

    def begin_layer(self) -> LayerIndex:
        """A new index, for the next layer below."""
        self._indexes.append(LayerIndex(self._memory))
        return self._indexes[-1]

    def end_layer(self) -> None:
        """The index of the layer is complete."""
        self._read += 1
        move_behind_links(self._indexes)

    def resolve(self, path: str) -> Outcome:
        """What the path is. While a layer is being read, missing entries can still follow."""
        return _Walk(self._indexes, is_open=self._read < self._count).to_file(path)


class _At(NamedTuple):
    """What is at a path: its layer, the node (None for a directory), its real path."""

    layer: int
    node: int | str | Unusable | None
    path: str


class _Walk:
    """The walk to one file, with a count of the links followed."""

    def __init__(self, indexes: list[LayerIndex], *, is_open: bool) -> None:
        self._indexes = indexes
        self._open = is_open
        self._links = 0

    def to_file(self, path: str) -> Outcome:
        at = self._walk(path, 0)
        if not isinstance(at, _At):
            return at
        if isinstance(at.node, int):
            return Found(at.layer, at.node, at.path)
        return Invalid(f"{at.path!r} is {at.node.value if isinstance(at.node, Unusable) else 'a directory'}")

    def _walk(self, path: str, first: int, *, for_hard_link: bool = False) -> _At | Missing | Invalid | Unresolved:
        """What is at the path in the layers from `first` down.

        For a hard link of the layer `first`: what the layers below have there, without following a final link.
        """
        views = [self._root(first)]
        names: list[str] = []
        pending = components(path)[::-1]
        broken = ""
        while pending:
            name = pending.pop()
            if name == "..":
                if not names:
                    return Invalid(f"{path!r} leads out of the image")
                views.pop()
                names.pop()
                continue
            is_target = for_hard_link and not pending
            step = _step(views[-1], name, except_layer=first if is_target else None)
            names.append(name)
            if isinstance(step, _View):
                if not step.parts:
                    return self._nothing(names, pending, broken, is_open=step.open)
                views.append(step)
                continue
            at = self._hard_link_followed(*step, "/".join(names))
            if isinstance(at, Unresolved):
                return Unresolved("/".join([at.path, *pending[::-1]]))
            if not isinstance(at, _At):
                return at
            if isinstance(at.node, str) and not is_target:
                self._links += 1
                if self._links > MAX_LINKS:
                    return Invalid(f"{path!r} has a loop of links")
                broken = broken or ("" if pending else f"the link {at.path!r} leads to {at.node!r}, which is missing")
                names.pop()
                if at.node.startswith("/"):
                    del views[1:], names[:]
                pending.extend(components(at.node)[::-1])
                continue
            if pending:
                return Invalid(broken) if broken else Missing(f"{at.path!r} is not a directory")
            return at
        return _At(first, None, "/".join(names))

    def _root(self, first: int) -> _View:
        parts: list[tuple[int, Directory]] = []
        for layer in range(first, len(self._indexes)):
            root = self._indexes[layer].root
            parts.append((layer, root))
            if root.opaque:
                return _View(parts, open=False)
        return _View(parts, self._open)

    def _nothing(
        self, names: list[str], pending: list[str], broken: str, *, is_open: bool
    ) -> Missing | Invalid | Unresolved:
        if is_open:
            return Unresolved("/".join([*names, *pending[::-1]]))
        return Invalid(broken) if broken else Missing()

    def _hard_link_followed(self, layer: int, node: Node, path: str) -> _At | Missing | Invalid | Unresolved:
        if not isinstance(node, HardLink):
            return _At(layer, None if isinstance(node, Directory) else node, path)
        self._links += 1
        if self._links > MAX_LINKS:
            return Invalid(f"{path!r} has a loop of links")
        at = self._walk(node.path, layer, for_hard_link=True)
        if isinstance(at, Missing):
            return Invalid(f"the hard link {path!r} leads to {node.path!r}, which is missing in the layers below")
        if isinstance(at, _At):
            return at._replace(path=path, node=Unusable.DIRECTORY_LINK if at.node is None else at.node)
        return at


def _step(view: _View, name: str, except_layer: int | None) -> _View | tuple[int, Node]:
    """The child of that name, ignoring the layer `except_layer`; a view without parts if there is none."""
    parts: list[tuple[int, Directory]] = []
    for layer, directory in view.parts:
        node = directory.children.get(name) if layer != except_layer else None
        if isinstance(node, Directory):
            parts.append((layer, node))
            if node.opaque:
                return _View(parts, open=False)
        elif node is not None:
            return _View(parts, open=False) if parts else (layer, node)
        if directory.hides(name):
            return _View(parts, open=False)
    return _View(parts, view.open)
