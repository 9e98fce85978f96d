"""Disks that refuse writes: a full one, and a read-only one, each a tmpfs in a mount namespace of one command."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from tests.rigs.failure import RigUnavailableError
from tests.rigs.install import on_path

_LIMIT = 60
_MOUNT = 'mount -t tmpfs -o size=1M tmpfs "$1"'
_RUN = f"""
set -e
{_MOUNT}
cp -a "$2/." "$1"
case $3 in
full) head -c 1M /dev/zero >"$1/filler" 2>/dev/null || true ;;
read-only) mount -o remount,ro "$1" ;;
esac
disk=$1 data=$2
shift 3
code=0
"$@" || code=$?
rm -f "$disk/filler" 2>/dev/null || true
rm -rf "$data"
cp -a "$disk" "$data"
exit $code
"""


def run_on_disk(
    kind: Literal["full", "read-only"],
    disk: Path,
    data: Path,
    command: Sequence[str | Path],
    environment: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run a command that sees `data`, at most 1 MB, on such a disk at `disk`, an empty directory.

    Afterwards `data` is what the disk held. Raises RigUnavailableError where this user may not mount anything.
    """
    user = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    shell = [on_path("unshare", "util-linux"), *user, "--mount", "sh", "-c"]
    probe = subprocess.run([*shell, _MOUNT, "sh", disk], capture_output=True, text=True, check=False, timeout=_LIMIT)
    if probe.returncode != 0:
        raise RigUnavailableError(f"no file system can be mounted, which takes root: {probe.stderr.strip()}")
    return subprocess.run(
        [*shell, _RUN, "sh", disk, data, kind, *command],
        env={**os.environ, **(environment or {})},
        capture_output=True,
        text=True,
        check=False,
        timeout=_LIMIT,
    )
