"""Pointers: the current release, and the kept ones."""

import re
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_matchbox.oci.image_reference import ImageReference, Platform
from lambda_matchbox.releases.pointers import (
    GRACE,
    Pointer,
    Release,
    UnknownReleaseError,
    covering,
    directory_prefix,
    pointer_in,
    pointer_text,
    pruned,
    published,
    rolled_back,
)
from lambda_matchbox.releases.sources import Source

IMAGE = ImageReference("ghcr.io", "team/boot", "v1", "")
SOURCE = Source("talos", IMAGE, "talos/arm64", keep=2)
A, B, C, D = (f"sha256:{letter * 64}" for letter in "abcd")


def release(digest: str, moment: int) -> Release:
    return Release(digest, digest[7:15], moment)


def digests(pointer: Pointer) -> list[str]:
    return [one.digest for one in pointer.releases]


def after(*moments: tuple[str, int], source: Source = SOURCE) -> Pointer:
    """The pointer after these digests were published, each for the first time."""
    pointer = None
    for digest, moment in moments:
        pointer = published(pointer, source, release(digest, moment), moment)
    assert pointer is not None
    return pointer


def test_first_release_is_current_and_not_held() -> None:
    expected = Pointer("talos/arm64", A, held=False, releases=(release(A, 5),))
    assert expected == published(None, SOURCE, release(A, 5), 5)


def test_next_release_comes_first() -> None:
    """The previous one has the time when it was last current."""
    pointer = after((A, 5), (B, 9))
    assert (B, (release(B, 9), release(A, 5)._replace(left=9))) == (pointer.current, pointer.releases)


def test_later_release_of_the_same_second_is_newer() -> None:
    assert [C, B, A] == digests(after((A, 5), (B, 5), (C, 5)))


def test_kept_release_that_is_current_again_keeps_its_age() -> None:
    pointer = after((A, 5), (B, 9))
    kept = pointer.release(A)
    assert kept is not None
    again = published(pointer, SOURCE, kept, 20)
    assert (A, (release(B, 9)._replace(left=20), release(A, 5))) == (again.current, again.releases)


def test_other_files_of_an_image_are_another_release() -> None:
    """The previous one is kept for an hour."""
    pointer = after((A, 5), (B, 9))
    again = published(pointer, SOURCE, Release(B, "elsewhere", 20), 20)
    former = release(B, 9)._replace(left=20)
    assert (Release(B, "elsewhere", 20), former, release(A, 5)._replace(left=9)) == again.releases
    assert Release(B, "elsewhere", 20) == again.release(B)
    assert [B, A] == digests(pruned(again, 2, 20 + GRACE))


def test_rollback_from_the_oldest_goes_to_the_previous_one() -> None:
    """Its tag was moved back."""
    pointer = after((A, 5), (B, 9))
    kept = pointer.release(A)
    assert kept is not None
    assert B == rolled_back(published(pointer, SOURCE, kept, 20), None, 30).current


def test_changed_assets_apply_with_the_next_release() -> None:
    moved = published(after((A, 5)), SOURCE._replace(assets="boot"), release(B, 9), 9)
    assert "boot" == moved.assets


def test_release_is_kept_for_an_hour_after_it_was_current() -> None:
    pointer = after((A, 0), (B, 10), (C, 20))
    assert [C, B, A] == digests(pruned(pointer, 1, 10 + GRACE - 1))
    assert [C, B] == digests(pruned(pointer, 1, 10 + GRACE))
    assert [C] == digests(pruned(pointer, 1, 20 + GRACE))
    assert [C, B] == digests(pruned(pointer, 2, 10**6))


def test_publishing_prunes_old_releases() -> None:
    assert [D, C] == digests(after((A, 0), (B, 10_000), (C, 20_000), (D, 30_000)))


def test_rollback_holds_the_previous_release() -> None:
    pointer = after((A, 5), (B, 9))
    back = rolled_back(pointer, None, 30)
    expected = Pointer("talos/arm64", A, held=True, releases=(release(B, 9)._replace(left=30), release(A, 5)))
    assert expected == back


def test_rollback_to_any_kept_digest() -> None:
    """Also to a newer one and the current one."""
    pointer = after((A, 5), (B, 6), (C, 7))
    assert [(A, True), (C, True)] == [rolled_back(pointer, digest, 30)[1:3] for digest in (A, C)]
    forth = rolled_back(rolled_back(pointer, A, 30), B, 40)
    assert (B, [30, None, 40]) == (forth.current, [one.left for one in forth.releases])


def test_rollback_to_an_unknown_release_is_refused() -> None:
    pointer = after((A, 5), (B, 9))
    with pytest.raises(UnknownReleaseError, match=f"no release is older than {A}"):
        rolled_back(rolled_back(pointer, None, 30), None, 40)
    with pytest.raises(UnknownReleaseError, match=f"no release '{C}'; kept are {B}, {A}"):
        rolled_back(pointer, C, 30)


def test_held_release_survives_pruning() -> None:
    held = rolled_back(after((A, 5), (B, 6), (C, 7)), A, 8)
    assert [C, A] == digests(pruned(held, 1, 10**6))


class _Known(NamedTuple):
    published: int
    left: int | None


class _Model:
    """What is kept by the rule as the documentation states it, over all that ever happened."""

    def __init__(self) -> None:
        self.now = 1_000_000
        self.keep = 1
        self.current: str | None = None
        self.known: dict[str, _Known] = {}

    def serve(self, digest: str) -> None:
        if self.current is not None:
            self.known[self.current] = self.known[self.current]._replace(left=self.now)
        self.known[digest] = self.known.get(digest, _Known(self.now, None))._replace(left=None)
        self.current = digest

    def forget(self) -> None:
        newest = sorted(self.known, key=lambda digest: -self.known[digest].published)[: self.keep]
        recent = [name for name, one in self.known.items() if one.left is not None and self.now - one.left < 3600]
        self.known = {name: self.known[name] for name in {*newest, *recent, self.current} if name is not None}


ACTIONS = st.tuples(
    st.sampled_from(["publish", "roll back", "follow", "prune"]),
    st.sampled_from([A, B, C, D, f"sha256:{'e' * 64}", f"sha256:{'f' * 64}"]),
    st.sampled_from([1, 60, 3_599, 3_600, 100_000]),
)


@given(st.integers(1, 4), st.lists(ACTIONS, max_size=30))
def test_pruning_keeps_the_newest_the_current_and_recent_ones(keep: int, actions: list[tuple[str, str, int]]) -> None:
    """Each digest once, the newest first."""
    model, pointer = _Model(), None
    model.keep = keep
    source = SOURCE._replace(keep=keep)
    for action, digest, pause in actions:
        model.now += pause
        if action == "publish":
            known = None if pointer is None else pointer.release(digest)
            pointer = published(pointer, source, known or release(digest, model.now), model.now)
            model.serve(digest)
            model.forget()
        elif pointer is None:
            continue
        elif action == "roll back":
            if pointer.release(digest) is None:
                with pytest.raises(UnknownReleaseError):
                    rolled_back(pointer, digest, model.now)
                continue
            pointer = rolled_back(pointer, digest, model.now)
            model.serve(digest)
        elif action == "follow":
            pointer = pointer._replace(held=False)
        else:
            pointer = pruned(pointer, keep, model.now)
            model.forget()
        newest_first = sorted(model.known, key=lambda name: -model.known[name].published)
        assert (model.current, newest_first) == (pointer.current, digests(pointer))
        assert [*model.known.values()] == [_Known(*pointer.release(name)[2:]) for name in model.known]
        assert pointer == pointer_in(pointer_text(pointer))


RELEASES = st.builds(Release, st.text(), st.text(), st.integers(), st.none() | st.integers())


@given(st.text(), st.booleans(), st.lists(RELEASES, min_size=1, unique_by=lambda one: one.digest), st.data())
def test_pointer_survives_a_round_trip(assets: str, held: bool, releases: list[Release], data: st.DataObject) -> None:
    pointer = Pointer(assets, data.draw(st.sampled_from(releases)).digest, held, tuple(releases))
    text = pointer_text(pointer)
    assert [pointer] * 2 == [pointer_in(text), pointer_in(text.encode())]
    assert text == pointer_text(pointer._replace(releases=tuple(map(Release._make, releases))))


SOUND = '{"assets":"a","current":"d","held":false,"releases":[{"digest":"d","place":"p","published":1,"left":null}]}'


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        "5",
        "{}",
        SOUND.replace('"assets":"a",', ""),
        SOUND.replace('"held"', '"more":1,"held"'),
        SOUND.replace('"place":"p",', ""),
        SOUND.replace('"a"', "1"),
        SOUND.replace("false", '"no"'),
        SOUND.replace('"current":"d"', '"current":"e"'),
        SOUND.replace('"p"', "null"),
        SOUND.replace('"published":1', '"published":"1"'),
        SOUND.replace("null", '"1"'),
        SOUND.replace('{"digest":"d","place":"p","published":1,"left":null}', ""),
        SOUND.replace('"releases":[', '"releases":[5,'),
        b"\xff",
    ],
)
def test_invalid_text_is_no_pointer(text: str | bytes) -> None:
    assert pointer_in(SOUND) is not None
    assert pointer_in(text) is None


POINTERS = {
    "arm": Pointer("talos/arm64", A, held=False, releases=(release(A, 1),)),
    "boot": Pointer("boot", B, held=False, releases=(release(B, 1),)),
}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("talos/arm64/vmlinuz", ("arm", "vmlinuz")),
        ("talos/arm64/a/b", ("arm", "a/b")),
        ("talos/arm64", ("arm", "")),
        ("boot/talos/arm64", ("boot", "talos/arm64")),
        ("talos/arm", None),
        ("talos/arm64x/vmlinuz", None),
        ("talos", None),
        ("Talos/arm64/vmlinuz", None),
        ("x/talos/arm64/vmlinuz", None),
        ("", None),
    ],
)
def test_source_fills_its_part_of_the_assets(path: str, expected: tuple[str, str] | None) -> None:
    found = covering(POINTERS, path)
    assert expected == (None if found is None else (found.source_id, found.rest))
    assert found is None or POINTERS[found.source_id] == found.pointer


def test_directory_depends_on_digest_and_files() -> None:
    amd64 = SOURCE._replace(platform=Platform("linux", "amd64"))
    chosen = SOURCE._replace(files={"vmlinuz": ("boot/vmlinuz",)})
    stems = [directory_prefix(digest, source) for digest in (A, B) for source in (SOURCE, amd64, chosen)]
    assert 6 == len(set(stems))
    assert all(re.fullmatch("(a{64}|b{64})-[0-9a-f]{8}-", stem) for stem in stems)
    assert stems[0] == directory_prefix(A, Source("x", IMAGE, "x", interval=5, keep=9))
    two = chosen._replace(files={"vmlinuz": ("a", "b")})
    assert directory_prefix(A, two) != directory_prefix(A, chosen._replace(files={"vmlinuz": ("b", "a")}))
