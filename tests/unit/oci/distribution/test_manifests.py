"""Manifests and indexes are parsed or refused with the reason."""

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_matchbox.oci.descriptors import Descriptor, Manifest
from lambda_matchbox.oci.distribution.manifests import parse_document, parse_index, parse_manifest
from lambda_matchbox.oci.distribution.platform_choice import PlatformChoice
from lambda_matchbox.oci.errors import RegistryError
from lambda_matchbox.oci.image_reference import Platform
from tests.support.images import manifests

DIGEST = manifests.digest_of(b"")
PART: dict[str, Any] = {"mediaType": "a/b", "digest": DIGEST, "size": 0}
GOOD: dict[str, Any] = {"schemaVersion": 2, "config": PART, "layers": []}

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.sampled_from([DIGEST, manifests.OCI_INDEX]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*PART, "platform", "os"]), inner),
    max_leaves=8,
)
NAMES = st.sampled_from(["mediaType", "manifests", "layers", "config", "annotations", "schemaVersion"])


def parse(body: bytes, content_type: str = "") -> Manifest:
    return parse_manifest(parse_document(body, content_type, "it"), "it")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"not json", "invalid JSON"),
        (b"\xff", "invalid JSON"),
        (b"[" * 100_000, "invalid JSON"),
        (b"9" * 10_000, "invalid JSON"),
        (b"[]", "not a JSON object"),
        (b"{}", "neither an image nor an index"),
        (b'{"schemaVersion": 1, "fsLayers": []}', "schema 1"),
        (json.dumps({**GOOD, "manifests": []}).encode(), "neither an image nor an index"),
        (json.dumps({**GOOD, "mediaType": manifests.OCI_INDEX}).encode(), "neither an image nor an index"),
    ],
)
def test_invalid_or_ambiguous_document_is_refused(body: bytes, message: str) -> None:
    with pytest.raises(RegistryError, match=f"^it: .*{message}"):
        parse_document(body, "", "it")


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"layers": 7}, "`layers` is not a list"),
        ({"config": None}, "config: not a descriptor"),
        ({"layers": [PART, {}]}, "layer 2: media type or digest is missing"),
        ({"layers": [{**PART, "size": -1}]}, "layer 1: invalid size -1"),
        ({"layers": [{**PART, "size": True}]}, "layer 1: invalid size True"),
        ({"layers": [{**PART, "size": "7"}]}, "layer 1: invalid size '7'"),
        ({"layers": [{**PART, "digest": "md5:1"}]}, "layer 1: invalid digest 'md5:1'"),
        ({"layers": [{**PART, "annotations": []}]}, "layer 1: `annotations` is not a map of strings"),
        ({"annotations": {"a": 1}}, "`annotations` is not a map of strings"),
    ],
)
def test_error_names_the_malformed_part(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(RegistryError, match=f"^it: {message}"):
        parse(json.dumps({**GOOD, **wrong}).encode())


@pytest.mark.parametrize("entries", [{}, [7], "x"])
def test_malformed_index_is_refused(entries: Any) -> None:
    with pytest.raises(RegistryError, match="not a list of objects"):
        parse_index(parse_document(json.dumps({"manifests": entries}).encode(), "", "it"), "it")


@pytest.mark.parametrize("content_type", ["", "text/plain", f"{manifests.DOCKER_MANIFEST.upper()}; charset=utf-8"])
@pytest.mark.parametrize("named", [{}, {"mediaType": manifests.OCI_MANIFEST}, {"mediaType": ["x"]}, {"mediaType": "x"}])
def test_media_type_is_from_document_then_header_then_content(content_type: str, named: dict[str, Any]) -> None:
    body = json.dumps({**GOOD, **named}).encode()
    is_from_header = content_type.startswith("APP") and not isinstance(named.get("mediaType"), str)
    expected = manifests.DOCKER_MANIFEST if is_from_header else manifests.OCI_MANIFEST
    assert expected == parse_document(body, content_type, "it").media_type
    assert Manifest(Descriptor("a/b", DIGEST, 0), ()) == parse(body, content_type)


@given(st.dictionaries(NAMES, VALUES))
def test_any_document_is_parsed_or_refused(content: dict[str, Any]) -> None:
    with contextlib.suppress(RegistryError):
        document = parse_document(json.dumps(content).encode(), "", "it")
        if document.is_index:
            PlatformChoice(Platform("linux", "arm64")).add(parse_index(document, "it"))
        else:
            parse_manifest(document, "it")
