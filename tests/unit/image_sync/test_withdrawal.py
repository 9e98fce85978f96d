"""Withdrawal of the releases of removed sources."""

from pathlib import Path

import pytest

from lambda_matchbox.image_sync.withdrawal import withdraw, withdraw_replaced
from lambda_matchbox.oci.image_reference import ImageReference
from lambda_matchbox.releases.pointers import Pointer, Release
from lambda_matchbox.releases.sources import Source
from lambda_matchbox.releases.store import BusyError
from matchboxctl.directory.releases import DirectoryReleaseStore, read_pointers
from matchboxctl.main import main
from tests.support.memory_releases import MemoryReleases, MemoryReleaseStore, memory_stores

DIGEST = f"sha256:{'a' * 64}"
SOURCE = Source("new", ImageReference("ghcr.io", "team/boot", "v1", ""), "talos/arm64")


def pointer(assets: str) -> Pointer:
    return Pointer(assets, DIGEST, held=False, releases=(Release(DIGEST, "place", 5),))


@pytest.fixture
def releases() -> MemoryReleases:
    """Sources with the source's part of /assets/, with parts above and below it, and elsewhere."""
    made = MemoryReleases()
    parts = {"new": "talos/arm64", "same": "talos/arm64", "above": "talos", "below": "talos/arm64/x", "other": "boot"}
    for source_id, assets in parts.items():
        made.served[source_id] = pointer(assets)
        made.stored[source_id, "place"] = {"vmlinuz": b"kernel"}
    return made


def replaced(releases: MemoryReleases, *named: str) -> list[str]:
    return withdraw_replaced(SOURCE, {"new", *named}, releases.pointers(), memory_stores(releases))


def test_overlapping_releases_of_removed_sources_are_withdrawn(releases: MemoryReleases) -> None:
    assert ["same", "below"] == replaced(releases, "above")
    assert {"new", "above", "other"} == releases.served.keys()
    assert {"new", "above", "other"} == {source_id for source_id, _ in releases.stored}


def test_source_that_is_being_synced_is_skipped(releases: MemoryReleases) -> None:
    with MemoryReleaseStore(releases, "same").lease():
        assert ["above", "below"] == replaced(releases)
        with pytest.raises(BusyError):
            withdraw(MemoryReleaseStore(releases, "same"))
    assert pointer("talos/arm64") == releases.served["same"]


def test_command_withdraws_removed_sources_only(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "sources").mkdir()
    (tmp_path / "sources" / "arm.json").write_text('{"id": "arm", "image": "ghcr.io/team/boot:v1", "assets": "talos"}')
    for source_id in ("arm", "gone"):
        DirectoryReleaseStore(tmp_path / "releases", source_id).move(None, pointer(source_id))
    given = ["--data-path", str(tmp_path)]
    assert [2, 0, 2] == [main(["withdraw", source_id, *given]) for source_id in ("arm", "gone", "gone")]
    assert {"arm": pointer("arm")} == read_pointers(tmp_path / "releases")
    output = capsys.readouterr()
    assert "gone: withdrawn\n" == output.out
    assert "run `matchboxctl source delete arm` first" in output.err
