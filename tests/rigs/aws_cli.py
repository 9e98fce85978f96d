"""AWS's command line interface, version 1: the one that PyPI has."""

import hashlib
import sys
from pathlib import Path

from tests.rigs.cache import cached
from tests.rigs.install import install_locked, make_environment

REQUIREMENTS = Path(__file__).with_name("aws-cli-requirements.txt")


def aws_cli() -> list[str]:
    """The command of `aws`. Raises RigUnavailableError where its packages cannot be had."""
    pinned = hashlib.sha256(REQUIREMENTS.read_bytes() + sys.version.encode()).hexdigest()[:16]
    return [str(cached(f"aws-cli-{pinned}", _install) / "bin" / "python"), "-m", "awscli"]


def _install(directory: Path) -> None:
    install_locked(make_environment(Path(sys.executable), directory), REQUIREMENTS)
