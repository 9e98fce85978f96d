"""Which of the places where its files can lie does an image use?"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from lambda_matchbox.oci.errors import ImageError
from lambda_matchbox.oci.image.layered_paths import Faulty, Found, Missing, Outcome, Undecided

Alternatives = Sequence[Mapping[str, Sequence[str]]]
"""Sets of files in the order of preference; of each file the paths where it can lie, in order."""


class There(NamedTuple):
    """A wanted file: the path that was taken, and what is there."""

    path: str
    found: Found


class Choice(NamedTuple):
    """The files of the first alternative that the image has whole."""

    files: Mapping[str, There]


class Open(NamedTuple):
    """Layers that are not read yet can still decide; these paths may be taken then."""

    paths: Sequence[str]


def choose(alternatives: Alternatives, resolve: Callable[[str], Outcome]) -> Choice | Open:
    """The first alternative whose files are all there, of each the first path that is.

    Raises ImageError where no alternative can be whole any more, or where one lacks nothing but leads to no file.
    """
    may_be_taken: list[str] = []
    missing: list[str] = []
    for alternative in alternatives:
        states = {name: _state(paths, resolve) for name, paths in alternative.items()}
        lacking = [f"{name} ({state.why})" for name, state in states.items() if isinstance(state, Missing)]
        if lacking:
            missing.append(", ".join(lacking))
            continue
        is_open = any(isinstance(state, Open) for state in states.values())
        if not may_be_taken and not is_open:
            return Choice({name: _there(name, state) for name, state in states.items()})
        for state in states.values():
            may_be_taken += state.paths if isinstance(state, Open) else [state.path] if isinstance(state, There) else []
        if not is_open:
            # Whatever the layers below have, no alternative after this one is taken.
            break
    if may_be_taken:
        return Open(may_be_taken)
    raise ImageError(
        f"the image does not hold the wanted files; missing: {'; or '.join(missing) or 'nothing is wanted'}"
    )


def _state(paths: Sequence[str], resolve: Callable[[str], Outcome]) -> There | Faulty | Missing | Open:
    may_be_taken: list[str] = []
    missing: list[str] = []
    for path in paths:
        outcome = resolve(path)
        if isinstance(outcome, Missing):
            missing.append(f"{path!r}: {outcome.why}" if outcome.why else repr(path))
        elif isinstance(outcome, Undecided):
            may_be_taken.append(path)
        elif may_be_taken:
            return Open([*may_be_taken, path])
        elif isinstance(outcome, Found):
            return There(path, outcome)
        else:
            return Faulty(f"{path!r}: {outcome.why}")
    return Open(may_be_taken) if may_be_taken else Missing(", ".join(missing) or "no path is given")


def _there(name: str, state: There | Faulty | Missing | Open) -> There:
    if isinstance(state, There):
        return state
    raise ImageError(f"{name} cannot be taken out of the image: {state.why if isinstance(state, Faulty) else state}")
