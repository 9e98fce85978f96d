import pytest

from lambda_matchbox.answers.template_check import TemplateFailure, failures, trials
from lambda_matchbox.catalog.groups import Group
from lambda_matchbox.catalog.profiles import Profile
from lambda_matchbox.catalog.templates import Template

FCOS = b"variant: fcos\nversion: 1.5.0\n"


def failures_of(kind: str, template_id: str, body: bytes, *groups: Group) -> list[TemplateFailure]:
    profile = Profile(id="p", **{f"{kind}_id": template_id})
    return failures(trials(groups or [Group(id="g", profile="p")], [profile], [Template(kind, template_id, body)]))


@pytest.mark.parametrize(
    ("kind", "template_id", "body"),
    [
        ("generic", "a", b"{{.request.query.uuid}} {{.request.query.mac}}"),
        ("generic", "a", b'{{if eq .request.query.role "x"}}{{.absent}}{{end}}'),
        ("ignition", "a", FCOS + b"storage: {files: [{path: /a, mode: {{.request.query.mode}}}]}\n"),
        ("ignition", "a", FCOS + b"storage: {files: [{path: {{.request.query.path}}}]}\n"),
        ("ignition", "a", b"machine: {type: {{.request.query.role}}}\n"),
        ("cloud", "a", b"#cloud-config\nhostname: {{.request.query.name}}\n"),
        ("cloud", "a", b"#!/bin/sh\n# {{.request.raw_query}}\n"),
        ("generic", "a", b'{{index (splitList "-" .request.query.host) 1}}'),
        ("generic", "a", b"{{(semver .request.query.release).Major}}"),
        ("generic", "a", b'{{index (splitList ":" .request.query.nic) 5}}'),
    ],
)
def test_failure_that_depends_on_labels_is_none(kind: str, template_id: str, body: bytes) -> None:
    assert [] == failures_of(kind, template_id, body)


@pytest.mark.parametrize(
    ("kind", "template_id", "body", "reason"),
    [
        ("generic", "a", b"{{.absent}}", "template 'a', line 1: there is no value for absent"),
        ("generic", "a", b"\n{{if}}", "template 'a', line 2: "),
        ("ignition", "a.ign", b"{}", "template 'a.ign': $.ignition.version: missing"),
        (
            "ignition",
            "a",
            FCOS + b"systemd: {units: [{name: a}]}\n",
            (
                "template 'a': what it renders is a Butane config that is refused:"
                " $.systemd.units.0.name, line 3 col 26: invalid systemd unit extension"
            ),
        ),
        ("cloud", "a", b"#cloud-config\n- a\n", "template 'a': its cloud-config is not a mapping"),
    ],
)
def test_failure_has_the_reason_of_the_response(kind: str, template_id: str, body: bytes, reason: str) -> None:
    (failure,) = failures_of(kind, template_id, body)
    assert (["g"], ()) == (failure.groups, failure.made_up)
    assert failure.reason.startswith(reason)


def test_failure_for_all_values_of_a_label_names_the_label() -> None:
    (failure,) = failures_of("generic", "a", b"{{.request.query.uuid}}\n{{.absent}}")
    assert "template 'a', line 2: there is no value for absent (tried with made-up labels: uuid)" == str(failure)


def test_metadata_and_selector_are_the_groups_own() -> None:
    body = b"{{.name}} {{.os}} {{.request.query.os}}"
    full = Group(id="full", profile="p", selector={"os": "y"}, metadata={"name": "x"})
    bare = Group(id="bare", profile="p", selector={"os": "y"})
    also = Group(id="also", profile="p", metadata={"name": "x"})
    template = Template("generic", "a", body)
    assert [
        TemplateFailure(template, ["bare"], "template 'a', line 1: there is no value for name", ()),
        TemplateFailure(template, ["also"], "template 'a', line 1: there is no value for os", ()),
    ] == failures_of("generic", "a", body, full, bare, also)


def test_equal_failures_are_reported_once() -> None:
    """Of a template of many groups only some groups are tried."""
    groups = [Group(id=str(number), profile="p") for number in range(300)]
    (failure,) = failures_of("generic", "a", b"{{.absent}}", *groups)
    assert [str(number) for number in range(200)] == failure.groups


def test_template_with_many_labels_is_tried_for_fewer_groups() -> None:
    groups = [Group(id=str(number), profile="p") for number in range(200)]
    body = b"".join(b"{{.request.query.l%d}}\n" % number for number in range(18)) + b"{{.absent}}"
    (failure,) = failures_of("generic", "a", body, *groups)
    assert [str(number) for number in range(10)] == failure.groups


def test_absent_profile_or_template_is_no_failure() -> None:
    groups = [Group(id="g", profile="p"), Group(id="h", profile="q")]
    assert [] == list(trials(groups, [Profile("p", cloud_id="a")], []))


def test_group_whose_data_differ_is_tried_however_many_groups_there_are() -> None:
    """Other keys, other types, or empty values: these are what templates fail for."""
    groups = [Group(id=str(number), profile="p", metadata={"host": {"name": "x"}}) for number in range(300)]
    odd = [
        Group(id="no-host", profile="p", metadata={}),
        Group(id="no-name", profile="p", metadata={"host": {}}),
        Group(id="number", profile="p", metadata={"host": {"name": 7}}),
    ]
    found = failures_of("generic", "a", b"{{.host.name | upper}}", *groups, *odd)
    assert [one.id for one in odd] == [group for failure in found for group in failure.groups]
