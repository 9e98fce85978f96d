"""No command prints a secret's value, or gives it to another program, but `secret get --reveal`."""

import base64
import json
import sys
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.commands import Ended
from tests.support.data_files import write_files
from tests.support.resource_commands import ResourceCommands

CANARY = "CaNaRy"
NO_SURROGATES = st.characters(exclude_categories=["Cs"])
VALUES = st.text(NO_SURROGATES, max_size=30).map(lambda text: f"{text}{CANARY}{text}") | st.text(
    NO_SURROGATES, max_size=10
).map(lambda text: json.dumps({"a": [CANARY + text], "b": CANARY}))
PROGRAMS = {"subprocess.Popen", "os.posix_spawn", "os.exec", "os.system"}
TEMPLATES = {
    "good": '#!/bin/sh\nTOKEN={{secret "a/b"}}\n',
    "keyed": '{{secret "a/b" "a.0"}}{{secret "a/b" "absent"}}',
    "failing": '{{fail (secret "a/b")}}',
    "indexing": '{{index (secret "a/b") 1000}}',
    "absent": '{{secret "a/c"}}',
    "wrong": "{{secret .mac}}",
}
_started: list[str] = []


def _note_programs(event: str, arguments: object) -> None:
    if event in PROGRAMS:
        _started.append(str(arguments))


sys.addaudithook(_note_programs)


def printed(commands: ResourceCommands, value: str) -> Iterator[Ended]:
    """What commands print that set, use, copy and delete the value, errors included."""
    stdin = value.encode()
    run = commands.run
    yield run("secret", "set", "a/b", "-f", "-", stdin=stdin)
    yield run("secret", "set", "a/b", "-f", "-", stdin=stdin)
    yield run("secret", "set", "a/b", "-f", "-", stdin=stdin + b"\xff")
    yield run("secret", "set", "a/b", "-f", "-", stdin=stdin * 2000)
    yield run("secret", "set", "a/b/c", "-f", "-", stdin=stdin)
    yield run("secret", "set", "a/b", value)
    yield run("secret", "set", "a/b", f"--value={value}")
    yield run("secret", "set", "sm:a", "-", stdin=stdin)
    for output in ("table", "json", "yaml"):
        yield run("secret", "list", "-o", output)
        yield run("secret", "describe", "a/b", "-o", output)
        yield run("secret", "used", "-o", output)
        yield run("validate", "-o", output)
    yield run("secret", "get", "a/b")
    templates = write_files(commands.files / "templates", TEMPLATES)
    yield run("generic", "create", "-f", str(templates))
    profiles = [{"id": name, "generic_id": name} for name in TEMPLATES]
    yield run("profile", "create", "-f", commands.file("p", json.dumps(profiles)))
    policy = {"token": True, "approve": True}
    groups = [{"id": name, "profile": name, "selector": {"os": name}, "boot": policy} for name in TEMPLATES]
    yield run("group", "create", "-f", commands.file("g", json.dumps(groups)))
    for name in TEMPLATES:
        for flags in ([], ["--show-secrets", "-o", "json"]):
            yield run("render", "generic", "--others", "0", "--label", f"os={name}", *flags)
    yield run("generic", "list")
    yield from transferred(commands, value)
    yield run("secret", "delete", "a/b", "absent")
    yield run("secret", "delete", "--yes", "a/b", "a/b/c")


def transferred(commands: ResourceCommands, value: str) -> Iterator[Ended]:
    """What imports and exports print, which are for table and bucket."""
    data = commands.files / "data"
    write_files(data, {"generic/good": TEMPLATES["good"], "secrets/a/b": value, "secrets/open": value})
    for file in (data / "secrets").rglob("*"):
        file.chmod(0o700 if file.is_dir() else 0o644 if file.name == "open" else 0o600)
    for flags in ([], ["--dry-run"], ["-o", "json"]):
        yield commands.run("import", str(data), "--secrets", *flags)
        yield commands.run("export", str(commands.files / "to"), "--secrets", *flags)


def check(commands: ResourceCommands, value: str) -> None:
    _started.clear()
    encoded = base64.b64encode(CANARY.encode()).decode()
    for ended in printed(commands, value):
        text = ended.out + ended.err
        assert CANARY.lower() not in text.lower()
        assert encoded not in text
    assert CANARY not in "".join(_started)


def test_no_command_prints_a_value_or_gives_it_to_a_program(secret_store: ResourceCommands) -> None:
    check(secret_store, json.dumps({"a": [CANARY], "b": f"{CANARY}\n"}))


@given(VALUES)
@settings(max_examples=3, suppress_health_check=list(HealthCheck))
@pytest.mark.parametrize("secret_store", ["directory"], indirect=True)
def test_no_command_prints_any_value(secret_store: ResourceCommands, value: str) -> None:
    check(secret_store, value)


def test_revealed_value_is_printed(secret_store: ResourceCommands) -> None:
    """Else the test above could not fail."""
    secret_store.ok("secret", "set", "a", "-", stdin=CANARY.encode())
    assert CANARY == secret_store.ok("secret", "get", "a", "--reveal")


@pytest.mark.parametrize("secret_store", ["directory"], indirect=True)
def test_drafts_of_a_killed_set_are_removed_by_the_next(secret_store: ResourceCommands) -> None:
    assert secret_store.data is not None
    secret_store.ok("secret", "set", "a", "-", stdin=b"x")
    draft = secret_store.data / "secrets/.put-0123456789abcdef"
    draft.write_text(CANARY)
    secret_store.ok("secret", "set", "a", "-", stdin=b"y")
    assert not draft.exists()
