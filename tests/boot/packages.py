"""Debian packages: unpacked into a cache without touching the system, or installed where a program is missing.

What is downloaded is checked by apt against Debian's archive keys. The cache is
`${XDG_CACHE_HOME:-~/.cache}/lambda-matchbox/rigs/debian/SUITE-ARCHITECTURE/PACKAGE_VERSION`.
"""

import fcntl
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
PROGRAM_PATH = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"

# A private state of apt: nothing of it is read or written by the system's apt, and the system's hooks do not run.
APT_CONFIGURATION = """\
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


class PackagesError(Exception):
    """A Debian package can neither be found here nor fetched; the message says what to do."""


@dataclass(frozen=True)
class Package:
    """A binary package of a Debian suite, of which the paths in `keep` are unpacked.

    A `metapackage` stands for the one package it depends on: the current kernel has a new name with each version.
    """

    suite: str
    architecture: str
    name: str
    keep: tuple[str, ...]
    metapackage: bool = False

    @property
    def directory(self) -> Path:
        """Where the package is unpacked, downloaded first where it is not there yet. Raises PackagesError."""
        home = cache_directory() / "debian" / f"{self.suite}-{self.architecture}"
        home.mkdir(parents=True, exist_ok=True)
        with locked(home / ".lock"):
            return self._unpacked(home) or self._fetch(home)

    def _unpacked(self, home: Path) -> Path | None:
        complete = [path for path in home.glob(f"{self.name}_*") if all((path / kept).exists() for kept in self.keep)]
        return max(complete, key=lambda path: path.stat().st_mtime, default=None)

    def _fetch(self, home: Path) -> Path:
        configuration = apt_state(home, self.suite, self.architecture)
        name = self.name
        if self.metapackage:
            depends = field(output("apt-cache", "-c", configuration, "show", "--no-all-versions", name), "Depends")
            name = depends.split()[0]
        with tempfile.TemporaryDirectory(prefix=".fetch-", dir=home) as scratch:
            output("apt-get", "-q", "-c", configuration, "download", name, cwd=scratch)
            [deb] = Path(scratch).glob("*.deb")
            version = output("dpkg-deb", "--field", deb, "Version").strip()
            unpacked = Path(scratch, "unpacked")
            unpacked.mkdir()
            archive = Path(scratch, "contents.tar")
            with archive.open("wb") as file:
                subprocess.run(["dpkg-deb", "--fsys-tarfile", deb], stdout=file, check=True)
            output("tar", "-xf", archive, "-C", unpacked, "--no-same-owner", *(f"./{kept}" for kept in self.keep))
            # An epoch's colon would end a file name on QEMU's command line.
            target = home / f"{self.name}_{version.replace(':', '-')}"
            shutil.rmtree(target, ignore_errors=True)
            return unpacked.rename(target)


def cache_directory() -> Path:
    """The directory that outlives test runs."""
    caches = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(caches, "lambda-matchbox", "rigs")


def program(name: str, package: str) -> str:
    """The path of a program, installed from `package` where it is missing and this is root.

    Raises PackagesError with the line to type where it is missing and this is not root.
    """
    if found := shutil.which(name, path=PROGRAM_PATH):
        return found
    if os.geteuid() != 0:
        raise PackagesError(f"{name} is missing: run `apt-get install --no-install-recommends {package}` as root")
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    cache_directory().mkdir(parents=True, exist_ok=True)
    with locked(cache_directory() / ".install.lock"):
        output("apt-get", "-q", "update", environment=quiet)
        output("apt-get", "-qy", "install", "--no-install-recommends", package, environment=quiet)
    if found := shutil.which(name, path=PROGRAM_PATH):
        return found
    raise PackagesError(f"the Debian package {package!r} is installed but has no program {name!r}")


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Holds an exclusive lock between processes: two test runs fetch a package once."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@cache
def apt_state(home: Path, suite: str, architecture: str) -> Path:
    """The configuration file of an apt of its own, whose package lists are up to date once per process."""
    if not KEYRING.exists():
        raise PackagesError(f"{KEYRING} is missing: run `apt-get install debian-archive-keyring` as root")
    state = home / "apt"
    for directory in ("lists/partial", "cache/archives/partial"):
        (state / directory).mkdir(parents=True, exist_ok=True)
    (state / "status").touch()
    (state / "sources.list").write_text(f"deb [signed-by={KEYRING}] {mirror()} {suite} main\n")
    configuration = state / "apt.conf"
    configuration.write_text(APT_CONFIGURATION.format(architecture=architecture, state=state))
    output("apt-get", "-q", "-c", configuration, "update", "--error-on=any")
    return configuration


@cache
def mirror() -> str:
    """The Debian mirror that the system is configured for."""
    if not shutil.which("apt-get"):
        raise PackagesError("the boot tests need Debian: there is no apt-get here")
    # This lists the addresses before any package list has been fetched, too.
    addresses = output("apt-get", "update", "--print-uris")
    if found := re.search(r"'(\S+/debian/?)/dists/", addresses):
        return found[1]
    raise PackagesError("the boot tests need Debian: apt is configured with no mirror whose address ends in /debian")


def field(record: str, name: str) -> str:
    for line in record.splitlines():
        if line.startswith(f"{name}: "):
            return line.removeprefix(f"{name}: ")
    raise PackagesError(f"apt knows no such package, or one without {name!r}: {record[:200]!r}")


def output(*command: str | Path, cwd: str | None = None, environment: Mapping[str, str] | None = None) -> str:
    """What a program prints. Raises PackagesError with its complaint when it fails."""
    result = subprocess.run(
        command,
        cwd=cwd,
        env={**os.environ, "LC_ALL": "C", **(environment or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode != 0:
        words = " ".join(map(str, command))
        raise PackagesError(f"`{words}` failed ({result.returncode}): {result.stderr.strip() or result.stdout.strip()}")
    return result.stdout
