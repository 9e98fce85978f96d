"""Links among the assets that lead to the data directory's private files."""

from functools import partial
from pathlib import Path

from matchboxctl.directory.assets import AssetDirectory
from matchboxctl.directory.files import read_directory
from matchboxctl.directory.private_files import is_private


def test_a_link_among_the_assets_leads_to_no_secret_and_no_state(tmp_path: Path) -> None:
    root, secrets = tmp_path / "assets", tmp_path / "secrets" / "talos"
    root.mkdir()
    secrets.mkdir(parents=True)
    for path in (
        secrets / "token",
        tmp_path / "state.sqlite-wal",
        tmp_path / "history.sqlite",
        tmp_path / "plain",
        tmp_path / "groups.index",
    ):
        path.write_text("x")
    (root / "secret").symlink_to(secrets / "token")
    (root / "secrets").symlink_to("../secrets")
    (root / "data").symlink_to("..")
    (root / "state").symlink_to("data/state.sqlite-wal")
    (root / "plain").symlink_to(tmp_path / "plain")
    private = [
        "secret",
        "secrets/talos/token",
        "data/secrets/talos/token",
        "state",
        "data/history.sqlite",
        "data/groups.index",
    ]
    assets = AssetDirectory(root, hidden=partial(is_private, tmp_path))
    assert [assets.file(path) for path in private] == [None] * len(private)
    assert [assets.listing(path) for path in ("secrets", "data/secrets", "data/secrets/talos")] == [None] * 3
    assert [assets.file(path) is not None for path in ("plain", "data/plain")] == [True, True]
    found = read_directory(tmp_path)
    assert found.assets["plain"] == root / "plain"
    assert not found.assets.keys() & set(private)
    assert f"{root / 'state'}: is a link to a secret or a machine's state: remove it" in map(str, found.problems)
