"""Releases in the addresses of boot scripts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_matchbox.assets.release_addresses import elsewhere, pinned, release_in
from lambda_matchbox.catalog.profiles import NetBoot
from lambda_matchbox.releases.pointers import Pointer, Release

A, B = f"sha256:{'a' * 64}", f"sha256:{'b' * 64}"
POINTERS = {
    "arm": Pointer("talos/arm64", A, held=False, releases=(Release(A, "place", 1),)),
    "boot": Pointer("boot dir", B, held=True, releases=(Release(B, "place", 1),)),
}
PIN = f"release={A}"


def pinned_text(text: str) -> str:
    """The text pinned as a kernel, and equally as an initrd."""
    found = pinned(NetBoot(text, (text, "other")), POINTERS)
    assert (found.kernel, "other") == found.initrd
    return found.kernel


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/assets/talos/arm64/vmlinuz", f"/assets/talos/arm64/vmlinuz?{PIN}"),
        ("assets/talos/arm64/vmlinuz", f"assets/talos/arm64/vmlinuz?{PIN}"),
        ("${cwduri}/assets/talos/arm64/x", "${cwduri}/assets/talos/arm64/x"),
        ("${cwduri}assets/talos/arm64/x", f"${{cwduri}}assets/talos/arm64/x?{PIN}"),
        ("--name main /assets/talos/arm64/x", f"--name main /assets/talos/arm64/x?{PIN}"),
        ("--name main  ${cwduri}assets/talos/arm64/x y", f"--name main  ${{cwduri}}assets/talos/arm64/x?{PIN} y"),
        ("/assets/talos/arm64/a /assets/talos/arm64/b", f"/assets/talos/arm64/a?{PIN} /assets/talos/arm64/b?{PIN}"),
        ("/assets/talos/arm64/x?a=b", f"/assets/talos/arm64/x?a=b&{PIN}"),
        ("/assets/talos/arm64/x?", f"/assets/talos/arm64/x?{PIN}"),
        ("/assets/talos/arm64/x?mac=${mac:hexhyp}", f"/assets/talos/arm64/x?mac=${{mac:hexhyp}}&{PIN}"),
        ("/assets/%74alos%2Farm64/x", f"/assets/%74alos%2Farm64/x?{PIN}"),
        ("/assets/boot%20dir/x", f"/assets/boot%20dir/x?release={B}"),
        ("/assets/talos//./arm64/x", f"/assets/talos//./arm64/x?{PIN}"),
        ("/assets/boot/../talos/arm64/x", f"/assets/boot/../talos/arm64/x?{PIN}"),
        ("/assets/talos/arm64/a%zz", f"/assets/talos/arm64/a%zz?{PIN}"),
        ("/assets/talos/arm64", f"/assets/talos/arm64?{PIN}"),
        ("/assets/talos/arm64/", f"/assets/talos/arm64/?{PIN}"),
    ],
)
def test_address_of_a_source_is_pinned(text: str, expected: str) -> None:
    """Rooted or relative, behind options, in any spelling of its path."""
    assert expected == pinned_text(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "vmlinuz",
        "/assets/",
        "/assets/vmlinuz",
        "/assets/talos/arm",
        "/assets/talos/arm64x/vmlinuz",
        "/assets/talos/arm640",
        "/assets/Talos/arm64/vmlinuz",
        "/assets/talos/arm64/../amd64/vmlinuz",
        "/assets/boot dir/vmlinuz",
        "/assetsx/talos/arm64/vmlinuz",
        "/my/assets/talos/arm64/vmlinuz",
        "x/assets/talos/arm64/vmlinuz",
        "http://other.test/assets/talos/arm64/vmlinuz",
        "https://other.test:8080/assets/talos/arm64/vmlinuz",
        "tftp://other.test/assets/talos/arm64/vmlinuz",
        "(http,other.test:8080)/assets/talos/arm64/vmlinuz",
        "//other.test/assets/talos/arm64/vmlinuz",
        "${url}/assets/talos/arm64/vmlinuz",
        "url=/assets/talos/arm64/vmlinuz",
        f"/assets/talos/arm64/vmlinuz?release={B}",
        f"/assets/talos/arm64/vmlinuz?a=b&release={B}&c=d",
        "/assets/talos/arm64/vmlinuz?release=",
        "/assets/talos/arm64/vmlinuz?%72elease=x",
        "/assets/talos/arm64/vmlinuz#part",
    ],
)
def test_other_addresses_are_unchanged(text: str) -> None:
    """On another host, of another path, or with a release already."""
    assert text == pinned_text(text)


def test_kernel_arguments_are_unchanged() -> None:
    args = ("/assets/talos/arm64/x", "talos.config=/assets/talos/arm64/x")
    assert args == pinned(NetBoot("/assets/talos/arm64/vmlinuz", (), args), POINTERS).args


def test_nothing_is_pinned_without_a_release() -> None:
    boot = NetBoot("/assets/talos/arm64/vmlinuz", ("/assets/talos/arm64/x",), ("a",))
    assert boot == pinned(boot, {})


PIECES = st.lists(
    st.sampled_from(["/assets/", "assets/", "${cwduri}", "talos/arm64", "/", "x", " ", "?", "a=b", "&", "#", "%41"])
    | st.text(max_size=3),
    max_size=8,
).map("".join)


@given(PIECES)
def test_only_the_release_is_added(text: str) -> None:
    """Once, at the end of addresses."""
    found = pinned_text(text)
    assert text.replace("?", "") == found.replace(f"&{PIN}", "").replace(PIN, "").replace("?", "")
    assert found == pinned_text(found)


@given(st.text().filter(lambda name: not set(name) & set("?#%/.\t\n\v\f\r ")))
def test_release_follows_the_whole_name(name: str) -> None:
    assert f"/assets/talos/arm64/{name}?{PIN} b" == pinned_text(f"/assets/talos/arm64/{name} b")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", None),
        ("a=b", None),
        ("releases=x", None),
        (PIN, A),
        (f"a=b&{PIN}", A),
        ("release=sha256%3Aabc", "sha256:abc"),
        ("release=a&release=b", "a"),
        ("release=", ""),
        ("release", ""),
        ("release=a;b", None),
    ],
)
def test_release_in_a_query(query: str, expected: str | None) -> None:
    """Decoded as by Go, the first of several."""
    assert expected == release_in(query)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/assets/a/b", "http://x/assets/a/b"),
        (f"${{cwduri}}assets/a?{PIN}", f"http://x/assets/a?{PIN}"),
        ("--name main /assets/a%20b  imgargs", "--name main http://x/assets/a%20b  imgargs"),
        *((text, text) for text in ("/assets/${buildarch}/b", "/assets/a/", "http://y/assets/a", "/elsewhere", "")),
    ],
)
def test_files_have_another_address_elsewhere(text: str, expected: str) -> None:
    boot = NetBoot(text, (text,), ("root=/assets/a",))
    assert NetBoot(expected, (expected,), boot.args) == elsewhere(boot, lambda address: f"http://x{address}")
    assert boot == elsewhere(boot, lambda _: None)
