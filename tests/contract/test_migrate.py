"""`matchboxctl migrate` from a running server into a directory and into table and bucket, which `serve` stands for."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from matchboxctl.cli.progress import Progress
from matchboxctl.main import main
from matchboxctl.transfer.differences import WRITTEN, Differences
from matchboxctl.transfer.files import FileCopy
from tests.contract.conftest import Run
from tests.contract.test_import_export import files
from tests.rigs.stores import Stores
from tests.support.commands import Commands
from tests.support.data_files import write_files
from tests.support.migration import DOCUMENTS, Migrate, Old, outcomes
from tests.support.rpc_client import rpc_port
from tests.support.rpc_serve import serving_rpc
from tests.support.terminal import on_terminal

pytestmark = pytest.mark.system


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Old]:
    directory = tmp_path_factory.mktemp("old")
    with serving_rpc(None, directory) as made:
        data = write_files(directory / "data", DOCUMENTS)
        (directory / "client.crt").write_bytes(made.files.client.certificate)
        (directory / "client.key").write_bytes(made.files.client.key)
        yield Old(data, f"http://127.0.0.1:{made.serve.port}", f"127.0.0.1:{rpc_port(made.serve)}", directory)


@pytest.fixture
def migrate(capsysbinary: pytest.CaptureFixture[bytes]) -> Migrate:
    return Migrate(Commands(capsysbinary))


P_SAME = dict.fromkeys(("ipxe", "grub", "generic", "ignition", "metadata", "assets"), "same")
Q_SAME = dict.fromkeys(("ipxe", "grub", "cloud", "metadata", "assets"), "same")
BY_GRPC = {"node1": P_SAME | {"assets": "differs"}, "rest": Q_SAME | {"assets": "differs", "cloud": "differs"}}


def test_directory_is_copied_and_its_groups_are_the_same(old: Old, migrate: Migrate, tmp_path: Path) -> None:
    """The second time, nothing is left to copy."""
    new = tmp_path / "new"
    first = migrate(old.data, "--into", new, "--compare", old.http)
    assert 0 == first.code, first
    assert {path: body for path, body in files(old.data).items() if path in DOCUMENTS} == files(new)
    assert [
        "files: 10 added, 0 changed, 0 removed, 0 unchanged",
        "",
        "GROUP  IPXE  GRUB  IGNITION  CLOUD  GENERIC  METADATA  ASSETS",
        "node1  same  same  same      -      same     same      same",
        "rest   same  same  -         same   -        same      same",
        "",
        f"none of 2 groups differ from {old.http}",
        "nothing found in 2 groups, 2 profiles, 3 templates",
    ] == first.out.splitlines()
    again = migrate.document(0, old.data, "--into", new, "--compare", old.http)
    assert ([], [], 10) == (again["added"], again["changed"], again["unchanged"])


def test_table_and_bucket_get_the_same(old: Old, stores: Stores, run: Run, migrate: Migrate) -> None:
    assert [] == migrate.document(0, old.data, "--compare", old.http)["added"]
    first = migrate.document(0, old.data, "--store", "--compare", old.http)
    assert {"node1": P_SAME, "rest": Q_SAME} == outcomes(first)
    assert ["asset initrd", "asset k+ü %41", "asset vmlinuz"] == sorted(first["added"])[:3]
    assert [] == migrate.document(0, old.data, "--store", "--compare", old.http)["added"]


def test_grpc_gives_all_but_what_it_cannot_list(old: Old, migrate: Migrate, tmp_path: Path) -> None:
    """Cloud templates and assets differ until they are copied by hand."""
    arguments = (old.grpc, "--certs", old.certs, "--compare", old.http, "--into", tmp_path / "new")
    first = migrate.document(1, *arguments)
    assert ["generic/deep/t", "groups/node1.json", "groups/rest.json", "ignition/i.yaml"] == first["added"][:4]
    assert BY_GRPC == outcomes(first)
    (note,) = first["notes"]
    assert "gRPC does not give templates that no profile names, cloud templates, assets: copy these" in note
    for directory in ("assets", "cloud"):
        write_files(tmp_path / "new", {path: body for path, body in DOCUMENTS.items() if path.startswith(directory)})
    assert {"node1": P_SAME, "rest": Q_SAME} == outcomes(migrate.document(0, *arguments))


def test_grpc_into_table_and_bucket(old: Old, stores: Stores, run: Run, migrate: Migrate) -> None:
    found = migrate.document(1, old.grpc, "--certs", old.certs, "--store", "--compare", old.http)
    assert BY_GRPC == outcomes(found)


def test_dry_run_copies_nothing_and_compares(old: Old, migrate: Migrate, tmp_path: Path) -> None:
    found = migrate.document(0, old.data, "--into", tmp_path / "new", "--compare", old.http, "--dry-run")
    assert {"node1": P_SAME, "rest": Q_SAME} == outcomes(found)
    assert 10 == len(found["added"])
    assert not (tmp_path / "new").exists()


def test_difference_has_its_reason_and_no_text_of_the_response(old: Old, migrate: Migrate, tmp_path: Path) -> None:
    new = write_files(tmp_path / "new", {"groups/a.json": {"profile": "q", "selector": {"mac": "52:54:00:00:00:01"}}})
    write_files(
        tmp_path / "copy", {**DOCUMENTS, "cloud/c": "#cloud-config\n{password: x}\n", "generic/deep/t": "{{.b}}"}
    )
    ended = migrate(tmp_path / "copy", "--compare", old.http)
    assert 1 == ended.code
    assert "cloud: differs: line 2 is another, for group rest" in ended.out.splitlines()
    why = "template 'deep/t', line 1: there is no value for b"
    assert any(line.startswith(f"generic: differs: {why}") for line in ended.out.splitlines()), ended.out
    assert "password" not in ended.out
    assert f"2 of 2 groups differ from {old.http}" in ended.err
    ended = migrate(old.data, "--into", new, "--compare", old.http)
    assert "ipxe: differs: here it is in group a, for group node1" in ended.out.splitlines()
    assert 1 == ended.code


def test_asset_of_another_size_differs(old: Old, migrate: Migrate, tmp_path: Path) -> None:
    data = write_files(tmp_path / "copy", DOCUMENTS)
    (data / "assets" / "k+ü %41").unlink()
    ended = migrate(data, "--compare", old.http)
    assert [
        "assets: differs: /assets/k+ü %41 is absent, for group rest",
    ] == [line for line in ended.out.splitlines() if line.startswith("assets: ")]
    (data / "assets" / "initrd").write_text("another")
    assert (
        "assets: differs: /assets/initrd has another size, for group node1"
        in migrate(data, "--compare", old.http).out.splitlines()
    )


def test_labels_of_every_machine_are_left_out_if_another_group_selects_by_them(
    migrate: Migrate, tmp_path: Path
) -> None:
    groups = {"rest": {}, "arch": {"arch": "x86_64"}, "rack": {"rack": "1", "arch": "arm64"}}
    data = write_files(
        tmp_path / "data", {f"groups/{name}.json": {"profile": "p", "selector": one} for name, one in groups.items()}
    )
    found = {row["group"]: row["labels"] for row in migrate.document(1, data)["groups"]}
    assert {} == found["rest"]
    assert ("x86_64", "02:00:00:00:00:00") == (found["arch"]["arch"], found["arch"]["mac"])
    assert ("arm64", "1") == (found["rack"]["arch"], found["rack"]["rack"])


def test_addresses_of_a_server_are_named(old: Old, migrate: Migrate, tmp_path: Path) -> None:
    """Those for what matchbox has, without passwords."""
    args = ["a=http://old:8080/generic?uuid=${uuid}", "b=http://other/x", "c=${cwduri}generic"]
    metadata = {"url": "http://me:hunter2@third/ignition?mac=1"}
    given = {"id": "p", "generic_id": "t", "boot": {"kernel": "/assets/vmlinuz", "args": args}}
    documents = {"profiles/p.json": given, "groups/g.json": {"profile": "p", "metadata": metadata}}
    body = "http://old:8080/assets/vmlinuz http://old:80801/x http://{{.host}}/ignition"
    data = write_files(tmp_path / "copy", documents | {"generic/t": body})
    said = "if that is the old matchbox, write the new server's address"
    assert [
        f"http://old:8080 is named in profile p, generic template t: {said}",
        f"http://third is named in group g: {said}",
    ] == migrate.document(1, data, "--compare", old.http)["notes"]


def test_without_an_address_only_documents_are_looked_at(old: Old, migrate: Migrate) -> None:
    ended = migrate(old.data)
    assert 0 == ended.code
    assert "node1  200   200   200       -      200      200       200" in ended.out.splitlines()
    said = "2 groups: only documents were looked at, since no --compare URL names a running matchbox"
    assert said in ended.out.splitlines()


def test_nothing_is_copied_if_no_matchbox_is_at_the_address(old: Old, migrate: Migrate, tmp_path: Path) -> None:
    ended = migrate(old.data, "--into", tmp_path / "new", "--compare", "http://127.0.0.1:1")
    assert 1 == ended.code
    assert ended.err.endswith("nothing was copied\n")
    assert not (tmp_path / "new").exists()


def test_unusable_certificates_are_named(old: Old, migrate: Migrate, tmp_path: Path) -> None:
    ended = migrate(old.grpc, "--certs", tmp_path)
    assert 2 == ended.code
    assert f"--certs {tmp_path}: gRPC needs ca.crt, client.crt and client.key there" in ended.err
    assert 0 == main(["certs", str(tmp_path / "others"), "--name", "127.0.0.1"])
    ended = migrate(old.grpc, "--certs", tmp_path / "others", "--into", tmp_path / "new")
    assert 1 == ended.code
    assert f"see `matchboxctl certs --check {tmp_path}/others`" in ended.err
    assert not (tmp_path / "new").exists()


def test_file_that_does_not_parse_is_named_and_the_rest_is_copied(old: Old, migrate: Migrate, tmp_path: Path) -> None:
    data = write_files(tmp_path / "copy", {**DOCUMENTS, "groups/broken.json": '{"selector": 5}'})
    (data / "assets" / "link").symlink_to("absent")
    ended = migrate(data, "--into", tmp_path / "new", "--compare", old.http)
    assert 1 == ended.code
    assert f"{data}/groups/broken.json: " in ended.err
    assert f"{data}/assets/link: cannot be read: No such file or directory" in " ".join(ended.err.split())
    assert "2 could not be copied (see the warnings above); the rest is copied" in ended.err
    assert set(DOCUMENTS) == set(files(tmp_path / "new"))


@pytest.mark.parametrize("path", ["groups/node2.yaml", "groups/rack1/node2.json", "profiles/r.yml"])
def test_group_or_profile_where_no_server_reads_it_is_named_and_fails_the_copy(
    old: Old, migrate: Migrate, tmp_path: Path, path: str
) -> None:
    data = write_files(tmp_path / "copy", {**DOCUMENTS, path: {"id": "node2", "profile": "p"}})
    ended = migrate(data, "--into", tmp_path / "new", "--compare", old.http)
    assert 1 == ended.code
    assert f"{data}/{path}: not copied: it is no .json file right in the directory" in ended.err
    assert "1 could not be copied (see the warning above); the rest is copied" in ended.err
    assert set(DOCUMENTS) == set(files(tmp_path / "new"))


def test_notes_are_as_wide_as_the_terminal(old: Old, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "matchboxctl.main", "migrate", old.grpc, "--certs", old.certs]
    written = on_terminal(command, 80, {"HOME": str(tmp_path)})
    lines = written.raw.decode().splitlines()
    [at] = [number for number, line in enumerate(lines) if line.startswith("note: gRPC does not give ")]
    assert "from matchbox's data directory" in " ".join(line.strip() for line in lines[at : at + 2])
    assert 80 >= len(lines[at])


def test_file_that_not_everybody_can_read_is_its_owners_alone(old: Old, migrate: Migrate, tmp_path: Path) -> None:
    data = write_files(tmp_path / "copy", DOCUMENTS)
    (data / "generic" / "deep" / "t").chmod(0o640)
    (data / "ignition").chmod(0o700)
    assert 0 == migrate(data, "--into", tmp_path / "new", "--compare", old.http).code
    modes = {
        path: (tmp_path / "new" / path).stat().st_mode & 0o077
        for path in ("generic/deep/t", "ignition/i.yaml", "cloud/c", "generic")
    }
    assert [True, True, False, False] == [mode == 0 for mode in modes.values()]
    (tmp_path / "new/generic/deep/t").chmod(0o644)
    assert 0 == migrate(data, "--into", tmp_path / "new", "--compare", old.http).code
    assert 0 == (tmp_path / "new/generic/deep/t").stat().st_mode & 0o004


def test_interrupted_copy_is_completed_by_the_next_run(
    old: Old, migrate: Migrate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No file is there in part."""
    new = tmp_path / "new"

    def interrupted(self: FileCopy, shown: Differences, progress: Progress) -> Differences:
        carry_out(self, shown._replace(added=shown.added[:4]), progress)
        raise KeyboardInterrupt

    carry_out = FileCopy.carry_out
    with monkeypatch.context() as patched:
        patched.setattr(FileCopy, "carry_out", interrupted)
        ended = migrate(old.data, "--into", new)
    assert (130, f"matchboxctl: interrupted: {WRITTEN}") == (ended.code, " ".join(ended.err.split()))
    assert 4 == len(files(new))
    again = migrate.document(0, old.data, "--into", new, "--compare", old.http)
    assert (6, 4) == (len(again["added"]), again["unchanged"])
    assert set(DOCUMENTS) == set(files(new))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["absent"], "'absent' is neither a directory nor HOST:PORT of matchbox's gRPC API"),
        (["{data}", "--into", "{data}/new"], "--into {data}/new is in FROM: name another, or none to see"),
        (["{data}", "--into", "d", "--stack", "s"], "--into, and --stack or --store, name where to copy: use one"),
        (["{data}", "--store"], "--store copies into table and bucket: set MATCHBOX_TABLE and MATCHBOX_BUCKET"),
        (["{data}", "--into", "/proc/absent/new"], "--into /proc/absent/new cannot be created: "),
        (["{data}", "--compare", "matchbox"], "invalid address 'matchbox': use one such as http://HOST"),
    ],
)
def test_wrong_usage_says_what_to_change(
    arguments: list[str], said: str, data: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    lines = Commands(capsysbinary).refused("migrate", *(one.replace("{data}", str(data)) for one in arguments))
    assert said.replace("{data}", str(data)) in lines[0]
