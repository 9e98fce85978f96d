"""`matchboxctl serve --key-ring-path` as a real process, over HTTP."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.rigs.service import Service
from tests.rigs.stores import new_stores
from tests.support.openpgp.independent import is_signed
from tests.support.openpgp.keys import PASSPHRASE, path_of, signing_key
from tests.support.serving import COMMAND, LIMIT, started

pytestmark = pytest.mark.system

ANYWHERE = ("--address", "127.0.0.1:0")
LONG = 1_500_000


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data")
    for name in ("groups", "profiles", "generic"):
        (root / name).mkdir()
    (root / "groups" / "g.json").write_text('{"profile": "p"}')
    (root / "profiles" / "p.json").write_text('{"generic_id": "t"}')
    (root / "generic" / "t").write_text("a line of eighteen\n" * (LONG // 19))
    return root


def refused(name: str, **environment: str) -> str:
    """The one line with which `serve` refuses to start with that key ring."""
    ended = subprocess.run(
        [*COMMAND, *ANYWHERE, "-key-ring-path", name],
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
        env={**os.environ, **environment},
    )
    assert (2, "") == (ended.returncode, ended.stdout)
    (line,) = ended.stderr.splitlines()
    assert PASSPHRASE not in line
    return line.removeprefix(f"matchboxctl: --key-ring-path (MATCHBOX_KEY_RING_PATH) {name!r}")


def test_signatures_in_directory_mode(data: Path) -> None:
    """The key's fingerprint is logged at the start."""
    with started(*ANYWHERE, "--data-path", str(data), "--key-ring-path", str(path_of("rsa"))) as running:
        plain, signature = running.get("/generic"), running.get("/generic.sig")
        assert (200, 200, True) == (plain.status, signature.status, is_signed(signature.body, plain.body))
        assert len(plain.body) > 720_000
        head = running.get("/generic.sig", method="HEAD")
        assert (200, b"", str(len(signature.body))) == (head.status, head.body, head.headers["content-length"])
        assert 404 == running.get("/generic.sig.sig").status
        running.end()
        lines = [json.loads(line) for line in running.errors]
    assert [signing_key("rsa").fingerprint] == [line["fingerprint"] for line in lines if line["message"] == "signing"]


def test_signatures_in_store_mode(data: Path, moto_server: Service) -> None:
    """Ring and passphrase come from the environment."""
    stores = new_stores(moto_server, moto_server)
    stores.fill(data)
    given = {"MATCHBOX_KEY_RING_PATH": str(path_of("rsa")), "MATCHBOX_PASSPHRASE": "for nothing"}
    with started(*ANYWHERE, environment=stores.environment() | given) as running:
        assert 302 == running.get("/generic").status
        signature = running.get("/generic.asc")
        assert is_signed(signature.body, (data / "generic" / "t").read_bytes())
        running.end()


def test_passphrase_comes_from_the_environment(data: Path) -> None:
    environment = os.environ | {"MATCHBOX_PASSPHRASE": PASSPHRASE}
    flags = ("--data-path", str(data), "--key-ring-path", str(path_of("subkey")))
    with started(*ANYWHERE, *flags, environment=environment) as running:
        assert 200 == running.get("/boot.ipxe.sig").status
        running.end()


def test_no_signature_routes_without_a_key_ring(data: Path) -> None:
    environment = os.environ | {"MATCHBOX_PASSPHRASE": PASSPHRASE}
    with started(*ANYWHERE, "--data-path", str(data), environment=environment) as running:
        assert [404, 404] == [running.get(f"/boot.ipxe{suffix}").status for suffix in (".sig", ".asc")]
        running.end()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("expired", "expired on 2020-01-03"),
        ("public", "is public only"),
        ("certify-only", "it has no signing key"),
        ("revoked", "is revoked"),
    ],
)
def test_key_that_cannot_sign_ends_with_exit_code_2(name: str, said: str) -> None:
    assert said in refused(str(path_of(name)))


def test_wrong_passphrase_is_reported_with_its_variable() -> None:
    ring = str(path_of("ed25519"))
    for passphrase, said in (("", "set its passphrase"), ("wrong horse", "does not unlock")):
        line = refused(ring, MATCHBOX_PASSPHRASE=passphrase)
        assert said in line
        assert line.endswith("the passphrase is read from MATCHBOX_PASSPHRASE")
        assert "wrong horse" not in line


def test_unreadable_key_ring_is_named(tmp_path: Path) -> None:
    assert " cannot be read: No such file or directory" == refused(str(tmp_path / "absent"))
    assert " cannot be read: Is a directory" == refused(str(tmp_path))
