"""OpenStack Swift with s3api and tempauth: an S3 that takes session tokens.

It verifies signatures as S3 does, the session token's among them, and answers 403 when `%2B` of a presigned URL was
turned into `+`, as old iPXE does. An unsigned request is a 400 there, and it keeps no SHA-256 checksums (use
`versitygw` for both).
"""

import hashlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.rigs.cache import cached
from tests.rigs.install import install_locked, make_environment
from tests.rigs.program import running, scratch_directory
from tests.rigs.service import REGION, Service

REQUIREMENTS = Path(__file__).with_name("swift-requirements.txt")
"""The wheel of pyeclib carries the liberasurecode library."""

SESSION_TOKEN = "IQoJb3JpZ2luX2VjEJr+fake/token+with/every+sign=="
"""Swift accepts any; this one has the characters that a URL must escape."""


@contextmanager
def swift_s3() -> Iterator[Service]:
    """Swift on a free port of 127.0.0.1, without buckets."""
    pinned = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()[:8]
    installed = cached(f"swift-{pinned}-python{sys.version_info[0]}.{sys.version_info[1]}", _install)
    with scratch_directory() as directory:
        user, secret = "matchbox:fake", "fake"
        arguments = [installed / "bin" / "python", Path(__file__).with_name("swift_program.py"), directory]
        environment = {"SWIFT_USER": user, "SWIFT_SECRET": secret, "SWIFT_REGION": REGION}
        with running(arguments, directory, environment) as program:
            yield Service(
                endpoint=f"http://127.0.0.1:{program.printed_port()}",
                region=REGION,
                access_key=user,
                secret_key=secret,
                session_token=SESSION_TOKEN,
                pid=program.pid,
            )


def _install(directory: Path) -> None:
    python = make_environment(Path(sys.executable), directory)
    install_locked(python, REQUIREMENTS)
