"""docker-registry with GHCR's behaviour: bearer tokens even for public images, and blobs from other storage.

It speaks http on 127.0.0.1. Who may pull and push is `token_server`'s rule, what its storage refuses `blob_storage`'s.
An image it is given twice is held once; a tag given to another image moves to it.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any

import urllib3

from tests.rigs.blob_storage import BlobStorage
from tests.rigs.failure import RigFailedError
from tests.rigs.oci_programs import docker_registry
from tests.rigs.program import free_port, running, scratch_directory
from tests.rigs.token_server import ISSUER, PASSWORD, SERVICE, USER, TokenServer
from tests.support.images.manifests import Image
from tests.support.server_threads import in_thread

_TIMEOUT = 60.0
"""Seconds of silence after which the registry is given up; it writes large blobs to the disk meanwhile."""


@dataclass(frozen=True, slots=True)
class OciRegistry:
    """A registry that serves until its rig is left."""

    host: str
    """`127.0.0.1:PORT`, as it stands in a reference."""
    pid: int
    user: str = USER
    password: str = PASSWORD
    """What is needed to pull from repositories below `private/`, and to push and delete."""
    storage_url: str = ""
    """`http://localhost:PORT`, where blobs are; empty where the registry gives them itself."""
    _tokens: TokenServer | None = field(default=None, repr=False)
    _storage: BlobStorage | None = field(default=None, repr=False)

    def push(self, image: Image, repository: str, tag: str) -> str:
        """Upload an image or an index with all it leads to; the reference `HOST/REPOSITORY:TAG`.

        Raises RigFailedError when the registry refuses a part.
        """
        with urllib3.PoolManager(retries=False) as pool:
            for digest, body in image.blobs.items():
                if not self._has(pool, repository, digest):
                    self._upload(pool, repository, digest, body)
            # A manifest is refused unless all that it names is there: so the mapping's order counts.
            for digest, (media_type, body) in image.manifests.items():
                for name in (digest, tag) if digest == image.digest else (digest,):
                    url, headers = f"/v2/{repository}/manifests/{name}", {"Content-Type": media_type}
                    self._send(pool, repository, "PUT", url, HTTPStatus.CREATED, body, headers)
        return f"{self.host}/{repository}:{tag}"

    def delete_blob(self, repository: str, digest: str) -> None:
        """Take a blob away from a repository: its manifests still name it, and asking for it is a 404.

        Raises RigFailedError when it is not there.
        """
        self._delete(repository, f"blobs/{digest}")

    def delete_manifest(self, repository: str, digest: str) -> None:
        """Take a manifest away from a repository, and its tags. Raises RigFailedError when it is not there."""
        self._delete(repository, f"manifests/{digest}")

    def expire(self, digest: str) -> None:
        """Refuse the blob once at the storage (403), as if its address had expired."""
        self._blob_storage.expire(digest)

    @property
    def sent(self) -> tuple[str, ...]:
        """The digests of the blobs that the storage gave, whole or in part, in the order of the requests."""
        return self._blob_storage.sent

    @property
    def _blob_storage(self) -> BlobStorage:
        if self._storage is None:
            raise RigFailedError("this registry gives blobs itself: start it with redirect=True")
        return self._storage

    def _has(self, pool: urllib3.PoolManager, repository: str, digest: str) -> bool:
        url = f"http://{self.host}/v2/{repository}/blobs/{digest}"
        response = pool.request("HEAD", url, headers=self._authorization(repository), redirect=False, timeout=_TIMEOUT)
        return response.status < HTTPStatus.BAD_REQUEST

    def _upload(self, pool: urllib3.PoolManager, repository: str, digest: str, body: bytes) -> None:
        begun = self._send(pool, repository, "POST", f"/v2/{repository}/blobs/uploads/", HTTPStatus.ACCEPTED)
        location = begun.headers["Location"].removeprefix(f"http://{self.host}")
        url = f"{location}{'&' if '?' in location else '?'}digest={digest}"
        headers = {"Content-Type": "application/octet-stream"}
        self._send(pool, repository, "PUT", url, HTTPStatus.CREATED, body, headers)

    def _delete(self, repository: str, what: str) -> None:
        with urllib3.PoolManager(retries=False) as pool:
            self._send(pool, repository, "DELETE", f"/v2/{repository}/{what}", HTTPStatus.ACCEPTED)

    def _send(
        self,
        pool: urllib3.PoolManager,
        repository: str,
        method: str,
        target: str,
        expected: int,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
    ) -> urllib3.BaseHTTPResponse:
        """The response with the expected status. Raises RigFailedError for another one."""
        fields = {**(headers or {}), **self._authorization(repository)}
        response = pool.request(method, f"http://{self.host}{target}", headers=fields, body=body, timeout=_TIMEOUT)
        if response.status != expected:
            raise RigFailedError(f"{method} {target} was answered {response.status}, not {expected}: {response.data!r}")
        return response

    def _authorization(self, repository: str) -> dict[str, str]:
        return {} if self._tokens is None else {"Authorization": f"Bearer {self._tokens.token(repository)}"}


@contextmanager
def oci_registry(*, tokens: bool = True, redirect: bool = True, token_key: str = "token") -> Iterator[OciRegistry]:
    """docker-registry on a free port of 127.0.0.1, without images.

    Without `tokens` everybody may do everything; without `redirect` it gives blobs itself. `token_key` is what the
    token is called in the token server's response: `token`, or as with some registries `access_token`.
    """
    program = docker_registry()
    with ExitStack() as stack:
        directory = stack.enter_context(scratch_directory())
        images = directory / "images"
        images.mkdir()
        issuer = TokenServer(token_key) if tokens else None
        storage = BlobStorage(images) if redirect else None
        for server in (issuer, storage):
            if server is not None:
                stack.enter_context(in_thread(server))
        host = f"127.0.0.1:{free_port()}"
        configuration = directory / "registry.yml"
        # JSON is YAML, too.
        configuration.write_text(json.dumps(_configuration(host, images, issuer, storage)))
        process = stack.enter_context(running([program, "serve", configuration], directory, {}))
        process.wait_for(lambda: serves(host), "its response to GET /v2/")
        url = storage.url if storage is not None else ""
        yield OciRegistry(host, process.pid, storage_url=url, _tokens=issuer, _storage=storage)


def _configuration(
    host: str, images: Path, issuer: TokenServer | None, storage: BlobStorage | None
) -> Mapping[str, Any]:
    made: dict[str, Any] = {
        "version": "0.1",
        "log": {"level": "warn", "accesslog": {"disabled": True}},
        "storage": {
            "filesystem": {"rootdirectory": str(images)},
            "delete": {"enabled": True},
            "maintenance": {"uploadpurging": {"enabled": False}},
        },
        "http": {"addr": host, "secret": "not a secret"},
    }
    if issuer is not None:
        certificates = images.with_name("certificates.pem")
        certificates.write_text(issuer.certificate)
        made["auth"] = {
            "token": {
                "realm": issuer.realm,
                "service": SERVICE,
                "issuer": ISSUER,
                "rootcertbundle": str(certificates),
            }
        }
    if storage is not None:
        made["middleware"] = {"storage": [{"name": "redirect", "options": {"baseurl": storage.url}}]}
    return made


def serves(host: str) -> bool | None:
    """Whether a registry answers there, None for not yet."""
    try:
        response = urllib3.request("GET", f"http://{host}/v2/", retries=False, timeout=5)
    except urllib3.exceptions.HTTPError:
        return None
    return True if response.status in {HTTPStatus.OK, HTTPStatus.UNAUTHORIZED} else None
