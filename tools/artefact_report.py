"""Sizes and import times of what `sam build` has built in a directory; `make build` prints them.

Imports are timed in new processes of Python 3.13 with the function, its layer if it has one, and this environment's
boto3 instead of the runtime's. Artefacts for another processor are not imported.
"""

import io
import platform
import statistics
import subprocess
import sys
import zipfile
from pathlib import Path

import boto3

from tools.python313 import find_python313

HANDLERS = {
    "BootApi": "boot_api.handler",
    "SignedApi": "signed_api.handler",
    "AssetSync": "asset_sync.handler",
    "BootHistory": "boot_history.handler",
}
RUNS = 5

_IMPORT = """
import sys, time
sys.path[1:1] = sys.argv[2:4]
sys.path.append(sys.argv[4])
begun = time.perf_counter()
__import__(sys.argv[1])
print(time.perf_counter() - begun)
"""


def sizes(directory: Path) -> str:
    """The size of a directory, and of the archive of it that Lambda gets."""
    files = [path for path in directory.rglob("*") if path.is_file()]
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as zipped:
        for path in files:
            zipped.write(path, path.relative_to(directory))
    return f"{sum(path.stat().st_size for path in files) / 1e6:.1f} MB, {len(archive.getvalue()) / 1e6:.1f} MB packed"


def import_time(python: Path, name: str, built: Path, *options: str) -> float:
    """The median time of the handler's import, in milliseconds."""
    paths = [built / name, built / f"{name}Layer" / "python", Path(boto3.__file__).parents[1]]
    command: list[str | Path] = [python, "-I", "-B", *options, "-c", _IMPORT, HANDLERS[name], *paths]
    return 1000 * statistics.median(float(subprocess.check_output(command)) for _ in range(RUNS))


def main() -> None:
    """Print them for each function; fails if one cannot be imported."""
    built = Path(sys.argv[1])
    python = find_python313()
    processors = {"aarch64" if "aarch64" in each.name else "x86_64" for each in built.rglob("*.so")}
    for name in HANDLERS:
        layer = built / f"{name}Layer"
        print(f"{name}: {sizes(built / name)}" + (f"; its layer: {sizes(layer)}" if layer.exists() else ""))
        if processors == {platform.machine()} and python is not None:
            compiled = import_time(python, name, built)
            sources = import_time(python, name, built, "-X", "pycache_prefix=/nonexistent")
            print(f"  imported in {compiled:.0f} ms, without compiled files in {sources:.0f} ms")
    if processors != {platform.machine()}:
        print(f"  built for {', '.join(sorted(processors))}: not imported on {platform.machine()}")


if __name__ == "__main__":
    main()
