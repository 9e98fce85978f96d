"""ministack: CloudFormation with the SAM transform, IAM, Lambda, load balancers and the rest of AWS, in one process.

It verifies signatures, runs functions with their roles' credentials, and evaluates the policies of roles and buckets
with their conditions; its root passes every policy. What else differs from AWS's documentation, and how the tests get
around it, is said in `tests/stack/ministack`, what it leaves open in docs/deploy.md.
"""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import urllib3

from tests.rigs.cache import cached
from tests.rigs.install import install_locked, make_environment
from tests.rigs.program import free_port, running, scratch_directory
from tests.rigs.python313 import PROJECT, python313
from tests.rigs.service import REGION, Service
from tests.support.certificates import Authority

REQUIREMENTS = PROJECT / "requirements" / "ministack.lock"
ACCOUNT = "123456789012"


@dataclass(frozen=True, slots=True)
class Ministack(Service):
    """All of AWS's services on `endpoint`, over TLS; the credentials are the account's root."""

    plain_port: int = 0
    """The same in plain HTTP, on 127.0.0.1."""

    def environment(self) -> dict[str, str]:
        """What AWS's tools and the commands are run with."""
        return {
            "PATH": os.environ["PATH"],
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_CA_BUNDLE": str(self.authority),
            "SSL_CERT_FILE": str(self.authority),
        }


@contextmanager
def ministack() -> Iterator[Ministack]:
    """An account without anything in it, on free ports of 127.0.0.1."""
    pinned = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()[:8]
    # Functions run on its interpreter.
    installed = cached(f"ministack-{pinned}-python3.13", lambda directory: _install(python313(), directory))
    with scratch_directory() as directory:
        authority = Authority()
        issued = authority.issue("localhost", ["localhost", "127.0.0.1"])
        files = {name: directory / f"{name}.pem" for name in ("authority", "certificate", "key")}
        for name, content in zip(files, (authority.certificate, issued.certificate, issued.key), strict=True):
            files[name].write_bytes(content)
        secure, plain = free_port(), free_port()
        environment = {
            "AUTH": "true",
            "USE_SSL": "1",
            "GATEWAY_PORT": str(secure),
            "IOT_MTLS_ENABLED": "0",
            "MINISTACK_ACCOUNT_ID": ACCOUNT,
            "MINISTACK_REGION": REGION,
            "MINISTACK_SSL_CERT": str(files["certificate"]),
            "MINISTACK_SSL_KEY": str(files["key"]),
            "AWS_ACCESS_KEY_ID": "root",
            "AWS_SECRET_ACCESS_KEY": "root's",
            # Of the functions, which get its environment.
            "AWS_CA_BUNDLE": str(files["authority"]),
            "SSL_CERT_FILE": str(files["authority"]),
        }
        # -P: not this directory, whose module of the same name hides the package.
        arguments = [installed / "bin" / "python", "-P", Path(__file__).with_name("ministack_program.py"), str(plain)]
        with running(arguments, directory, environment) as program:
            program.wait_for(lambda: _serves(plain), "its response to a health check")
            yield Ministack(
                # SAM takes it for S3 in the template's address with this name only.
                endpoint=f"https://localhost:{secure}",
                region=REGION,
                access_key=environment["AWS_ACCESS_KEY_ID"],
                secret_key=environment["AWS_SECRET_ACCESS_KEY"],
                session_token=None,
                pid=program.pid,
                authority=files["authority"],
                plain_port=plain,
            )


def _serves(port: int) -> bool | None:
    try:
        response = urllib3.request("GET", f"http://127.0.0.1:{port}/_ministack/health", retries=False, timeout=5)
    except urllib3.exceptions.HTTPError:
        return None
    return True if response.status == 200 else None


def _install(python: Path, directory: Path) -> None:
    install_locked(make_environment(python, directory), REQUIREMENTS)
