"""Choice of the files to extract among alternative paths."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from lambda_matchbox.oci.errors import ImageError
from lambda_matchbox.oci.image.layered_paths import Found, Invalid, Missing, Outcome, Unresolved

Alternatives = Sequence[Mapping[str, Sequence[str]]]
"""Sets of files in order of preference; for each file its possible paths, in order of preference."""


class ResolvedFile(NamedTuple):
    """A chosen file: its path and what it resolves to."""

    path: str
    found: Found


ChosenFiles = Mapping[str, ResolvedFile]
"""The files of the first complete alternative, by name."""


class Undecided(NamedTuple):
    """The choice depends on layers that are not read yet; these paths are candidates."""

    paths: Sequence[str]


def choose(alternatives: Alternatives, resolve: Callable[[str], Outcome]) -> ChosenFiles | Undecided:
    """The first complete alternative, with the first existing path of each file.

    Raises ImageError where no alternative can be complete, or where one has a path that is not a file.
    """
    candidates: list[str] = []
    missing: list[str] = []
    for alternative in alternatives:
        states = {name: _state(paths, resolve) for name, paths in alternative.items()}
        missing_files = [f"{name} ({state.why})" for name, state in states.items() if isinstance(state, Missing)]
        if missing_files:
            missing.append(", ".join(missing_files))
            continue
        is_undecided = any(isinstance(state, Undecided) for state in states.values())
        if not candidates and not is_undecided:
            return {name: _resolved(name, state) for name, state in states.items()}
        for state in states.values():
            candidates += (
                state.paths if isinstance(state, Undecided) else [state.path] if isinstance(state, ResolvedFile) else []
            )
        if not is_undecided:
            # Later alternatives cannot be chosen any more.
            break
    if candidates:
        return Undecided(candidates)
    raise ImageError(f"the image lacks files: {'; or '.join(missing) or 'no files are given'}")


def _state(paths: Sequence[str], resolve: Callable[[str], Outcome]) -> ResolvedFile | Invalid | Missing | Undecided:
    candidates: list[str] = []
    missing: list[str] = []
    for path in paths:
        outcome = resolve(path)
        if isinstance(outcome, Missing):
            missing.append(f"{path!r}: {outcome.why}" if outcome.why else repr(path))
        elif isinstance(outcome, Unresolved):
            candidates.append(path)
        elif candidates:
            return Undecided([*candidates, path])
        elif isinstance(outcome, Found):
            return ResolvedFile(path, outcome)
        else:
            return Invalid(f"{path!r}: {outcome.why}")
    return Undecided(candidates) if candidates else Missing(", ".join(missing) or "no path is given")


def _resolved(name: str, state: ResolvedFile | Invalid | Missing | Undecided) -> ResolvedFile:
    if isinstance(state, ResolvedFile):
        return state
    raise ImageError(f"cannot extract {name}: {state.why if isinstance(state, Invalid) else state}")
