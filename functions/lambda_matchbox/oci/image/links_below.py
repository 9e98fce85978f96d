"""Where do names lie whose directory is a link of a layer below?

A layer need not list the directories of its entries. `lib/modules` of such a layer, over one where `lib` is a link to
`usr/lib`, lies at `usr/lib/modules`: that is where container runtimes put it.

Where two links lead to one directory, and a layer that lists neither has another link of one name in both, either of
the two may count.
"""

from collections.abc import Iterator
from typing import NamedTuple

from lambda_matchbox.oci.errors import ImageError
from lambda_matchbox.oci.image.layer_index import MOST_LINKS, Directory, LayerIndex, components


def lay_behind_links(indexes: list[LayerIndex]) -> None:
    """Move such names in the indexes, the topmost first, of which the last one has just been read."""
    if not any(index.has_unlisted for index in indexes[:-1]):
        return
    # What was moved can have come to lie behind a link of any layer. What never comes to rest is in a loop of links,
    # where no path leads.
    lowers = [len(indexes) - 1]
    for _ in range(MOST_LINKS):
        if not sum(_move(indexes[lower], indexes[:lower]) for lower in lowers):
            return
        lowers = list(range(1, len(indexes)))


class _Link(NamedTuple):
    path: tuple[str, ...]
    target: str


class _Over(NamedTuple):
    """An unlisted directory, in its parent, where a layer below has a link."""

    parent: Directory
    directory: Directory


def _move(lower: LayerIndex, uppers: list[LayerIndex]) -> int:
    """Move what lies over the links of a layer; returns how many directories were moved."""
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
    """What an upper layer has over the link at `path`; else whether it hides or replaces the link."""
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
        # The link leads out of the image: such names stay where they are.
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
                # Of two files of one layer the later entry wins.
                target.children[name] = node
