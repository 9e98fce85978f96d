"""Findings on templates and on what they render."""

import json
import os
from pathlib import Path

import pytest

from tests.unit.matchboxctl.validate.written_data import booting, found, one

SECRET = "c2VjcmV0LXRva2Vu"
TALOS = f"version: v1alpha1\nmachine:\n  type: worker\n  token: {SECRET}\n"
FROM_TALOS = booting(["talos.config=${cwduri}ignition?mac=${mac:hexhyp}"], ignition_id="t")
GENERIC = booting([], generic_id="t")


@pytest.mark.parametrize(
    ("kind", "body", "line", "message"),
    [
        ("generic", "a\n{{if}}", 2, "missing value for "),
        ("generic", "{{.absent}}", 1, "there is no value for absent"),
        ("cloud", "no script", None, "it begins neither with #! nor with the line #cloud-config"),
        ("ignition", "variant: fcos\nversion: 1.5.0\nx: [\n", None, "what it renders is not YAML"),
    ],
)
def test_template_that_fails_is_a_fault_of_its_groups(
    tmp_path: Path, kind: str, body: str, line: int | None, message: str
) -> None:
    (finding,) = found(tmp_path, {**booting([], **{f"{kind}_id": "t"}), f"{kind}/t": body})
    assert ("fault", "template", f"{kind}/t", line) == (*finding[:3], finding.line)
    assert finding.message.startswith(message)
    assert finding.text == f"{finding.message}, for group g"
    assert ["g"] == list(finding.groups)


def test_groups_for_which_a_template_fails_are_named(tmp_path: Path) -> None:
    groups = {f"groups/h{at}.json": {"profile": "p", "selector": {"n": f"{at}"}} for at in range(6)}
    (finding,) = found(tmp_path, {**GENERIC, **groups, "generic/t": "{{.absent}}"})
    assert finding.text.endswith(", for groups g, h0, h1, h2, h3 and 2 more")
    assert 7 == len(finding.groups)


@pytest.mark.parametrize("args", [[], ["ignition.config.url=${cwduri}ignition?mac=${mac:hexhyp}"]])
def test_ignition_config_whose_rules_are_not_checked_is_a_note(tmp_path: Path, args: list[str]) -> None:
    files = {**booting(args, ignition_id="t.json"), "ignition/t.json": '{"ignition": {"version": "2.3.0"}}'}
    message = "machines get Ignition 2.3.0, whose rules are not checked"
    assert ("note", "configuration", "ignition/t.json", None, message) == one(tmp_path, files)


def test_placeholder_in_a_text_of_no_known_kind_is_found(tmp_path: Path) -> None:
    files = {**booting(["x=${cwduri}generic?mac=${mac:hexhyp}"], generic_id="t"), "generic/t": "x CHANGEME\n"}
    assert ("fault", "placeholder", "generic/t", 1) == one(tmp_path, files)[:4]


def test_template_that_no_group_uses_is_parsed(tmp_path: Path) -> None:
    severity, rule, file, line, _ = one(tmp_path, {"generic/unused": "\n\n{{end}}", "generic/other": "{{.absent}}"})
    assert ("fault", "template", "generic/unused", 3) == (severity, rule, file, line)


def test_deep_metadata_are_no_obstacle(tmp_path: Path) -> None:
    metadata = json.loads('{"a": ' * 400 + "1" + "}" * 400)
    files = {**booting([], generic_id="t"), "groups/g.json": {"profile": "p", "metadata": metadata}}
    assert [] == found(tmp_path, {**files, "generic/t": "{{.a}}"})


def test_ignition_config_is_validated_by_ignitions_rules(tmp_path: Path) -> None:
    """Also one that a template renders for Ignition."""
    files = {**booting([], ignition_id="t.ign"), "ignition/t.ign": '{"ignition": {"version": "9"}}'}
    assert "template" == one(tmp_path / "as-it-is", files)[1]
    arg = "ignition.config.url=${cwduri}generic?mac=${mac:hexhyp}"
    config = '{"ignition": {"version": "3.4.0"}, "systemd": {"units": [{"name": "{{.mac}}"}]}}'
    severity, rule, file, _, message = one(
        tmp_path / "rendered", {**booting([arg], generic_id="t"), "generic/t": config}
    )
    assert ("fault", "configuration", "generic/t") == (severity, rule, file)
    assert "machines get Ignition 3.4.0: $.systemd.units.0.name: invalid systemd unit extension" in message


def test_configuration_of_another_program_is_a_fault(tmp_path: Path) -> None:
    files = {**FROM_TALOS, "ignition/t": "variant: fcos\nversion: 1.5.0\n"}
    expected = "machines get Ignition 3.4.0: Talos reads Talos machine configurations"
    assert ("fault", "configuration", "ignition/t", None, expected) == one(tmp_path, files)


def test_problem_that_may_come_from_a_made_up_label_is_a_note(tmp_path: Path) -> None:
    arg = "ignition.config.url=${cwduri}generic?mac=${mac:hexhyp}&unit=${unit}"
    config = '{"ignition": {"version": "3.4.0"}, "systemd": {"units": [{"name": "{{.request.query.unit}}"}]}}'
    severity, rule, *_, message = one(tmp_path, {**booting([arg], generic_id="t"), "generic/t": config})
    assert ("note", "configuration") == (severity, rule)
    assert message.endswith("(tried with made-up labels: unit)")


def test_reports_of_butane_are_notes(tmp_path: Path) -> None:
    files = {**booting([], ignition_id="t"), "ignition/t": "variant: fcos\nversion: 1.5.0\nunknown: 1\n"}
    severity, rule, _, _, message = one(tmp_path, files)
    assert ("note", "butane") == (severity, rule)
    assert "unknown" in message


def test_placeholders_are_found_where_they_are_written(tmp_path: Path) -> None:
    """In the template, or in the metadata of group or profile."""
    files = {
        **booting([], generic_id="t", metadata={"key": "CHANGE_ME"}),
        "groups/g.json": {"profile": "p", "selector": {"os": "a"}, "metadata": {"user": "<your-name>"}},
        "generic/t": "#!/bin/sh\nUSER={{.user}}\nKEY={{.key}}\nTOKEN=<join-token>\n",
    }
    assert [
        ("generic/t", 4, "placeholders are left: <join-token>"),
        ("groups/g.json", None, "placeholders are left: <your-name>"),
        ("profiles/p.json", None, "placeholders are left: CHANGE_ME"),
    ] == [(each.file, each.line, each.message) for each in found(tmp_path, files)]


def with_talosctl(root: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """A stand-in for talosctl alone on the PATH, which the script follows."""
    program = root / "bin" / "talosctl"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\n{script}")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")


REFUSING = """
[ "$1 $2 $4 $5" = "validate --config --mode metal" ] || { echo "unknown arguments" >&2; exit 1; }
config=$(cat "$3")
case "$config" in *network:*) echo "$3 is valid for metal mode"; exit 0;; esac
printf '%s\\n' '1 error occurred:' '	* token c2VjcmV0LXRva2Vu: cannot unmarshal !!str `c2Vjc...` into "int"' >&2
exit 1
"""


@pytest.mark.system
def test_talosctl_validates_talos_configurations_where_it_is_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither the message nor anything else shows a value of the configuration."""
    with_talosctl(tmp_path, monkeypatch, REFUSING)
    data = tmp_path / "data"
    assert [] == found(data, {**FROM_TALOS, "ignition/t": f"{TALOS}  network: {{}}\n"})
    expected = "talosctl refuses what it renders: token ***: cannot unmarshal !!str *** into ***"
    assert ("fault", "talosctl", "ignition/t", None, expected) == one(data, {**FROM_TALOS, "ignition/t": TALOS})


@pytest.mark.system
def test_refusal_is_a_note_where_secrets_are_made_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with_talosctl(tmp_path, monkeypatch, REFUSING)
    files = {**FROM_TALOS, "ignition/t": TALOS.replace(SECRET, '{{secret "a"}}')}
    (note,) = (one for one in found(tmp_path / "data", files) if one.rule == "talosctl")
    assert "note" == note.severity
    assert note.message.endswith("(tried with made-up secrets)")


@pytest.mark.system
@pytest.mark.parametrize(
    ("errors", "reason"),
    [
        (
            "unknown keys found during decoding:\nmachine:\n    tokn: hidden\n    a: {b: hidden}\n",
            "unknown keys machine.tokn, machine.a.b",
        ),
        ("unknown keys found during decoding:\n{hidden", "unknown keys"),
        (
            "2 errors occurred:\n\t* v1alpha1.Config: 1 error occurred:\n\t* no disk\n\t* no key\n",
            "v1alpha1.Config: no disk; no key",
        ),
    ],
)
def test_reasons_of_talosctl_fit_a_line_and_show_no_value(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, errors: str, reason: str
) -> None:
    (tmp_path / "errors").write_text(errors)
    with_talosctl(tmp_path, monkeypatch, f"cat '{tmp_path}/errors' >&2; exit 1")
    message = one(tmp_path / "data", {**FROM_TALOS, "ignition/t": TALOS})[4]
    assert f"talosctl refuses what it renders: {reason}" == message


@pytest.mark.system
@pytest.mark.parametrize("more", ["x: &a [1]\ny: *a\n", "x: !tag 1\n"])
def test_reasons_are_not_shown_where_secrets_cannot_be_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, more: str
) -> None:
    with_talosctl(tmp_path, monkeypatch, f"echo {SECRET} >&2; exit 1")
    message = one(tmp_path / "data", {**FROM_TALOS, "ignition/t": TALOS + more})[4]
    assert "talosctl refuses what it renders: its reasons, which may show values, are left out" == message


@pytest.mark.system
def test_refusal_that_may_come_from_a_made_up_label_is_a_note(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with_talosctl(tmp_path, monkeypatch, "echo 'bad address' >&2; exit 1")
    severity, *_, message = one(tmp_path / "data", {**FROM_TALOS, "ignition/t": TALOS + "# {{.request.query.ip}}\n"})
    assert ("note", "talosctl refuses what it renders: bad address (tried with made-up labels: ip)") == (
        severity,
        message,
    )


@pytest.mark.system
@pytest.mark.parametrize(("script", "reason"), [("exit 3", "talosctl ended with 3"), ("exec /absent", "not found")])
def test_talosctl_that_does_not_work_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, reason: str
) -> None:
    with_talosctl(tmp_path, monkeypatch, script)
    assert reason in one(tmp_path / "data", {**FROM_TALOS, "ignition/t": TALOS})[4]


@pytest.mark.system
def test_configuration_with_placeholders_is_not_given_to_talosctl(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_talosctl(tmp_path, monkeypatch, "exit 1")
    config = TALOS.replace(SECRET, "<token>")
    assert "placeholder" == one(tmp_path / "data", {**FROM_TALOS, "ignition/t": config})[1]
