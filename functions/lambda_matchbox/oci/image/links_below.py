"""Entries below a directory that is a link in a lower layer.

A layer need not list the directories of its entries. `lib/modules` of such a layer, over one where `lib` is a link to
`usr/lib`, is `usr/lib/modules`: container runtimes put it there.

Where two links lead to one directory, and a layer that lists neither has a link of the same name in both, either may
count.
"""

from collections.abc import Iterator
from typing import NamedTuple

from lambda_matchbox.oci.errors import ImageError
from lambda_matchbox.oci.image.layer_index import MAX_LINKS, Directory, LayerIndex, components


def move_behind_links(indexes: list[LayerIndex]) -> None:
    """Move such entries in the indexes, the topmost first; the last one is new."""
    if not any(index.has_unlisted for index in indexes[:-1]):
        return
    # A moved entry may be below a link of any layer again. What is still moving in the end is in a loop of links, which
    # no path resolves to.
    lowers = [len(indexes) - 1]
    for _ in range(MAX_LINKS):
        if not sum(_move(indexes[lower], indexes[:lower]) for lower in lowers):
            return
        lowers = list(range(1, len(indexes)))


class _Link(NamedTuple):
    path: tuple[str, ...]
    target: str


class _Over(NamedTuple):
    """An unlisted directory where a lower layer has a link, and its parent."""

    parent: Directory
    directory: Directory


def _move(lower: LayerIndex, uppers: list[LayerIndex]) -> int:
    """Move what lies over the links of a layer; returns the number of moved directories."""
    moved = 0
    for link in _links(lower):
        for index in reversed(uppers):
            over = _over(index, link.path)
            if isinstance(over, _Over):
                moved += _move_behind(index, link, over)
            elif over:
                break
    return moved


def _links(index: LayerIndex) -> Iterator[_Link]:
    pending: list[tuple[Directory, tuple[str, ...]]] = [(index.root, ())]
    while pending:
        directory, path = pending.pop()
        for name, node in directory.children.items():
            if isinstance(node, Directory):
                pending.append((node, (*path, name)))
            elif isinstance(node, str):
                yield _Link((*path, name), node)


def _over(index: LayerIndex, path: tuple[str, ...]) -> _Over | bool:
    """The directory of an upper layer over the link at `path`; else whether the layer hides or replaces the link."""
    directory = index.root
    for depth, name in enumerate(path, 1):
        node = directory.children.get(name)
        if directory.hides(name):
            return True
        if not isinstance(node, Directory):
            return node is not None
        if depth == len(path):
            return node.listed or _Over(directory, node)
        if node.opaque:
            return True
        directory = node
    return False


def _move_behind(index: LayerIndex, link: _Link, over: _Over) -> bool:
    name = link.path[-1]
    start = () if link.target.startswith("/") else link.path[:-1]
    del over.parent.children[name]
    try:
        target, _ = index.directory([*start, *components(link.target)])
    except ImageError:
        # The link leads out of the image: the entries stay.
        over.parent.children[name] = over.directory
        over.directory.listed = True
        return False
    _merge(target, over.directory)
    return True


def _merge(target: Directory, source: Directory) -> None:
    pending = [(target, source)]
    while pending:
        target, source = pending.pop()
        target.opaque |= source.opaque
        if source.hidden:
            target.hidden = (target.hidden or set()) | source.hidden
        for name, node in source.children.items():
            there = target.children.get(name)
            if isinstance(node, Directory) and isinstance(there, Directory):
                there.listed |= node.listed
                pending.append((there, node))
            elif not (isinstance(node, int) and isinstance(there, int) and node < there):
                # Of two files in one layer the later one counts.
                target.children[name] = node
