"""Texts made piece by piece, so that one that is too long is refused before all of it is there."""

from collections.abc import Callable, Iterable, Iterator

_PIECE = 1 << 16


def made_of(text: str, make: Callable[[str], str]) -> Iterator[str]:
    """What `make`, which looks at each character alone, makes of a text."""
    for start in range(0, len(text), _PIECE):
        yield make(text[start : start + _PIECE])


def joined(pieces: Iterable[str], check: Callable[[int], None]) -> str:
    """The pieces as one text. `check` is given its length after each piece, and raises where that is too much."""
    kept = []
    length = 0
    for piece in pieces:
        length += len(piece)
        check(length)
        kept.append(piece)
    return "".join(kept)
