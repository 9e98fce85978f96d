"""versitygw, an S3 gateway over a directory.

It verifies signatures as S3 does: tampered, expired and unsigned requests and a HEAD on a GET's URL are 403. It has
`If-None-Match: *`, ranges, full-object SHA-256 checksums and multipart uploads. It refuses session tokens (use
`swift_s3` for those). A Host that ends in `virtual_domain` names the bucket, of all others the path does.
"""

import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.rigs.cache import cached
from tests.rigs.go_toolchain import go_build
from tests.rigs.program import free_port, running, scratch_directory
from tests.rigs.service import REGION, Service

VERSION = "v1.8.0"


def virtual_domain(region: str) -> str:
    """What follows the bucket's name in a Host, as in AWS."""
    return f"s3.{region}.amazonaws.com"


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
            "--virtual-domain",
            virtual_domain(REGION),
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
    go_build(f"github.com/versity/versitygw@{VERSION}", "./cmd/versitygw", directory)
