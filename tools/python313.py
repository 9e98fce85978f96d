"""Look-up of a Python 3.13, Lambda's version, with which `make build` compiles the functions.

`python -m tools.python313` prints its path, or warns that there is none.
"""

import os
import subprocess
import sys
from pathlib import Path

_CHECK = "import sys, ssl, venv; sys.exit(sys.version_info[:2] != (3, 13))"


def find_python313() -> Path | None:
    """A complete Python 3.13: this one, or one from PATH, pyenv or `uv python install`."""
    on_path = [Path(directory, "python3.13") for directory in os.get_exec_path()]
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv", "versions")
    uv = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share", "uv", "python")
    installed = [*sorted(pyenv.glob("3.13*/bin/python")), *sorted(uv.glob("cpython-3.13*/bin/python3.13"))]
    return next(filter(_is_complete, [Path(sys.executable), *on_path, *installed]), None)


def _is_complete(python: Path) -> bool:
    """Whether it runs and has its standard library, unlike a pyenv shim or a stripped package."""
    if not os.access(python, os.X_OK):
        return False
    return subprocess.run([python, "-c", _CHECK], capture_output=True, check=False).returncode == 0


if __name__ == "__main__":
    found = find_python313()
    if found is None:
        print("no Python 3.13 found: functions start slower; try `uv python install 3.13`", file=sys.stderr)
    else:
        print(found)
