"""Content types are those of Go's net/http."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_matchbox.golang.http import content_type
from tests.support.paths import CONFORMANCE

HTML = "text/html; charset=utf-8"
TEXT = "text/plain; charset=utf-8"
XML = "text/xml; charset=utf-8"
BINARY = "application/octet-stream"

SNIFFED = [
    (b"", TEXT),
    (b"#!ipxe\n", TEXT),
    (b"#cloud-config\n", TEXT),
    (b'{"ignition": {}}', TEXT),
    ("żółw".encode(), TEXT),
    (b"\xff\x80 no UTF-8", TEXT),
    (b"\x1b[1mescape sequences", TEXT),
    (b"form\x0cfeed", TEXT),
    (b"MZ\x00\x00", BINARY),
    (b"a\x00", BINARY),
    (b"a\x08", BINARY),
    (b"a\x0b", BINARY),
    (b"a\x0e", BINARY),
    (b"a\x1a", BINARY),
    (b"a\x1c", BINARY),
    (b"a\x1f", BINARY),
    (b"a\x7f", TEXT),
    (b"<!DOCTYPE HTML>", HTML),
    (b"<!doctype html ", HTML),
    (b"\t\n\x0c\r <html>", HTML),
    (b"<h1>hi</h1>", HTML),
    (b"<a ", HTML),
    (b"<a\n", TEXT),
    (b"<a", TEXT),
    (b"<!-->", HTML),
    (b"<!--x", TEXT),
    (b"<bo>", TEXT),
    (b"\x0b<html>", BINARY),
    (b'<?xml version="1.0"?>', XML),
    (b"\n <?xml", XML),
    (b"<?XML", TEXT),
    (b"%PDF-1", "application/pdf"),
    (b" %PDF-1", TEXT),
    (b"%!PS-Adobe-3", "application/postscript"),
    (b"\xfe\xff\x00a", "text/plain; charset=utf-16be"),
    (b"\xff\xfea\x00", "text/plain; charset=utf-16le"),
    (b"\xef\xbb\xbf\x00", TEXT),
    (b"\xef\xbb\xbf", TEXT),
    (b"\xff\xfe\x00", BINARY),
    (b"\x00\x00\x01\x00", "image/x-icon"),
    (b"\x00\x00\x02\x00", "image/x-icon"),
    (b"BM", "image/bmp"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"RIFF\x00\x00\x00\x00WEBPVP", "image/webp"),
    (b"RIFF\x00\x00\x00\x00WEBP", BINARY),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"FORM\x00\x00\x00\x00AIFF", "audio/aiff"),
    (b"ID3", "audio/mpeg"),
    (b"OggS\x00", "application/ogg"),
    (b"MThd\x00\x00\x00\x06", "audio/midi"),
    (b"RIFF\x00\x00\x00\x00AVI ", "video/avi"),
    (b"RIFF\x00\x00\x00\x00WAVE", "audio/wave"),
    (b"\x00\x00\x00\x10ftypmp42\x00\x00\x00\x00", "video/mp4"),
    (b"\x00\x00\x00\x14ftypisom\x00\x00\x00\x00mp41", "video/mp4"),
    (b"\x00\x00\x00\x10ftypisommp42", BINARY),
    (b"\x00\x00\x00\x11ftypmp42\x00\x00\x00\x00\x00", BINARY),
    (b"\x00\x00\x00\x14ftypmp42\x00\x00\x00\x00", BINARY),
    (b"\x00\x00\x00\x08ftypmp42", BINARY),
    (b"\x1a\x45\xdf\xa3", "video/webm"),
    (b"\x00" * 34 + b"LP", "application/vnd.ms-fontobject"),
    (b"\x00\x01\x00\x00", "font/ttf"),
    (b"OTTO", "font/otf"),
    (b"ttcf", "font/collection"),
    (b"wOFF", "font/woff"),
    (b"wOF2", "font/woff2"),
    (b"\x1f\x8b\x08", "application/x-gzip"),
    (b"PK\x03\x04", "application/zip"),
    (b"Rar!\x1a\x07\x00", "application/x-rar-compressed"),
    (b"Rar!\x1a\x07\x01\x00", "application/x-rar-compressed"),
    (b"\x00asm", "application/wasm"),
    (b"a" * 512 + b"\x00", TEXT),
    (b"a" * 511 + b"\x00", BINARY),
    (b" " * 506 + b"<html>", HTML),
    (b" " * 507 + b"<html>", TEXT),
]


@pytest.mark.parametrize(("head", "expected"), SNIFFED)
def test_content_is_sniffed(head: bytes, expected: str) -> None:
    assert expected == content_type.sniff(head)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("x.json", "application/json"),
        ("x.JSON", "application/json"),
        ("a/b.c/x.html", HTML),
        (".htm", HTML),
        ("x.tar.xml", XML),
        ("x.js", "text/javascript; charset=utf-8"),
        ("x.mjs", "text/javascript; charset=utf-8"),
        ("x.css", "text/css; charset=utf-8"),
        ("x.svg", "image/svg+xml"),
        ("x.wasm", "application/wasm"),
        ("x.avif", "image/avif"),
        ("x.txt", None),
        ("initrd.cpio.gz", None),
        ("x.json.", None),
        ("x.json/kernel", None),
        ("json", None),
        ("", None),
        ("/", None),
    ],
)
def test_the_last_extension_counts_in_any_case(name: str, expected: str | None) -> None:
    assert expected == content_type.by_extension(name)


def test_a_known_extension_wins_over_content() -> None:
    assert content_type.of_file("x.json", b"\x00") == "application/json"
    assert content_type.of_file("x.efi", b"MZ\x00\x00") == BINARY


def test_recorded_assets_have_the_same_content_type() -> None:
    served = 0
    for recorded in json.loads((CONFORMANCE / "assets" / "answers.json").read_text()):
        target, response = recorded["request"]["target"], recorded["answer"]
        if (
            response["status"] != 200
            or recorded["request"]["method"] == "HEAD"
            or "accept-ranges" not in response["headers"]
        ):
            continue
        name = "index.html" if target.endswith("/") else target
        assert response["headers"]["content-type"] == content_type.of_file(name, response["body"].encode()), target
        served += 1
    assert served > 10


def test_recorded_templates_have_the_same_content_type() -> None:
    served = 0
    for recorded in json.loads((CONFORMANCE / "rendering" / "answers.json").read_text()):
        response = recorded["answer"]
        if response["status"] != 200 or "accept-ranges" not in response["headers"]:
            continue
        body = base64.b64decode(response["body_base64"]) if "body_base64" in response else response["body"].encode()
        assert response["headers"]["content-type"] == content_type.sniff(body), recorded["request"]["target"]
        served += 1
    assert served > 10


@given(st.binary(max_size=600), st.binary())
def test_bytes_beyond_the_head_change_nothing(head: bytes, more: bytes) -> None:
    head = head.ljust(content_type.SNIFFED, b"a")[: content_type.SNIFFED]
    assert content_type.sniff(head) == content_type.sniff(head + more)


@given(st.text(st.characters()), st.binary(max_size=40))
def test_any_file_has_a_content_type(name: str, head: bytes) -> None:
    assert content_type.of_file(name, head) in (content_type.by_extension(name), content_type.sniff(head))
