"""Unpacked Debian packages, of any release and architecture, without root and without installing them.

They come from the machine's own mirror through an apt of their own and are verified with Debian's archive keys.
Maintainer scripts are not run.
"""

import atexit
import hashlib
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.rigs.cache import cached
from tests.rigs.failure import RigUnavailableError
from tests.rigs.install import on_path, run

KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
"""The keys of Debian's releases; it is part of every Debian."""

# A private state of apt: nothing of it is read or written by the system's apt, and the system's hooks do not run.
_CONFIGURATION = """\
#clear APT::Architectures;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear Acquire::IndexTargets::deb::DEP-11;
#clear Acquire::IndexTargets::deb::DEP-11-icons-small;
APT::Architecture "{architecture}";
APT::Architectures:: "{architecture}";
APT::Sandbox::User "";
Acquire::Languages "none";
Acquire::Retries "3";
Dir::State "{state}";
Dir::State::status "{state}/status";
Dir::Cache "{state}/cache";
Dir::Etc::sourcelist "{state}/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
"""


@dataclass(frozen=True)
class Package:
    """A package of a release, of which the paths in `keep` are unpacked into the cache.

    A `metapackage` stands for the one package it depends on: the current kernel has a new name with each version.
    """

    release: str
    architecture: str
    name: str
    keep: tuple[str, ...]
    metapackage: bool = False

    @property
    def directory(self) -> Path:
        """Where the package is unpacked, downloaded first where it is not there yet. Raises RigUnavailableError."""
        kept = hashlib.sha256(" ".join(self.keep).encode()).hexdigest()[:8]
        return cached(f"debian-{self.release}-{self.architecture}-{self.name}-{kept}", self._fetch)

    def _fetch(self, directory: Path) -> None:
        configuration = _apt(self.release, self.architecture)
        name = self.name
        if self.metapackage:
            record = run(["apt-cache", "-c", configuration, "show", "--no-all-versions", name])
            name = _field(record, "Depends").split()[0]
        with tempfile.TemporaryDirectory(prefix="lambda-matchbox-apt.") as scratch:
            run(["apt-get", "-q", "-c", configuration, "download", name], directory=Path(scratch))
            [deb] = Path(scratch).glob("*.deb")
            archive = Path(scratch, "contents.tar")
            with archive.open("wb") as file:
                subprocess.run([on_path("dpkg-deb", "dpkg"), "--fsys-tarfile", deb], stdout=file, check=True)
            kept = [f"./{path}" for path in self.keep]
            run([on_path("tar", "tar"), "-xf", archive, "-C", directory, "--no-same-owner", *kept])


def unpack(release: str, package: str, directory: Path, architecture: str | None = None) -> None:
    """Unpack `package` of `release` (`trixie`) and all it depends on, the C library included, below `directory`.

    The architecture is Debian's word for it (`arm64`), the machine's where it is None. Raises RigUnavailableError
    without apt-get or if the package is not available.
    """
    dpkg = on_path("dpkg", "dpkg")
    configuration = _apt(release, architecture or machine_architecture())
    archives = configuration.parent / "cache" / "archives"
    run(["apt-get", "-q", "-c", configuration, "install", "-y", "--no-install-recommends", "--download-only", package])
    for archive in sorted(archives.glob("*.deb")):
        run([dpkg, "-x", archive, directory])
        archive.unlink()


def machine_architecture() -> str:
    """The machine's, by Debian's name. Raises RigUnavailableError without dpkg."""
    return run([on_path("dpkg", "dpkg"), "--print-architecture"]).strip()


@cache
def _apt(release: str, architecture: str) -> Path:
    """The configuration file of an apt of its own for this process, with the package lists of the release."""
    apt = on_path("apt-get", "apt")
    if not KEYRING.exists():
        raise RigUnavailableError(f"{KEYRING} is missing: install it (Debian's package is 'debian-archive-keyring')")
    state = Path(tempfile.mkdtemp(prefix="lambda-matchbox-apt."))
    atexit.register(shutil.rmtree, state, ignore_errors=True)
    for directory in ("lists/partial", "cache/archives/partial"):
        (state / directory).mkdir(parents=True)
    (state / "status").touch()
    (state / "sources.list").write_text(f"deb [signed-by={KEYRING}] {mirror(apt)} {release} main\n")
    configuration = state / "apt.conf"
    configuration.write_text(_CONFIGURATION.format(architecture=architecture, state=state))
    run([apt, "-q", "-c", configuration, "update", "--error-on=any"])
    return configuration


@cache
def mirror(apt: str) -> str:
    """Where the machine gets Debian from."""
    # This lists the addresses before any package list has been fetched, too.
    for line in run([apt, "update", "--print-uris"]).splitlines():
        address, found, _ = line.removeprefix("'").partition("/dists/")
        if found and address.rstrip("/").endswith("/debian"):
            return address
    raise RigUnavailableError("apt-get knows no mirror whose address ends in '/debian': is this machine a Debian?")


def _field(record: str, name: str) -> str:
    for line in record.splitlines():
        if line.startswith(f"{name}: "):
            return line.removeprefix(f"{name}: ")
    raise RigUnavailableError(f"apt knows no such package, or one without {name!r}: {record[:200]!r}")
