"""Unpacked packages of another Debian release than the machine's, without root and without installing them."""

from __future__ import annotations

import platform
import tempfile
from pathlib import Path

from tests.rigs.failure import RigUnavailableError
from tests.rigs.install import on_path, run

KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
"""The keys of Debian's releases; it is part of every Debian."""


def unpack(release: str, package: str, directory: Path) -> None:
    """Unpack `package` of `release` (`trixie`) and all it depends on, the C library included, below `directory`.

    Packages come from the machine's own mirror and are verified with its keys. Maintainer scripts are not run.
    Raises RigUnavailableError where there is no apt-get or the package cannot be had.
    """
    apt, dpkg = on_path("apt-get", "apt"), on_path("dpkg", "dpkg")
    with tempfile.TemporaryDirectory(prefix="lambda-matchbox-apt.") as scratch:
        state = Path(scratch)
        for name in ("lists/partial", "archives/partial"):
            (state / name).mkdir(parents=True)
        (state / "status").touch()
        (state / "sources.list").write_text(f"deb [signed-by={KEYRING}] {_mirror(apt)} {release} main\n")
        options = [
            f"Dir::State={state}",
            f"Dir::State::status={state}/status",
            f"Dir::Cache={state}",
            f"Dir::Etc::sourcelist={state}/sources.list",
            "Dir::Etc::sourceparts=-",
            "Dir::Etc::preferencesparts=-",
            "Acquire::Languages=none",
            "APT::Sandbox::User=",
        ]
        private = [apt, "-q", *(word for option in options for word in ("-o", option))]
        run([*private, "update"])
        run([*private, "install", "-y", "--no-install-recommends", "--download-only", package])
        for archive in sorted((state / "archives").glob("*.deb")):
            run([dpkg, "-x", archive, directory])


def _mirror(apt: str) -> str:
    """Where the machine gets its own release from."""
    codename = platform.freedesktop_os_release().get("VERSION_CODENAME")
    for line in run([apt, "indextargets", "--format", "$(REPO_URI) $(RELEASE) $(COMPONENT)"]).splitlines():
        address, release, component = line.split()
        if (release, component) == (codename, "main"):
            return address
    raise RigUnavailableError(f"apt-get knows no mirror of this machine's Debian release {codename!r}")
