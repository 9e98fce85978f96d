"""The registry rig's behaviour that tests rely on."""

import json
import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import pytest
import urllib3

from tests.rigs.failure import RigFailedError
from tests.rigs.oci_programs import skopeo
from tests.rigs.oci_registry import OciRegistry
from tests.rigs.oci_registry import oci_registry as oci_registry_rig
from tests.support.images.layers import Entry, gzipped, plain, raw_file, zstandard_compressed
from tests.support.images.manifests import DOCKER_LIST, OCI_INDEX, OCI_MANIFEST, digest_of, image, index

pytestmark = [pytest.mark.real, pytest.mark.nightly]

KERNEL = b"0123456789"
TALOS = image([zstandard_compressed(Entry("vmlinuz", KERNEL)), gzipped(Entry("initramfs.xz", b"initramfs"))])
FILE = image([raw_file("vmlinuz", KERNEL)])


def send(url: str, method: str = "GET", **headers: str) -> urllib3.BaseHTTPResponse:
    with urllib3.PoolManager() as pool:
        return pool.request(method, url, headers=headers, redirect=False, retries=False, timeout=30)


def token(registry: OciRegistry, repository: str, headers: Mapping[str, str], actions: str = "pull") -> tuple[int, Any]:
    """Status and document of the token server's response, found as the registry's refusal says."""
    refusal = send(f"http://{registry.host}/v2/{repository}/manifests/latest").headers["WWW-Authenticate"]
    found = dict(re.findall(r'(\w+)="([^"]*)"', refusal.removeprefix("Bearer ")))
    query = urlencode({"service": found["service"], "scope": f"repository:{repository}:{actions}"})
    response = send(f"{found['realm']}?{query}", **headers)
    return response.status, response.json()


def bearer(registry: OciRegistry, repository: str, actions: str = "pull") -> dict[str, str]:
    """The header of somebody who may do `actions`: anonymous where that is only to pull."""
    basic = urllib3.make_headers(basic_auth=f"{registry.user}:{registry.password}")
    status, document = token(registry, repository, {} if actions == "pull" else basic, actions)
    assert 200 == status
    return {"Authorization": f"Bearer {document['token']}"}


def blob_address(registry: OciRegistry, repository: str, digest: str) -> str:
    """Where the registry sends a client for a blob."""
    response = send(f"http://{registry.host}/v2/{repository}/blobs/{digest}", **bearer(registry, repository))
    assert 307 == response.status
    return response.headers["Location"]


def pushed_blob(registry: OciRegistry) -> str:
    """The address of a blob that is KERNEL."""
    repository = f"public/{uuid4()}"
    registry.push(FILE, repository, "latest")
    return blob_address(registry, repository, digest_of(KERNEL))


def copy(registry: OciRegistry, image_name: str, to: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """What became of `skopeo copy` to an OCI layout in `to`."""
    source = ["--src-tls-verify=false", *options, f"docker://{registry.host}/{image_name}"]
    environment = {"PATH": os.environ["PATH"], "HOME": str(to)}
    command = [skopeo(), "--insecure-policy", "copy", *source, f"oci:{to}:copy"]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_public_image_needs_an_anonymous_token(oci_registry: OciRegistry) -> None:
    oci_registry.push(TALOS, "public/tokens", "v1")
    url = f"http://{oci_registry.host}/v2/public/tokens/manifests"
    refused = send(f"{url}/v1", Accept=OCI_MANIFEST)
    assert 401 == refused.status
    challenge = r'Bearer realm="http://127\.0\.0\.1:\d+/token",service="[^"]+",scope="repository:public/tokens:pull"'
    assert re.fullmatch(challenge, refused.headers["WWW-Authenticate"])
    headers = {"Accept": OCI_MANIFEST, **bearer(oci_registry, "public/tokens")}
    for name in ("v1", TALOS.digest):
        response = send(f"{url}/{name}", **headers)
        assert (200, OCI_MANIFEST, TALOS.digest) == (
            response.status,
            response.headers["Content-Type"],
            response.headers["Docker-Content-Digest"],
        )
        assert TALOS.manifests[TALOS.digest][1] == response.data


def test_token_is_for_one_repository(oci_registry: OciRegistry) -> None:
    oci_registry.push(TALOS, "public/mine", "v1")
    url = f"http://{oci_registry.host}/v2/public/mine/manifests/v1"
    others = bearer(oci_registry, "public/other")
    mine = bearer(oci_registry, "public/mine")
    head, _, rest = mine["Authorization"].rpartition(".")
    changed = {"Authorization": f"{head}.{'B' if rest[0] == 'A' else 'A'}{rest[1:]}"}
    assert [401, 401, 200] == [send(url, Accept=OCI_MANIFEST, **given).status for given in (others, changed, mine)]


def test_private_image_needs_the_password(oci_registry: OciRegistry) -> None:
    oci_registry.push(TALOS, "private/talos", "v1")
    right = urllib3.make_headers(basic_auth=f"{oci_registry.user}:{oci_registry.password}")
    wrong = urllib3.make_headers(basic_auth=f"{oci_registry.user}:guess")
    assert 401 == token(oci_registry, "private/talos", {})[0]
    assert 403 == token(oci_registry, "private/talos", wrong)[0]
    status, document = token(oci_registry, "private/talos", right)
    assert 200 == status
    url = f"http://{oci_registry.host}/v2/private/talos/manifests/v1"
    response = send(url, Accept=OCI_MANIFEST, Authorization=f"Bearer {document['token']}")
    assert TALOS.manifests[TALOS.digest][1] == response.data


def test_anonymous_token_cannot_push(oci_registry: OciRegistry) -> None:
    _, document = token(oci_registry, "public/mine", {}, "pull,push")
    url = f"http://{oci_registry.host}/v2/public/mine/blobs/uploads/"
    assert 401 == send(url, "POST", Authorization=f"Bearer {document['token']}").status


def test_blob_is_redirected_to_another_host(oci_registry: OciRegistry) -> None:
    address = pushed_blob(oci_registry)
    assert address.startswith(f"{oci_registry.storage_url}/")
    assert (200, KERNEL) == ((response := send(address)).status, response.data)
    assert digest_of(KERNEL) == oci_registry.sent[-1]


def test_storage_refuses_head_and_authorization(oci_registry: OciRegistry) -> None:
    """As presigned URLs do."""
    address = pushed_blob(oci_registry)
    assert 405 == send(address, "HEAD").status
    assert 400 == send(address, Authorization="Bearer token").status


@pytest.mark.parametrize(
    ("wanted", "status", "part", "body"),
    [
        ("bytes=2-4", 206, "bytes 2-4/10", b"234"),
        ("bytes=7-", 206, "bytes 7-9/10", b"789"),
        ("bytes=8-99", 206, "bytes 8-9/10", b"89"),
        ("bytes=10-", 416, "bytes */10", b""),
    ],
)
def test_storage_serves_ranges(oci_registry: OciRegistry, wanted: str, status: int, part: str, body: bytes) -> None:
    response = send(pushed_blob(oci_registry), Range=wanted)
    assert (status, part, body) == (response.status, response.headers["Content-Range"], response.data)


def test_url_expires_once_on_request(oci_registry: OciRegistry) -> None:
    address = pushed_blob(oci_registry)
    oci_registry.expire(digest_of(KERNEL))
    assert [403, 200] == [send(address).status for _ in range(2)]


def test_deleted_blob_is_404(oci_registry: OciRegistry) -> None:
    """A second deletion fails the rig."""
    oci_registry.push(FILE, "public/deleted", "v1")
    headers = {"Accept": OCI_MANIFEST, **bearer(oci_registry, "public/deleted")}
    oci_registry.delete_blob("public/deleted", digest_of(KERNEL))
    url = f"http://{oci_registry.host}/v2/public/deleted"
    assert [200, 404] == [
        send(f"{url}/{what}", **headers).status for what in ("manifests/v1", f"blobs/{digest_of(KERNEL)}")
    ]
    with pytest.raises(RigFailedError, match=r"was answered 404, not 202"):
        oci_registry.delete_blob("public/deleted", digest_of(KERNEL))


def test_deleted_manifest_is_404(oci_registry: OciRegistry) -> None:
    both = index([(TALOS, "linux/arm64")])
    oci_registry.push(both, "public/no-manifest", "v1")
    oci_registry.delete_manifest("public/no-manifest", TALOS.digest)
    headers = {"Accept": f"{OCI_INDEX}, {OCI_MANIFEST}", **bearer(oci_registry, "public/no-manifest")}
    url = f"http://{oci_registry.host}/v2/public/no-manifest/manifests"
    assert [200, 404] == [send(f"{url}/{name}", **headers).status for name in ("v1", TALOS.digest)]


def test_tag_moves_and_the_digest_stays(oci_registry: OciRegistry) -> None:
    for one in (FILE, TALOS):
        oci_registry.push(one, "public/moving", "v1")
    headers = {"Accept": OCI_MANIFEST, **bearer(oci_registry, "public/moving")}
    url = f"http://{oci_registry.host}/v2/public/moving/manifests"
    got = [send(f"{url}/{name}", **headers).headers["Docker-Content-Digest"] for name in ("v1", FILE.digest)]
    assert [TALOS.digest, FILE.digest] == got


def test_index_of_indexes_keeps_its_bytes(oci_registry: OciRegistry) -> None:
    docker = image([plain(Entry("vmlinuz", b"amd64"))], platform="linux/amd64", docker=True)
    inner = index([(TALOS, "linux/arm64"), (docker, "linux/amd64")], docker=True)
    outer = index([(inner, ""), (FILE, "linux/arm64/v8")], attestation=True)
    oci_registry.push(outer, "public/index", "v1")
    headers = bearer(oci_registry, "public/index")
    url = f"http://{oci_registry.host}/v2/public/index/manifests"
    assert 6 == len(outer.manifests)
    for digest, (media_type, body) in outer.manifests.items():
        assert body == send(f"{url}/{digest}", Accept=media_type, **headers).data
    assert outer.digest == send(f"{url}/v1", Accept=OCI_INDEX, **headers).headers["Docker-Content-Digest"]
    assert 404 == send(f"{url}/v1", Accept=f"{DOCKER_LIST}, {OCI_MANIFEST}", **headers).status


def test_skopeo_copies_an_image(oci_registry: OciRegistry, tmp_path: Path) -> None:
    oci_registry.push(index([(TALOS, "linux/arm64")], attestation=True), "public/skopeo", "v1")
    done = copy(oci_registry, "public/skopeo:v1", tmp_path, "--all")
    assert 0 == done.returncode, done.stderr
    for digest, body in TALOS.blobs.items():
        assert body == (tmp_path / "blobs" / digest.replace(":", "/")).read_bytes()


def test_skopeo_needs_the_password_of_a_private_image(oci_registry: OciRegistry, tmp_path: Path) -> None:
    oci_registry.push(FILE, "private/skopeo", "v1")
    login = f"--src-creds={oci_registry.user}:{oci_registry.password}"
    assert [0, 1] == [copy(oci_registry, "private/skopeo:v1", tmp_path, *given).returncode for given in ([login], [])]


def test_without_tokens_and_redirects_it_is_a_plain_registry() -> None:
    empty = image([raw_file("empty", b""), raw_file("vmlinuz", KERNEL)])
    with oci_registry_rig(tokens=False, redirect=False) as registry:
        registry.push(empty, "private/plain", "v1")
        url = f"http://{registry.host}/v2/private/plain"
        assert empty.document == json.loads(send(f"{url}/manifests/v1", Accept=OCI_MANIFEST).data)
        kernel, nothing = (f"{url}/blobs/{digest_of(body)}" for body in (KERNEL, b""))
        got = [send(kernel), send(nothing), send(kernel, Range="bytes=2-4")]
        assert [(200, KERNEL), (200, b""), (206, b"234")] == [(response.status, response.data) for response in got]
        with pytest.raises(RigFailedError, match="redirect=True"):
            registry.expire(digest_of(KERNEL))


def test_token_may_be_named_access_token() -> None:
    with oci_registry_rig(token_key="access_token") as registry:
        _, document = token(registry, "public/name", {})
    assert ["access_token"] == list(document)


def test_large_blob_passes_through_the_storage(oci_registry: OciRegistry) -> None:
    large = image([raw_file("large", os.urandom(32 << 20))])
    oci_registry.push(large, "public/large", "v1")
    [layer] = large.document["layers"]
    assert layer["digest"] == digest_of(send(blob_address(oci_registry, "public/large", layer["digest"])).data)


def test_registry_ends_with_its_rig() -> None:
    with oci_registry_rig() as registry:
        os.kill(registry.pid, 0)
        send(registry.storage_url)
    with pytest.raises(ProcessLookupError):
        os.kill(registry.pid, 0)
    with pytest.raises(urllib3.exceptions.HTTPError, match="refused"):
        send(registry.storage_url)
