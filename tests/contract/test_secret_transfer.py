"""`export` and `import` carry secrets only where they are told to, and never print one."""

import json
import re
import stat
from pathlib import Path

import pytest

from tests.contract.secret_commands import secret_commands
from tests.rigs.service import Service
from tests.support.data_files import write_files
from tests.support.resource_commands import ResourceCommands

SECRETS = {"talos/token": "CANARY-token", "ca": "CANARY\nca\n"}


@pytest.fixture
def commands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes], moto_server: Service
) -> ResourceCommands:
    return secret_commands(tmp_path / "files", monkeypatch, capsysbinary, moto_server)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data directory whose template names two secrets that it has."""
    root = tmp_path / "from"
    write_files(root, {f"secrets/{name}": value for name, value in SECRETS.items()})
    write_files(
        root,
        {
            "groups/g.json": {"profile": "p", "boot": {"token": True, "approve": True}, "selector": {"os": "a"}},
            "profiles/p.json": {"generic_id": "t"},
            "generic/t": '{{secret "talos/token"}} {{secret "ca"}} {{secret "sm:other"}}',
        },
    )
    for path in (root / "secrets").rglob("*"):
        path.chmod(0o700 if path.is_dir() else 0o600)
    return root


def names(commands: ResourceCommands) -> list[str]:
    return [one["name"] for one in json.loads(commands.ok("secret", "list", "-o", "json"))]


def test_import_carries_no_secret_unless_it_is_told_to(commands: ResourceCommands, data: Path) -> None:
    ended = commands.run("import", str(data))
    assert 0 == ended.code
    assert "note: 2 secrets that templates name are not imported; --secrets does" in ended.err
    assert "secret 'ca' does not exist" in ended.err
    assert [] == names(commands)
    ended = commands.run("import", "--secrets", str(data))
    assert 0 == ended.code
    assert "secrets: 2 added, 0 changed, 0 removed, 0 unchanged" in ended.out
    assert "'ca'" not in ended.err
    assert "CANARY" not in ended.out + ended.err
    for name, value in SECRETS.items():
        assert value == commands.ok("secret", "get", name, "--reveal")


def test_export_carries_no_secret_unless_it_is_told_to(commands: ResourceCommands, data: Path, tmp_path: Path) -> None:
    commands.run("import", "--secrets", str(data))
    to = tmp_path / "to"
    ended = commands.run("export", str(to))
    assert "note: 2 secrets that templates name are not exported; --secrets does" in ended.err
    assert not (to / "secrets").exists()
    ended = commands.run("export", "--secrets", str(to), "-o", "json")
    assert (0, ["secret ca", "secret talos/token"]) == (ended.code, json.loads(ended.out)["added"])
    assert "CANARY" not in ended.out + ended.err
    for name, value in SECRETS.items():
        assert value == (to / "secrets" / name).read_text()
        assert 0o600 == stat.S_IMODE((to / "secrets" / name).stat().st_mode)
    assert 0o700 == stat.S_IMODE((to / "secrets").stat().st_mode)


def test_only_differences_are_written_and_nothing_is_removed(commands: ResourceCommands, data: Path) -> None:
    commands.run("import", "--secrets", str(data))
    (data / "secrets/ca").write_text("other")
    (data / "secrets/talos/token").unlink()
    for arguments in (["--dry-run"], ["--prune"]):
        ended = commands.run("import", "--secrets", *arguments, str(data))
        assert re.search(r"^secrets: .*0 added, 1 changed, 0 removed, 0 unchanged$", ended.out, re.MULTILINE)
    assert "other" == commands.ok("secret", "get", "ca", "--reveal")
    assert ["ca", "talos/token"] == names(commands)


def test_unusable_secret_is_named_and_the_rest_is_imported(commands: ResourceCommands, data: Path) -> None:
    (data / "secrets/ca").chmod(0o644)
    write_files(data, {"secrets/large": "CANARY" * 2000})
    (data / "secrets/large").chmod(0o600)
    ended = commands.run("import", "--secrets", str(data))
    assert 1 == ended.code
    assert "secrets/ca is not used, as others may read or write it" in ended.err
    assert "secret 'large' has 12,000 bytes" in ended.err
    assert "CANARY" not in ended.out + ended.err
    assert ["talos/token"] == names(commands)


def test_name_that_no_file_can_have_is_named(commands: ResourceCommands, tmp_path: Path) -> None:
    for name in ("a", "a/b"):
        commands.ok("secret", "set", name, "-f", "-", stdin=b"CANARY")
    ended = commands.run("export", "--secrets", str(tmp_path / "to"))
    assert 1 == ended.code
    assert "no other name can begin with 'a/'" in ended.err
    assert "CANARY" not in ended.out + ended.err
    assert "CANARY" == (tmp_path / "to/secrets/a").read_text()
