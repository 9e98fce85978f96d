"""Which image sources count, and which are due; of overlapping ones only the first."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_matchbox.image_sync.sources import image_sources, is_due
from lambda_matchbox.oci.image_reference import ImageReference
from lambda_matchbox.releases.sources import Source, apart, known_paths, overlapping

IMAGE = ImageReference("ghcr.io", "team/boot", "v1", "")
SOURCES = st.builds(
    Source,
    st.from_regex(r"[A-Za-z0-9]{1,3}", fullmatch=True),
    st.just(IMAGE),
    st.lists(st.sampled_from(["talos", "arm64", "amd64", "boot"]), min_size=1, max_size=3).map("/".join),
)


def text(source_id: str, assets: str) -> bytes:
    return json.dumps({"id": source_id, "image": "ghcr.io/team/boot:v1", "assets": assets}).encode()


def source(assets: str, source_id: str = "x") -> Source:
    return Source(source_id, IMAGE, assets)


@pytest.mark.parametrize(
    ("one", "other", "overlap"),
    [
        ("talos/arm64", "talos/arm64", True),
        ("talos", "talos/arm64", True),
        ("talos/arm64", "talos", True),
        ("talos/arm", "talos/arm64", False),
        ("talos/arm64", "talos/arm", False),
        ("talos/arm64", "talos/amd64", False),
        ("arm64", "talos/arm64", False),
        ("Talos", "talos", False),
    ],
)
def test_equal_and_nested_directories_overlap(one: str, other: str, overlap: bool) -> None:
    assert overlap is (overlapping(source(one), [source(other, "y")]) is not None)


def test_a_source_does_not_overlap_itself() -> None:
    assert overlapping(source("a"), [source("a")]) is None


def test_of_overlapping_sources_the_smaller_id_stays() -> None:
    sources = [source("talos/arm64", "c"), source("talos", "b"), source("boot", "d"), source("talos/amd64", "a")]
    accepted, refused = apart(sources)
    assert [("a", "talos/amd64"), ("c", "talos/arm64"), ("d", "boot")] == [(one.id, one.assets) for one in accepted]
    assert {"b": "assets: 'talos' overlaps 'talos/amd64' of the source 'a'"} == refused


@given(st.lists(SOURCES, unique_by=lambda one: one.id, max_size=8))
def test_accepted_sources_never_overlap(sources: list[Source]) -> None:
    accepted, refused = apart(sources)
    assert sorted(one.id for one in sources) == sorted([*(one.id for one in accepted), *refused])
    assert not any(overlapping(one, accepted) for one in accepted)
    assert all(overlapping(one, accepted) for one in sources if one.id in refused)


def test_the_default_source_counts_without_a_document_of_its_id() -> None:
    stand_in = text("b", "b").decode()
    documents = {"a": text("a", "a"), "c": b"{"}
    found = image_sources(documents, stand_in, "sources/{}.json")
    assert ["a", "b"] == list(found.sources)
    assert ["sources/c.json: line 1: not JSON: expecting property name enclosed in double quotes"] == found.refused
    assert ["a"] == list(image_sources(documents | {"b": b"{"}, stand_in).sources)
    own = image_sources({"b": text("b", "own")}, stand_in)
    assert ["own"] == [one.assets for one in own.sources.values()]


def test_an_invalid_default_source_is_reported() -> None:
    documents = {"a": text("a", "a")}
    broken = image_sources(documents, "{")
    assert ["a"] == list(broken.sources)
    assert "MATCHBOX_SOURCE: line 1: not JSON" == broken.refused[0][:33]


def test_a_document_wins_over_the_default_source() -> None:
    documents = {"b": text("b", "a")}
    for source_id in "ac":
        found = image_sources(documents, text(source_id, "a/b").decode())
        assert (["b"], [], {"b"}) == (list(found.sources), found.refused, found.named)


def test_a_source_is_due_after_its_interval() -> None:
    hourly = source("a")
    assert [True, False, False, True] == [is_due(hourly, checked, 10_000) for checked in (None, 10_000, 6_581, 6_580)]


def test_default_files_are_those_of_the_architecture() -> None:
    places = [path for one in known_paths("amd64") for paths in one.values() for path in paths]
    assert "output/talos/amd64/vmlinuz" in places
    assert not any("arm64" in path for path in places)
    assert known_paths("arm64") == source("a").alternatives
    chosen = source("a")._replace(files={"vmlinuz": ("x",)})
    assert [{"vmlinuz": ("x",)}] == chosen.alternatives
