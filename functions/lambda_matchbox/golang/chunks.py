"""Texts built in chunks, so that one that is too long is refused before it is complete."""

from collections.abc import Callable, Iterable, Iterator

_PIECE = 1 << 16


def made_of(text: str, make: Callable[[str], str]) -> Iterator[str]:
    """`make`, which looks at each character alone, applied to chunks of a text."""
    for start in range(0, len(text), _PIECE):
        yield make(text[start : start + _PIECE])


def joined(pieces: Iterable[str], check: Callable[[int], None]) -> str:
    """The pieces as one text. `check` is called with the length after each piece, and raises if it is too large."""
    kept = []
    length = 0
    for piece in pieces:
        length += len(piece)
        check(length)
        kept.append(piece)
    return "".join(kept)
