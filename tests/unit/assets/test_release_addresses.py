"""Scripts name the release of their moment in the addresses that a source's releases fill, and nowhere else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_matchbox.assets.release_addresses import pinned, release_in
from lambda_matchbox.catalog.profiles import NetBoot
from lambda_matchbox.releases.pointers import Pointer, Release

A, B = f"sha256:{'a' * 64}", f"sha256:{'b' * 64}"
POINTERS = {
    "arm": Pointer("talos/arm64", A, held=False, releases=(Release(A, "place", 1),)),
    "boot": Pointer("boot dir", B, held=True, releases=(Release(B, "place", 1),)),
}
PIN = f"release={A}"


def pinned_text(text: str) -> str:
    """The text as a kernel; as an initrd it has to come out the same."""
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
def test_pinned(text: str, expected: str) -> None:
    """An address below a source's part is pinned, rooted or relative, behind options, in any spelling of its path."""
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
def test_untouched(text: str) -> None:
    """What lies elsewhere or on another host, only looks like a source's part, or names a release, stays as it is."""
    assert text == pinned_text(text)


def test_args() -> None:
    """Kernel arguments stay as they are, addresses in them, too."""
    args = ("/assets/talos/arm64/x", "talos.config=/assets/talos/arm64/x")
    assert args == pinned(NetBoot("/assets/talos/arm64/vmlinuz", (), args), POINTERS).args


def test_no_pointers() -> None:
    """Where nothing was published nothing is pinned."""
    boot = NetBoot("/assets/talos/arm64/vmlinuz", ("/assets/talos/arm64/x",), ("a",))
    assert boot == pinned(boot, {})


PIECES = st.lists(
    st.sampled_from(["/assets/", "assets/", "${cwduri}", "talos/arm64", "/", "x", " ", "?", "a=b", "&", "#", "%41"])
    | st.text(max_size=3),
    max_size=8,
).map("".join)


@given(PIECES)
def test_otherwise_unchanged(text: str) -> None:
    """Whatever a profile says, the release is all that is added, at the ends of addresses, and is added once."""
    found = pinned_text(text)
    assert text.replace("?", "") == found.replace(f"&{PIN}", "").replace(PIN, "").replace("?", "")
    assert found == pinned_text(found)


@given(st.text().filter(lambda name: not set(name) & set("?#%/.\t\n\v\f\r ")))
def test_any_name(name: str) -> None:
    """The release stands behind the whole name, whatever characters are in it."""
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
def test_release_in(query: str, expected: str | None) -> None:
    """A query names a release as Go's would: decoded, the first of several."""
    assert expected == release_in(query)
