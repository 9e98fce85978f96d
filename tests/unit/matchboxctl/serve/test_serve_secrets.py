"""`matchboxctl serve` gives secrets of its directory, or of Parameter Store."""

import re
from contextlib import closing
from pathlib import Path

import pytest

from lambda_matchbox.aws.keys import RESPONSES_PREFIX
from tests.rigs.service import Service
from tests.rigs.stores import new_stores
from tests.support.data_files import write_files
from tests.support.serving import Reply, Serve, started

pytestmark = pytest.mark.system

CANARY = "c4n4ry-v4lu3"
LABELS = "mac=52:54:00:00:00:01"
LONG = 1_500_000
FILES = {
    "groups/g.json": {"profile": "p", "boot": {"token": True}},
    "profiles/p.json": {"generic_id": "t", "boot": {"kernel": "/assets/vmlinuz"}},
    "generic/t": '{{secret "talos/join"}}\n',
}
LOG = ("--log-level", "info", "--address", "127.0.0.1:0")


def configuration(server: Serve, **headers: str) -> Reply:
    script = server.get(f"/ipxe?{LABELS}").body.decode()
    token = re.search(r"^set token (\S+)$", script, re.MULTILINE)
    assert token is not None
    return server.send(f"/generic?{LABELS}&token={token[1]}", **headers)


def test_a_file_that_others_may_read_is_named_and_not_used_until_it_is_repaired(tmp_path: Path) -> None:
    write_files(tmp_path, {**FILES, "secrets/talos/join": CANARY})
    file = tmp_path / "secrets/talos/join"
    file.chmod(0o644)
    problem = "secrets/talos/join is not used, as others may read or write it (mode 0644): chmod 600 it"
    with started("--data-path", str(tmp_path), *LOG) as server:
        response = configuration(server)
        assert (response.status, response.body.decode()) == (500, f"{problem}\n")
        file.chmod(0o600)
        response = configuration(server)
        assert (response.status, response.body.decode()) == (200, f"{CANARY}\n")
        assert response.headers["cache-control"] == "no-store"
        file.write_text("x" * 8192)
        assert configuration(server).body == b"x" * 8192 + b"\n"
        file.unlink()
        file.symlink_to(file)
        response = configuration(server)
        assert (response.status, "retry-after" in response.headers) == (503, True)
        assert response.body == b"secrets/talos/join cannot be read: Too many levels of symbolic links\n"
        file.unlink()
        assert configuration(server).body == b"template 't', line 1: secret: there is no secret 'talos/join'\n"
        server.end()
    said = "\n".join([*server.startup_banner, *server.errors])
    assert server.errors.count(f"matchboxctl: {problem}") == 1
    # The validation at the start names it too, unless it is repaired by then.
    assert sum(problem in line for line in server.errors if line.startswith("{")) == 1
    assert CANARY not in said


def test_a_response_with_a_secret_of_parameter_store_is_not_put_into_the_bucket(
    tmp_path: Path, moto_server: Service
) -> None:
    stores = new_stores(moto_server, moto_server)
    stores.fill(write_files(tmp_path, FILES))
    prefix = f"/matchbox/{stores.name}"
    environment = {
        **stores.environment(),
        "AWS_ENDPOINT_URL_SSM": moto_server.endpoint,
        "MATCHBOX_SECRETS": prefix,
    }
    with closing(moto_server.client("ssm")) as ssm, closing(moto_server.client("s3")) as s3:
        ssm.put_parameter(Name=f"{prefix}/talos/join", Value=CANARY, Type="SecureString")
        with started(*LOG, environment=environment) as server:
            response = configuration(server)
            assert (response.status, response.body.decode()) == (200, f"{CANARY}\n")
            assert response.headers["cache-control"] == "no-store"
            stores.writer().put_template("generic", "t", b'{{secret "talos/join"}}' + b"x" * LONG)
            response = configuration(server)
            assert response.status == 500
            assert b"the response holds a secret, which is not stored in the bucket" in response.body
            server.end()
        assert s3.list_objects_v2(Bucket=stores.name, Prefix=RESPONSES_PREFIX)["KeyCount"] == 0
    assert CANARY not in "\n".join([*server.startup_banner, *server.errors])
