"""Where the repository's directories are."""

from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
CONFORMANCE = PROJECT / "tests" / "conformance"
EXAMPLES = PROJECT / "examples"
