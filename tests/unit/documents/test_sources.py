"""Image sources are read from their documents and validated."""

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_matchbox.documents.sources import parse_source, parse_stand_in, source_document
from lambda_matchbox.errors import DocumentError
from lambda_matchbox.oci.image_reference import ImageReference, Platform
from lambda_matchbox.oci.signatures.signers import KeylessSigner, KeySigner
from lambda_matchbox.releases.sources import Source

IMAGE = ImageReference("ghcr.io", "team/boot", "v1", "")
NEEDED = {"id": "talos", "image": "ghcr.io/team/boot:v1", "assets": "talos/arm64"}
SCHEMATIC = "376567988ad370138ad8b2698212367b8edcb69b5fd68c80be1f2ec7d603b4ba"
DIGEST = f"sha256:{'0123456789abcdef' * 4}"

KEY = """-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEaZoEMyhUxI7z/uEjFM8f/BrnjTnH
zdWZXsv5CjNfz9wRyLWuJLBzOtzN3ZPoWFGWhzfgiTsVJdDwDOfGdCfQfw==
-----END PUBLIC KEY-----
"""


def text(**fields: Any) -> bytes:
    """A source's document, one field to a line; a field that is None is left out, and `...` is null."""
    document = {key: value for key, value in {**NEEDED, **fields}.items() if value is not None}
    return json.dumps(document, indent=0, default=lambda _: None).encode()


def source(assets: str, source_id: str = "x") -> Source:
    return Source(source_id, IMAGE, assets)


def test_id_image_and_assets_suffice() -> None:
    expected = Source("talos", IMAGE, "talos/arm64", Platform("linux", "arm64"), {}, 3600, 3)
    assert [expected] * 2 == [parse_source("talos", text()), parse_stand_in(text())]


def test_all_fields_are_read() -> None:
    document = text(
        image=f"127.0.0.1:5000/boot:v2@{DIGEST}",
        platform="linux/arm/v7",
        files={"boot/vmlinuz": ["/boot/vmlinuz", "./b", "c", "//d", ".e"], "x": ["y"]},
        interval="10m",
        keep=100,
    )
    expected = Source(
        "talos",
        ImageReference("127.0.0.1:5000", "boot", "v2", DIGEST),
        "talos/arm64",
        Platform("linux", "arm", "v7"),
        {"boot/vmlinuz": ("boot/vmlinuz", "b", "c", "d", ".e"), "x": ("y",)},
        600,
        100,
    )
    assert expected == parse_source("talos", document)


@pytest.mark.parametrize("version", ["v1.13.0", "v1.9.12", "v1.14.0-alpha.1", "v1.14.0-rc.0"])
def test_schematic_and_version_name_the_installer_of_the_factory(version: str) -> None:
    read = parse_source("talos", text(image=None, schematic=SCHEMATIC, version=version))
    assert f"factory.talos.dev/metal-installer/{SCHEMATIC}:{version}" == str(read.image)
    assert read == parse_stand_in(json.dumps(source_document(read)).encode())


@pytest.mark.parametrize(
    ("interval", "seconds"), [("30s", 30), ("10m", 600), ("1h", 3600), ("1s", 1), ("9999999s", 9_999_999)]
)
def test_an_interval_is_in_seconds_minutes_or_hours(interval: str, seconds: int) -> None:
    assert seconds == parse_source("talos", text(interval=interval)).interval


REFUSED = {
    "no id": ({"id": None}, 1, "id"),
    "no image": ({"image": None}, 1, "image"),
    "no assets": ({"assets": None}, 1, "assets: missing"),
    "another's name": ({"id": "other"}, 2, "id: 'other' is not the file's name, 'talos'"),
    "image of another case": ({"image": "ghcr.io/Team/boot"}, 3, "image: invalid image 'ghcr.io/Team/boot'"),
    "image's tag": ({"image": "ghcr.io/boot:-"}, 3, "image: 'ghcr.io/boot:-': invalid tag '-'"),
    "image's digest": ({"image": "ghcr.io/boot@sha256:1"}, 3, "image: invalid digest 'sha256:1'"),
    "image is a number": ({"image": 5}, 3, "image: not a string"),
    "image is null": ({"image": ...}, 3, "image"),
    "image and schematic": (
        {"schematic": SCHEMATIC, "version": "v1.13.0"},
        3,
        "image: give either `image`, or `schematic` and `version`",
    ),
    "image and version": ({"version": "v1.13.0"}, 3, "image: give either"),
    "schematic without version": ({"image": None, "schematic": SCHEMATIC}, 1, "version: missing"),
    "version without schematic": ({"image": None, "version": "v1.13.0"}, 1, "schematic: missing"),
    "schematic of another length": (
        {"image": None, "schematic": SCHEMATIC[1:], "version": "v1.13.0"},
        4,
        f"schematic: '{SCHEMATIC[1:]}' is not the id of a schematic: 64 hexadecimal digits, in lower case",
    ),
    "schematic in upper case": ({"image": None, "schematic": SCHEMATIC.upper(), "version": "v1.13.0"}, 4, "schematic"),
    "schematic is a number": ({"image": None, "schematic": 5, "version": "v1.13.0"}, 4, "schematic: not a string"),
    "schematic elsewhere": ({"image": None, "schematic": f"{SCHEMATIC}/..", "version": "v1.13.0"}, 4, "schematic"),
    **{
        f"version {version}": ({"image": None, "schematic": SCHEMATIC, "version": version}, 5, "version: ")
        for version in ("1.13.0", "v1.13", "latest", "v1.13.0@sha256:0", "v1.13.0\n", "v1.13.0/x", "v1.13.٣")
    },
    "rooted assets": ({"assets": "/talos"}, 4, "assets: '/talos' is not a path below /assets/"),
    "slash at the end": ({"assets": "talos/"}, 4, "assets"),
    "all of assets": ({"assets": ""}, 4, "assets"),
    "assets outside": ({"assets": "talos/../.."}, 4, "assets"),
    "a dot": ({"assets": "talos/./arm64"}, 4, "assets"),
    "two slashes": ({"assets": "talos//arm64"}, 4, "assets"),
    "control character": ({"assets": "talos\n"}, 4, "assets"),
    "long assets": ({"assets": "a" * 501}, 4, "assets"),
    "platform": ({"platform": "arm64"}, 5, "platform: invalid platform 'arm64'"),
    "platform of four": ({"platform": "linux/arm/v7/x"}, 5, "platform"),
    "platform is null": ({"platform": ...}, 5, "platform: not a string"),
    "keep none": ({"keep": 0}, 5, "keep: 0 is not a number of releases from 1 to 100"),
    "keep too many": ({"keep": 101}, 5, "keep: 101"),
    "keep is text": ({"keep": "3"}, 5, "keep: not an integer"),
    "keep is true": ({"keep": True}, 5, "keep: not an integer"),
    "files is a list": ({"files": ["vmlinuz"]}, 5, "files: not an object"),
    "files are null": ({"files": ...}, 5, "files: not an object"),
    "one path": ({"files": {"vmlinuz": "boot/vmlinuz"}}, 6, "files.vmlinuz: not a list"),
    "no path": ({"files": {"vmlinuz": []}}, 5, "files: 'vmlinuz' needs paths in the image"),
    "path is a number": ({"files": {"vmlinuz": [5]}}, 7, "files.vmlinuz.0: not a string"),
    "path outside": ({"files": {"vmlinuz": ["a", "../etc/passwd"]}}, 5, "files: 'vmlinuz' needs paths"),
    "path of dots": ({"files": {"vmlinuz": ["a/../b"]}}, 5, "files"),
    "path is the root": ({"files": {"vmlinuz": ["/"]}}, 5, "files"),
    "path is a directory": ({"files": {"vmlinuz": ["boot/"]}}, 5, "files"),
    "long path": ({"files": {"vmlinuz": ["a" * 501]}}, 5, "files"),
    "the record": ({"files": {"release.json": ["a"]}}, 5, "files: invalid file name 'release.json'"),
    "a checksum": ({"files": {"a/b.sha256": ["a"]}}, 5, "files: invalid file name 'a/b.sha256'"),
    "below the record": ({"files": {"release.json/a": ["a"]}}, 5, "files: invalid file name 'release.json/a'"),
    "below a checksum": ({"files": {"a.sha256/b": ["a"]}}, 5, "files: invalid file name 'a.sha256/b'"),
    "rooted name": ({"files": {"/vmlinuz": ["a"]}}, 5, "files"),
    "name outside": ({"files": {"../vmlinuz": ["a"]}}, 5, "files"),
    "no name": ({"files": {"": ["a"]}}, 5, "files"),
    "below a file": ({"files": {"a/b": ["x"], "a-": ["x"], "a": ["x"]}}, 5, "files: 'a' is a file, and 'a/b' lies"),
    "unknown key": ({"comment": "x"}, 5, "comment: unknown field"),
    "misspelt key": ({"intervall": "x"}, 5, "intervall: unknown field: did you mean 'interval'?"),
    "key of another case": ({"Keep": 3}, 5, "Keep"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_errors_name_line_and_field(name: str) -> None:
    fields, line, what = REFUSED[name]
    with pytest.raises(DocumentError, match=re.escape(f"line {line}: {what}")):
        parse_source("talos", text(**fields))


@pytest.mark.parametrize(
    "interval", ["", "1", "0s", "01h", "-1h", "1d", "1.5h", "1 h", "h", "1h30m", "1H", "10000000s", "1h\n", "٣h"]
)
def test_an_invalid_interval_is_an_error(interval: str) -> None:
    with pytest.raises(DocumentError, match=r"line 5: interval: .* is not an interval, such as 30s, 10m or 1h"):
        parse_source("talos", text(interval=interval))


@pytest.mark.parametrize("source_id", ["", ".", "..", "a/b", "a b", "-a", ".a", "ü", "a\n", "a" * 129, "a.json"])
def test_an_invalid_id_is_an_error(source_id: str) -> None:
    for parse in (parse_stand_in, lambda document: parse_source(source_id, document)):
        with pytest.raises(DocumentError, match="line 2: id: "):
            parse(text(id=source_id))


def test_signers_are_read() -> None:
    identity = {"identity": "release@example.com", "issuer": "https://accounts.example.com"}
    keyless = KeylessSigner(*identity.values())
    expected = {
        KeySigner(KEY): {"key": KEY},
        keyless: identity,
        keyless._replace(trusted_root="/etc/root.json"): {**identity, "trusted_root": "/etc/root.json"},
        keyless._replace(trusted_root='{"tlogs": []}'): {**identity, "trusted_root": {"tlogs": []}},
    }
    assert list(expected) == [parse_source("talos", text(verify=verify)).signer for verify in expected.values()]


@pytest.mark.parametrize(
    ("verify", "message"),
    [
        ({}, "verify: give either `key`, or `identity` and `issuer`"),
        ({"identity": "a"}, "verify: give either `key`, or `identity` and `issuer`"),
        ({"identity": "", "issuer": "b"}, "verify: give either `key`, or `identity` and `issuer`"),
        ({"key": KEY, "issuer": "b"}, "verify: give either `key`, or `identity` and `issuer`"),
        ({"key": KEY, "trusted_root": "/r"}, "verify: give either `key`, or `identity` and `issuer`"),
        ({"identity": "a", "issuer": "b", "trusted_root": "r"}, "verify.trusted_root: 'r' is not an absolute path, "),
        ({"identity": "a", "issuer": "b", "trusted_root": ""}, "verify.trusted_root: '' is not an absolute path, "),
        ({"key": "cosign.pub"}, "verify.key: not a public key; give the content of cosign.pub"),
        ({"key": KEY.replace("M", "-")}, "verify.key: not a public key; "),
        ({"key": KEY.replace("PUBLIC", "PRIVATE")}, "verify.key: not a public key; "),
        ({"kye": KEY}, "verify.kye: unknown field"),
        (7, "verify: not an object"),
        ({"identity": "a", "issuer": "b", "trusted_root": 7}, "verify.trusted_root: neither a string nor an object"),
    ],
)
def test_invalid_signers_are_named_and_keys_never_shown(verify: object, message: str) -> None:
    with pytest.raises(DocumentError, match=re.escape(message)) as caught:
        parse_source("talos", text(verify=verify))
    assert "MFkw" not in str(caught.value)


@pytest.mark.parametrize("document", [b"", b"[]", b"null", b"{", b'{"id": "a"} x', b"[" * 100_000])
def test_text_that_is_not_an_object_is_an_error(document: bytes) -> None:
    with pytest.raises(DocumentError, match=r"line \d+: "):
        parse_source("talos", document)


NAMES = st.from_regex(r"[a-z][a-z0-9.-]{0,5}", fullmatch=True).filter(
    lambda name: not name.endswith(".sha256") and name != "release.json"
)
PATHS = st.lists(NAMES, min_size=1, max_size=3).map("/".join)
TRUSTED_ROOTS = st.sampled_from(["", "/etc/trusted_root.json", '{"tlogs": [{"baseUrl": "https://x"}]}'])
SIGNERS = (
    st.none()
    | st.sampled_from([KeySigner(KEY), KeySigner(KEY.replace("\n", "\r\n"))])
    | st.builds(KeylessSigner, st.text(min_size=1, max_size=9), st.text(min_size=1, max_size=9), TRUSTED_ROOTS)
)
SOURCES = st.builds(
    Source,
    st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_-]{0,9}", fullmatch=True),
    st.builds(ImageReference, st.sampled_from(["ghcr.io", "localhost:5000"]), st.just("a/b"), NAMES, st.just(DIGEST)),
    PATHS,
    st.builds(Platform, st.just("linux"), st.sampled_from(["arm64", "amd64"]), st.sampled_from(["", "v8"])),
    st.dictionaries(NAMES, st.lists(PATHS, min_size=1, max_size=3).map(tuple), max_size=3),
    st.integers(1, 9_999_999),
    st.integers(1, 100),
    SIGNERS,
)


@given(SOURCES)
def test_a_source_is_read_back_from_its_document(given_source: Source) -> None:
    document = source_document(given_source)
    assert given_source == parse_source(given_source.id, json.dumps(document).encode())
    usual = Source(given_source.id, given_source.image, given_source.assets)
    assert {"id", "image", "assets"} == source_document(usual).keys()
