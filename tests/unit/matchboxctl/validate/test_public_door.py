"""Findings on profiles and groups behind CloudFront."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.unit.matchboxctl.validate.written_data import booting, found

TALOS = "version: v1alpha1\nmachine:\n  type: worker\n"
NAMED = f"{TALOS}  network:\n    hostname: {{{{.name}}}}\n"


def findings(root: Path, files: Mapping[str, object], *, behind_cloudfront: bool = True) -> list[tuple[str, ...]]:
    made = found(root, files, behind_cloudfront=behind_cloudfront)
    return [(str(one.severity), one.rule, one.file, one.message) for one in made]


def data(address: str, template: str = TALOS, **group: object) -> Mapping[str, object]:
    """A profile whose machines request their configuration there, and its group."""
    return {
        **booting([f"talos.config={address}"], generic_id="t"),
        "generic/t": template,
        "groups/g.json": {"id": "g", "profile": "p", "selector": {"mac": "52:54:00:00:00:01"}, **group},
    }


@pytest.mark.parametrize("start", ["${cwduri}", "http://d1.cloudfront.net/", "HTTP://d1.cloudfront.net/"])
def test_plain_address_of_a_configuration_is_refused(tmp_path: Path, start: str) -> None:
    files = data(f"{start}generic?mac=${{mac:hexhyp}}")
    message = "talos.config requests /generic over http, which CloudFront refuses"
    assert [("fault", "https", "profiles/p.json", message)] == findings(tmp_path, files)
    assert [] == findings(tmp_path, files, behind_cloudfront=False)


def test_https_address_of_a_configuration_is_good(tmp_path: Path) -> None:
    assert [] == findings(tmp_path, data("https://d1.cloudfront.net/generic?mac=${mac:hexhyp}"))
    token = data("${base}generic?mac=${mac:hexhyp}&token=${token}", boot={"token": True})
    assert [] == findings(tmp_path / "token", token)


def test_metadata_without_a_token_is_the_internets(tmp_path: Path) -> None:
    address, metadata = "https://d1.cloudfront.net/generic?mac=${mac:hexhyp}", {"name": "node-1"}
    message = "whoever on the internet names its labels gets its metadata, which generic t uses"
    assert [("note", "public", "groups/g.json", message)] == findings(tmp_path, data(address, NAMED, metadata=metadata))
    assert [] == findings(tmp_path / "unused", data(address, TALOS, metadata=metadata))
    assert [] == findings(tmp_path / "balancer", data(address, NAMED, metadata=metadata), behind_cloudfront=False)


def test_metadata_for_a_token_is_not(tmp_path: Path) -> None:
    address = "${base}generic?mac=${mac:hexhyp}&token=${token}"
    files = data(address, NAMED, metadata={"name": "node-1"}, boot={"token": True})
    assert [] == findings(tmp_path, files)


def test_metadata_of_a_profile_is_its_groups_too(tmp_path: Path) -> None:
    address = "https://d1.cloudfront.net/generic?mac=${mac:hexhyp}"
    profile = {**booting([f"talos.config={address}"], generic_id="t", metadata={"name": "node"})}
    message = "whoever on the internet names its labels gets its metadata, which generic t uses"
    assert [("note", "public", "groups/g.json", message)] == findings(tmp_path, {**data(address, NAMED), **profile})
