"""Findings on the secrets that templates name."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.support.data_files import write_files
from tests.unit.matchboxctl.validate.written_data import booting, found

CONFIG = "talos.config=${base}generic?mac=${mac:hexhyp}&token=${token}"
PLAIN = "talos.config=${cwduri}generic?mac=${mac:hexhyp}"


def using(text: str, *, token: bool = True, stored: str = "a") -> Mapping[str, object]:
    """The group of GOOD, with or without a token, and its profile with this template."""
    boot = {"boot": {"token": True}} if token else {}
    group = {"id": "g", "profile": "p", "selector": {"mac": "52:54:00:00:00:01"}, **boot}
    secrets = {f"secrets/{stored}": "CANARY"} if stored else {}
    return {
        "groups/g.json": group,
        **booting([CONFIG if token else PLAIN], generic_id="t"),
        "generic/t": f"version: v1alpha1\nmachine:\n  type: worker\n  token: {text}\n",
        **secrets,
    }


def findings(root: Path, files: Mapping[str, object], mode: int = 0o600) -> list[tuple[str, str, str]]:
    """Severity, file and message of those on secrets and templates."""
    write_files(root, files)
    for file in (root / "secrets").rglob("*"):
        file.chmod(0o700 if file.is_dir() else mode)
    given = {path: text for path, text in files.items() if not path.startswith("secrets/")}
    return [(str(one.severity), one.file, one.message) for one in found(root, given)]


def test_secret_that_exists_for_a_group_with_a_token_has_no_finding(tmp_path: Path) -> None:
    assert [] == findings(tmp_path, using('{{secret "a"}}'))
    assert [] == findings(tmp_path, using('{{secret "a" "some.key"}}'))


def test_groups_without_a_token_are_named(tmp_path: Path) -> None:
    reason = 'machines of group g get no secret (a): no "token": true in its boot policy'
    assert [("fault", "generic/t", reason)] == findings(tmp_path, using('{{secret "a"}}', token=False))


def test_absent_secret_is_named(tmp_path: Path) -> None:
    files = using('{{secret "a"}} {{secret "b/c"}} {{secret "sm:d"}}')
    assert [
        ("fault", "generic/t", "secret 'b/c' does not exist"),
        (
            "fault",
            "generic/t",
            "secret 'sm:d' does not exist: in Secrets Manager, no secret of that name is the stack's",
        ),
    ] == findings(tmp_path, files)


@pytest.mark.parametrize(("name", "command"), [("b", "secret set"), ("talos/b/cluster", "talos secrets --cluster b")])
def test_command_that_creates_an_absent_secret_is_named(tmp_path: Path, name: str, command: str) -> None:
    (finding,) = found(tmp_path, using(f'{{{{secret "{name}"}}}}', stored=""))
    assert f"create it with `matchboxctl {command}`" == finding.advice


def test_file_that_others_may_read_is_named(tmp_path: Path) -> None:
    ((_, file, message),) = findings(tmp_path, using('{{secret "a"}}'), mode=0o644)
    assert "secrets" == file
    assert "secrets/a is not used, as others may read or write it (mode 0644): chmod 600 it" == message


@pytest.mark.parametrize("unused", [True, False])
@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{{secret .mac}}", "the first argument of secret must be a string literal"),
        ('{{secret "../a"}}', "'../a' is not the name of a secret"),
    ],
)
def test_what_cannot_be_a_name_is_a_fault_of_the_template(
    tmp_path: Path, text: str, reason: str, *, unused: bool
) -> None:
    files = dict(using(text))
    if unused:
        files.update(booting([PLAIN]))
        files["groups/g.json"] = {"id": "g", "profile": "p", "selector": {"mac": "52:54:00:00:00:01"}}
    assert any(
        ("fault", "generic/t") == (severity, file) and reason in message
        for severity, file, message in findings(tmp_path, files)
    )


@pytest.mark.parametrize(
    "text",
    [
        '{{(secret "a" | fromJson).field}}',
        '{{index (secret "a" | fromJson) "x" "y"}}',
        '{{index (secret "a" | mustFromJson) 2}}',
        '{{index (splitList "." (secret "a")) 1}}',
        '{{(split "." (secret "a"))._1}}',
        '{{secret "a" | b64dec}}',
        '{{secret "a" "b" | b64enc}}{{.request.query.somelabel}}',
    ],
)
def test_what_depends_on_the_value_is_no_fault(tmp_path: Path, text: str) -> None:
    assert [] == findings(tmp_path, using(text))


@pytest.mark.parametrize("text", ["{{.a.b}}", "{{fail .mac}}", '{{index "x" 1 2}}', "{{index .mac 100}}"])
def test_what_fails_with_any_value_is_a_fault(tmp_path: Path, text: str) -> None:
    ((severity, file, _),) = findings(tmp_path, using(f'{{{{secret "a"}}}} {text}'))
    assert ("fault", "generic/t") == (severity, file)


def test_trials_read_no_value(tmp_path: Path) -> None:
    for one in findings(tmp_path, using('{{secret "a"}}: x: {{fail (secret "a")}}')):
        assert "CANARY" not in str(one)
