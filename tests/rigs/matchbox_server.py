"""matchbox itself, built from its Go module."""

from pathlib import Path

from tests.rigs.cache import cached
from tests.rigs.go_toolchain import go_build
from tests.rigs.matchbox_clients import MATCHBOX


def matchbox() -> Path:
    """matchbox's server.

    Raises RigUnavailableError.
    """
    module = f"github.com/poseidon/matchbox@{MATCHBOX}"
    return (
        cached(f"matchbox-{MATCHBOX}", lambda unfinished: go_build(module, "./cmd/matchbox", unfinished)) / "matchbox"
    )
