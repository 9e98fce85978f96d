"""GnuPG 2.4, Debian's, unpacked into the cache without root; else the machine's own.

Every home has an agent of its own, which is ended with it.
"""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from tests.rigs.cache import cached
from tests.rigs.debian_packages import unpack
from tests.rigs.failure import RigFailedError, RigUnavailableError
from tests.rigs.install import on_path, run
from tests.rigs.program import scratch_directory

_PROGRAMS = ("gpg", "gpg-agent", "gpg-connect-agent")

# Their libraries, C's included, are those they were built with: their own loader starts them.
_WRAPPER = """#!/bin/sh
directory=$(dirname "$(readlink -f "$0")")
libraries=$(echo "$directory"/../lib/*-linux-gnu)
exec "$libraries"/ld-linux-*.so.* --library-path "$libraries" "$directory/NAME.unwrapped" "$@"
"""


class Verdict(NamedTuple):
    """What `gpg --verify` ends with, and what it says."""

    code: int
    said: str


class Gnupg:
    """GnuPG with a home of its own and without prompts."""

    def __init__(self, programs: Path | None, home: Path) -> None:
        self._home = home
        self._paths = {name: str(programs / name) if programs else on_path(name, "gnupg") for name in _PROGRAMS}

    def run(self, *arguments: str, passphrase: str = "", given: bytes = b"") -> bytes:
        """Run gpg with these arguments and standard input; its standard output. Raises RigFailedError."""
        done = self._gpg(["--pinentry-mode", "loopback", "--passphrase", passphrase, *arguments], given)
        if done.returncode != 0:
            raise RigFailedError(f"gpg {' '.join(arguments)} ended with {done.returncode}: {_text(done.stderr)}")
        return done.stdout

    def fingerprint(self, name: str) -> str:
        """The fingerprint of that user's primary key, as gpg writes it."""
        lines = self.run("--with-colons", "--list-keys", name).decode().splitlines()
        return next(line.split(":")[9] for line in lines if line.startswith("fpr:"))

    def revocation(self, fingerprint: str) -> bytes:
        """The certificate that revokes the key, which gpg has made with it; a colon keeps it from being used."""
        file = self._home / "openpgp-revocs.d" / f"{fingerprint}.rev"
        return file.read_bytes().replace(b"\n:-----BEGIN", b"\n-----BEGIN")

    def verify(self, signature: bytes, content: bytes) -> Verdict:
        """`gpg --verify` of a detached signature over a file with that content."""
        files = self._home / "answer.sig", self._home / "answer"
        for file, octets in zip(files, (signature, content), strict=True):
            file.write_bytes(octets)
        done = self._gpg(["--verify", *map(str, files)])
        return Verdict(done.returncode, _text(done.stderr))

    def end_agent(self) -> None:
        """End this home's agent, if one was started."""
        self._run(["gpg-connect-agent", "--homedir", str(self._home), "--no-autostart", "KILLAGENT", "/bye"], b"")

    def _gpg(self, arguments: list[str], given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        where = ["--homedir", str(self._home), "--agent-program", self._paths["gpg-agent"]]
        return self._run(["gpg", *where, "--batch", "--quiet", *arguments], given)

    def _run(self, arguments: list[str], given: bytes) -> subprocess.CompletedProcess[bytes]:
        command = [self._paths[arguments[0]], *arguments[1:]]
        return subprocess.run(command, input=given, capture_output=True, check=False, env={"LANG": "C.UTF-8"})


@contextmanager
def gnupg() -> Iterator[Gnupg]:
    """GnuPG with a new home. Raises RigUnavailableError where the machine has none and Debian's cannot be had."""
    try:
        programs: Path | None = cached("debian-trixie-gnupg", _install) / "usr" / "bin"
    except RigUnavailableError as error:
        print(f"rigs: gnupg cannot be unpacked: {error}", file=sys.stderr)
        programs = None
    # A socket's path has a limit of some hundred bytes.
    with scratch_directory() as home:
        # By default a passphrase costs a second of hashing at each use.
        (home / "gpg-agent.conf").write_text("s2k-count 65536\n")
        made = Gnupg(programs, home)
        try:
            yield made
        finally:
            made.end_agent()


def _install(directory: Path) -> None:
    for package in ("gpg-agent", "gpg"):
        unpack("trixie", package, directory)
    for name in _PROGRAMS:
        program = directory / "usr" / "bin" / name
        program.rename(program.with_name(f"{name}.unwrapped"))
        program.write_text(_WRAPPER.replace("NAME", name))
        program.chmod(0o755)
        run([program, "--version"])


def _text(said: bytes) -> str:
    return said.decode("utf-8", "replace")
