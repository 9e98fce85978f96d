"""What a fetched configuration is."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matchboxctl.netboot.addresses import Reader
from matchboxctl.netboot.configuration import Source, read_configuration

IGNITION = b'{"ignition": {"version": "3.3.0"}}'
TALOS = b"version: v1alpha1\nmachine:\n  type: worker\n"
FURTHER = b"---\napiVersion: v1alpha1\nkind: HostnameConfig\nhostname: a\n"


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (IGNITION, "Ignition 3.3.0"),
        (b'{"ignition": {"version": "2.3.0"}}', "Ignition 2.3.0, whose rules are not checked"),
        (TALOS, "Talos v1alpha1 worker"),
        (TALOS.replace(b"worker", b"controlplane") + FURTHER, "Talos v1alpha1 controlplane with HostnameConfig"),
        (FURTHER * 5, "Talos v1alpha1 HostnameConfig, HostnameConfig, HostnameConfig, HostnameConfig, …"),
        (b"version: v1alpha1\n", "Talos v1alpha1"),
        (b"#cloud-config\nhostname: a\n", "cloud-config"),
        (b"#cloud-config \n", "cloud-config"),
        (b"#cloud-config\n---\n", "cloud-config"),
        (b'{"version": "v1alpha1", "machine": {"type": "worker"}}', "Talos v1alpha1 worker"),
        (b"{version: v1alpha1, machine: {type: worker}}", "Talos v1alpha1 worker"),
        (b"#include\nhttp://h/x\n", "cloud-init (include)"),
        (b"#!/bin/bash\nid\n", "script (/bin/bash)"),
        (b"#!ipxe\nboot\n", "iPXE script"),
        (b"lang en_US\nrootpw x\n%packages\n%end\n", "kickstart"),
        (b"d-i debian-installer/locale string en_US\n", "preseed"),
        (b"instance-id: a\n", "YAML"),
        (b'{"a": 1}', "JSON"),
        (b"KEY=value\n", "text"),
    ],
)
def test_configuration_is_recognized(body: bytes, kind: str) -> None:
    found = read_configuration(body)
    assert (kind, "", ()) == (found.kind, found.problem, found.placeholders)


@pytest.mark.parametrize(
    ("body", "kind", "problem"),
    [
        (b" \n", "empty", "it is empty"),
        (b"<!DOCTYPE html><html>", "HTML page", "a web page is no configuration"),
        (b'{"ignition": ', "JSON", "not JSON at line 1, column 14: expecting value"),
        (b'{"ignition": {"version": "9.9.9"}}', "Ignition 9.9.9", "9.9.9 is not supported"),
        (
            b'{"ignition": {"version": "3.4.0"}, "storage": {"files": [{"path": "x"}]}}',
            "Ignition 3.4.0",
            "$.storage.files.0.path: path not absolute",
        ),
        (b"#cloud-config\na: [\n", "cloud-config", "not YAML at line 3: "),
        (b"#cloud-config\n- a\n", "cloud-config", "it is not a mapping"),
        (b"version: v1alpha1\nmachine: {\n", "text", "not YAML at line 3: "),
        (TALOS.replace(b"worker", b"wroker"), "Talos v1alpha1", "machine.type is none of controlplane, worker"),
        (TALOS + b"  token: a\n  token: b\n", "Talos v1alpha1 worker", "line 5: the key 'token' occurs twice"),
        (b"#cloud-config\na: &x 1\nb: &x 2\n", "YAML", "an anchor is defined twice, the second time at line 3"),
        (b"variant: fcos\nversion: 1.5.0\n", "Butane config", "machines read no Butane"),
    ],
)
def test_configuration_that_does_not_parse_has_a_problem(body: bytes, kind: str, problem: str) -> None:
    found = read_configuration(body)
    assert kind == found.kind
    assert problem in found.problem


def test_kickstart_section_without_an_end_is_a_problem() -> None:
    found = read_configuration(b"lang en\n%post\nid\n", Reader.KICKSTART)
    assert ("kickstart", "the section that begins at line 2 has no %end") == (found.kind, found.problem)


@pytest.mark.parametrize(
    ("reader", "body", "problem"),
    [
        (Reader.TALOS, b"#cloud-config\n", "Talos reads Talos machine configurations"),
        (Reader.TALOS, TALOS, ""),
        (Reader.IGNITION, TALOS, "Ignition reads Ignition configs"),
        (Reader.IGNITION, IGNITION, ""),
        (Reader.CLOUD_INIT, b"hostname: a\n", "cloud-init reads cloud-configs and scripts"),
        (Reader.CLOUD_INIT, b"#!/bin/sh\n", ""),
        (Reader.KICKSTART, b"<html></html>", "a web page is no configuration"),
        (Reader.KICKSTART, IGNITION, "Anaconda reads kickstart files"),
    ],
)
def test_reader_refuses_other_kinds(reader: Reader, body: bytes, problem: str) -> None:
    assert problem == read_configuration(body, reader).problem


def test_neither_kind_nor_problem_quotes_values() -> None:
    bodies = [
        b"#cloud-config\npassword: hunter2\n  x: [hunter2\n",
        json.dumps({"ignition": {"version": "3.4.0"}, "storage": {"files": [{"path": "hunter2"}]}}).encode(),
        b'{"ignition": {"version": "3.4.0"}, "a": hunter2}',
        b"version: v1alpha1\nmachine:\n  token: !hunter2 'hunter2\n",
    ]
    for body in bodies:
        found = read_configuration(body)
        assert found.problem
        assert "hunter2" not in str(found)


def test_sources_are_what_ignition_fetches() -> None:
    config = {
        "ignition": {
            "version": "3.4.0",
            "config": {
                "merge": [{"source": "https://h/a.ign"}, {"source": "data:,"}],
                "replace": {"source": "http://h/b.ign", "verification": {"hash": "sha256-" + "0" * 64}},
            },
        },
        "storage": {"files": [{"path": "/x", "contents": {"source": "http://h/x"}}]},
    }
    assert (
        Source("$.ignition.config.merge.0", "https://h/a.ign", "", is_config=True),
        Source("$.ignition.config.replace", "http://h/b.ign", "sha256-" + "0" * 64, is_config=True),
        Source("$.storage.files.0.contents", "http://h/x", "", is_config=False),
    ) == read_configuration(json.dumps(config).encode()).sources


PIECES = st.sampled_from(
    [
        *("#cloud-config\n", "version: v1alpha1\n", "machine:", '"ignition":', '{"version": "3.4.0"}', "%post\n"),
        *(
            "data:;base64,",
            "source",
            "kind: A\n",
            "\n  ",
            *"{}[]<>:-?",
            ": ",
            "- ",
            "? ",
            "&a ",
            "*a",
            "|\n",
            "!t ",
            "${",
        ),
    ]
)


@given(st.lists(PIECES | st.text(max_size=3), max_size=20).map(lambda parts: "".join(parts).encode()) | st.binary())
def test_any_bytes_are_read(body: bytes) -> None:
    for reader in Reader:
        assert read_configuration(body, reader).kind
