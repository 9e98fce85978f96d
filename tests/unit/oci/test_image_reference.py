"""Image references are parsed as by `docker pull`, platforms as OCI writes them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_matchbox.oci.image_reference import (
    ImageReference,
    InvalidReferenceError,
    Platform,
    parse_digest,
    parse_image_reference,
    parse_platform,
)

DIGEST = f"sha256:{'0123456789abcdef' * 4}"

HOSTS = st.from_regex(r"(?:[a-z0-9]{1,9}\.[a-z]{2,5}|localhost|127\.0\.0\.1|\[::1\])(?::[0-9]{1,5})?", fullmatch=True)
REPOSITORIES = st.from_regex(r"[a-z0-9]{1,9}(?:(?:\.|_|__|--?)[a-z0-9]{1,9})?(?:/[a-z0-9]{1,9}){0,3}", fullmatch=True)
TAGS = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,20}", fullmatch=True)
DIGESTS = st.from_regex(r"sha256:[0-9a-f]{64}", fullmatch=True)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ghcr.io/team/boot:v1", ImageReference("ghcr.io", "team/boot", "v1", "")),
        ("ghcr.io/team/boot", ImageReference("ghcr.io", "team/boot", "latest", "")),
        (f"ghcr.io/team/boot@{DIGEST}", ImageReference("ghcr.io", "team/boot", "", DIGEST)),
        (f"ghcr.io/team/boot:v1@{DIGEST}", ImageReference("ghcr.io", "team/boot", "v1", DIGEST)),
        ("ghcr.io/boot:v1", ImageReference("ghcr.io", "boot", "v1", "")),
        ("localhost/boot", ImageReference("localhost", "boot", "latest", "")),
        ("localhost:5000/boot:v1", ImageReference("localhost:5000", "boot", "v1", "")),
        ("127.0.0.1:5000/a/b/c", ImageReference("127.0.0.1:5000", "a/b/c", "latest", "")),
        ("[::1]:5000/boot", ImageReference("[::1]:5000", "boot", "latest", "")),
        ("[::1]/boot:v1", ImageReference("[::1]", "boot", "v1", "")),
        ("alpine", ImageReference("docker.io", "library/alpine", "latest", "")),
        ("alpine:3.20", ImageReference("docker.io", "library/alpine", "3.20", "")),
        ("team/boot:v1", ImageReference("docker.io", "team/boot", "v1", "")),
        ("localhost:5000", ImageReference("docker.io", "library/localhost", "5000", "")),
        ("ghcr.io/a__b/c-d.e--f:_x", ImageReference("ghcr.io", "a__b/c-d.e--f", "_x", "")),
    ],
)
def test_reference_is_split_into_its_parts(text: str, expected: ImageReference) -> None:
    """Defaults are docker.io, `library/` and `latest`, as for docker."""
    assert expected == parse_image_reference(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        ":",
        "@",
        "ghcr.io/",
        "/boot",
        "ghcr.io//boot",
        "ghcr.io/boot/",
        "ghcr.io/Boot",
        "ghcr.io/boot:",
        "ghcr.io/boot:.v1",
        f"ghcr.io/boot:{'v' * 129}",
        "ghcr.io/boot:v1:v2",
        "ghcr.io/boot@",
        "ghcr.io/boot@sha256:0123",
        f"ghcr.io/boot@{DIGEST.upper()}",
        f"ghcr.io/boot@{DIGEST}x",
        f"ghcr.io/boot@{DIGEST}\n",
        f"ghcr.io/boot@sha512:{'0' * 128}",
        f"ghcr.io/{'a' * 256}",
        "ghcr.io/a___b",
        "ghcr.io/a..b",
        "ghcr.io/../boot",
        "ghcr.io/boot:v1\n",
        "ghcr.io/bööt",
        "https://ghcr.io/boot",
        "user@ghcr.io/boot",
        "-ghcr.io/boot",
        "ghcr.io:port/boot",
        "ghcr.io:/boot",
        "ghcr.io boot",
        "[::1/boot",
        "[gh.cr]/boot",
    ],
)
def test_invalid_reference_is_refused_and_shown(text: str) -> None:
    with pytest.raises(InvalidReferenceError):
        parse_image_reference(text)


def test_error_shows_the_invalid_part() -> None:
    with pytest.raises(InvalidReferenceError, match=r"^'ghcr\.io/boot:\.v1': .*'\.v1'"):
        parse_image_reference("ghcr.io/boot:.v1")


@given(HOSTS, REPOSITORIES, st.one_of(st.just(""), TAGS), st.one_of(st.just(""), DIGESTS))
def test_reference_survives_a_round_trip(host: str, repository: str, tag: str, digest: str) -> None:
    reference = ImageReference(host, repository, tag or ("" if digest else "latest"), digest)
    assert reference == parse_image_reference(str(reference))


@given(st.text())
def test_any_text_is_a_reference_or_refused(text: str) -> None:
    try:
        reference = parse_image_reference(text)
    except InvalidReferenceError:
        return
    assert reference == parse_image_reference(str(reference))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("linux/arm64", Platform("linux", "arm64")),
        ("linux/arm/v7", Platform("linux", "arm", "v7")),
        ("linux/x86_64", Platform("linux", "x86_64")),
    ],
)
def test_platform_is_system_architecture_and_variant(text: str, expected: Platform) -> None:
    assert expected == parse_platform(text)
    assert text == str(expected)


@pytest.mark.parametrize(
    "text", ["", "linux", "linux/", "/arm64", "linux/arm64/", "Linux/arm64", "linux/arm64/v8/x", "linux/arm64\n"]
)
def test_invalid_platform_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(InvalidReferenceError, match="linux/arm64") as caught:
        parse_platform(text)
    assert repr(text) in str(caught.value)


@given(DIGESTS)
def test_digest_is_accepted(digest: str) -> None:
    assert digest == parse_digest(digest)


@given(st.text())
def test_invalid_digest_is_refused(text: str) -> None:
    with pytest.raises(InvalidReferenceError, match="sha256:"):
        parse_digest(text)
