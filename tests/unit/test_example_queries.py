"""The examples' responses to any query have the structure of those to a harmless one."""

import json
from contextlib import suppress
from functools import cache
from typing import Any, NamedTuple
from urllib.parse import quote

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from lambda_matchbox.answers import cloud, generic, grub, ignition, ipxe, metadata
from lambda_matchbox.answers.errors import RenderError
from lambda_matchbox.catalog.groups import Group
from lambda_matchbox.catalog.labels import Query, read_query
from lambda_matchbox.catalog.profiles import Profile
from lambda_matchbox.catalog.templates import Template
from lambda_matchbox.http import Response
from lambda_matchbox.secrets.function import placeholders
from lambda_matchbox.web.machine import select
from matchboxctl.directory.files import read_directory
from tests.conformance.butane_vectors import contents_of
from tests.support.memory_catalog import MemoryCatalog
from tests.support.paths import EXAMPLES

NAMES = ["cloud-init", "fedora-coreos", "flatcar", "talos", "install-once"]
HARMLESS = {"uuid": "0b1c", "mac": "52:54:00:aa:bb:cc", "arch": "arm64"}
GIVEN = {"flatcar": {"os": "installed"}, "install-once": {"arch": "x86_64"}}
PIECES = st.sampled_from(
    [
        *("\n", "\r", "\x85", "\u2028", "\n  files:\n", "'\nc: '", '"', "'", ": ", "- ", "#", " #", "\\", "\\n"),
        *("%", "{{", "}}", "{", "}", "[", "]", ",", "&a ", "*a", "!!binary ", "|", ">", "?", "@", "`", "~", "null"),
        *("0x1", "\t", "---", "...", "\x00", "\x1b", "\x7f", "\ufeff", "\ud800", "\udcc2", "\udc85", "${x}", " "),
        *("x" * 254, "1e9"),
    ]
)
VALUES = st.lists(PIECES | st.text(max_size=5), max_size=5).map("".join)


def catalog(name: str) -> MemoryCatalog:
    documents = read_directory(EXAMPLES / name).documents
    return MemoryCatalog(
        [one for one in documents if isinstance(one, Group)],
        [one for one in documents if isinstance(one, Profile)],
        {(one.kind, one.id): one.body for one in documents if isinstance(one, Template)},
    )


CATALOGS = {name: catalog(name) for name in NAMES}


class Shape(NamedTuple):
    """The structure of the responses of an example: what no query changes of them."""

    scripts: tuple[bytes, ...]
    configurations: tuple[object, ...]
    metadata_lines: int


def query_of(labels: dict[str, str]) -> Query:
    encoded = ((quote(text, errors="surrogatepass") for text in pair) for pair in labels.items())
    return read_query("&".join("=".join(pair) for pair in encoded))


def shape_of(name: str, query: Query) -> Shape:
    """The shape. Raises RenderError if a label is missing."""
    machine = select(CATALOGS[name], query, "")
    configurations = []
    for kind, module in {"ignition": ignition, "cloud": cloud, "generic": generic}.items():
        if getattr(machine.profile, f"{kind}_id"):
            response = module.respond(machine.template(kind, CATALOGS[name]), machine.data, placeholders)  # type: ignore[attr-defined]
            configurations.append(configuration_of(response))
    scripts = ipxe.respond(machine.boot).body, grub.respond(machine.boot, lambda _: None).body
    lines = metadata.respond(machine.data).body.decode().splitlines()
    assert all("=" in line for line in lines)
    return Shape(scripts, tuple(configurations), len(lines) - len(query.labels))


def configuration_of(response: Response) -> object:
    if response.headers["content-type"] != "application/json":
        found = yaml.safe_load(response.body)
        files = [file["content"].splitlines() for file in found.get("write_files", ())]
        return structure_of(found), [len(lines) for lines in files]
    config = json.loads(response.body)
    sources = [file["contents"] for file in config["storage"]["files"]]
    texts = [contents_of(one["source"], one["compression"]) for one in sources]
    units = [unit.get("contents", "") for unit in config["systemd"]["units"]]
    # Of files and units the number of lines.
    lines = [len(text.decode().splitlines()) for text in texts] + [len(text.splitlines()) for text in units]
    return structure_of(config), lines


def structure_of(value: Any) -> object:
    """Keys and lengths; of other values their types."""
    if isinstance(value, dict):
        return {key: structure_of(one) for key, one in value.items()}
    return [structure_of(one) for one in value] if isinstance(value, list) else type(value).__name__


@cache
def harmless(name: str, mac: str) -> Shape:
    return shape_of(name, query_of({**HARMLESS, **GIVEN.get(name, {}), "mac": mac}))


@pytest.mark.parametrize("name", NAMES)
@given(VALUES, st.sampled_from([HARMLESS["mac"], "52-54-00-12-34-56"]), st.dictionaries(VALUES, VALUES, max_size=2))
@example("x\n  files:\n    - path: /etc/shadow", HARMLESS["mac"], {})
@example("x'\nc: 'y", HARMLESS["mac"], {"a": "b\n#!/bin/sh"})
@example("a: b #", HARMLESS["mac"], {})
@example("x" * 65_000, HARMLESS["mac"], {})
def test_no_query_changes_the_structure_of_an_example(name: str, uuid: str, mac: str, more: dict[str, str]) -> None:
    query = query_of({**more, **HARMLESS, **GIVEN.get(name, {}), "uuid": uuid, "mac": mac})
    if "uuid" in query.labels:
        assert harmless(name, mac) == shape_of(name, query)
        return
    # Where the template needs it, there is none to show.
    with suppress(RenderError):
        assert harmless(name, mac) == shape_of(name, query)
