"""The targets of the Makefile."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.paths import PROJECT

pytestmark = pytest.mark.system

RIGS = sorted((PROJECT / "tests" / "rigs").glob("*-requirements.txt"))


@pytest.mark.parametrize(
    ("given", "address"), [([], "127.0.0.1:8080"), (["ADDRESS=192.0.2.1:80"], "192.0.2.1:80")], ids=["default", "given"]
)
def test_run_listens_on_this_machine_unless_told_otherwise(given: list[str], address: str) -> None:
    assert f"matchboxctl serve --address {address} --data-path .run/talos" in _recipe("run", *given)


def test_run_serves_a_copy_that_keeps_its_secrets(tmp_path: Path) -> None:
    """The example's later documents are named, and `make refresh` takes them."""
    made = _project_with_example(tmp_path)
    first = made("run")
    (secrets, *_) = copied = sorted((tmp_path / ".run").rglob("secrets/**/cluster"))
    assert [secrets] == copied
    value = secrets.read_text()
    for output in (first, made("run")):
        assert "refresh" not in output
        assert output.endswith("serving .run/talos\n")
    group = tmp_path / "examples" / "talos" / "groups" / "default.json"
    group.write_text(group.read_text().replace('"demo"', '"other"'))
    (tmp_path / "examples" / "talos" / "secrets").mkdir()
    changed = made("run")
    assert "Files examples/talos/groups/default.json and .run/talos/groups/default.json differ\n" in changed
    assert "keep the secrets: make refresh\n" in changed
    made("refresh")
    assert group.read_bytes() == (tmp_path / ".run" / "talos" / "groups" / "default.json").read_bytes()
    assert "refresh" not in made("run")
    assert value == secrets.read_text()


@pytest.mark.parametrize("requirements", RIGS, ids=lambda path: path.stem)
def test_requirements_of_rigs_are_hashed_and_made_by_make_lock(requirements: Path) -> None:
    pinned, unpinned = re.compile(r"[^ ]+==[^ ]+( ; .*)?( --hash=sha256:[0-9a-f]{64})+"), re.compile(r"[a-z0-9-]+")
    wanted = [line for line in requirements.with_suffix(".in").read_text().splitlines() if line[0] != "#"]
    found = re.sub(r" \\\n +", " ", requirements.read_text()).splitlines()
    assert [] == [line for line in found if not pinned.fullmatch(line)]
    assert [] == [line for line in wanted if not unpinned.fullmatch(line)]
    assert set(wanted) <= {line.partition("==")[0] for line in found}
    assert str(requirements.with_suffix("").relative_to(PROJECT)) in _recipe("lock")


def test_lock_files_are_made_by_the_locked_uv() -> None:
    locked = (PROJECT / "requirements" / "uv.lock").read_text().split()[0].removeprefix("uv==")
    assert locked == subprocess.check_output([".venv/bin/uv", "--version"], cwd=PROJECT, text=True).split()[1]
    compiling = [line for line in _recipe("lock").splitlines() if "pip compile" in line]
    assert compiling
    assert [] == [line for line in compiling if ".venv/bin/uv pip compile" not in line]


def test_no_target_leaves_out_a_test_that_it_selects() -> None:
    """`make test-real` names its directories, `make test` ignores some."""
    marked, unmarked = set[str](), set[str]()
    for module in (PROJECT / "tests").rglob("test_*.py"):
        directory, text = f"tests/{module.relative_to(PROJECT / 'tests').parts[0]}", module.read_text()
        if re.search(r"\bmark\.(real|boot)\b", text):
            marked.add(directory)
        if not re.search(r"^pytestmark = (\[[^]]*|.*)\bmark\.(real|boot|nightly)\b", text, re.MULTILINE):
            unmarked.add(directory)
    real, quick = (set(re.findall(r"\btests/\w+", _recipe(target))) for target in ("test-real", "test"))
    assert set() == marked - real
    assert set() == quick & unmarked


def _project_with_example(directory: Path) -> Callable[[str], str]:
    """Copies what `make run` needs, and returns what makes a target; `serve` ends at once."""
    shutil.copytree(
        PROJECT / "examples" / "talos", directory / "examples" / "talos", ignore=shutil.ignore_patterns("secrets")
    )
    shutil.copy(PROJECT / "Makefile", directory)
    (directory / "bin").mkdir()
    program = directory / "bin" / "matchboxctl"
    real = f"{sys.executable} -m matchboxctl.main"
    program.write_text(f'#!/bin/sh\n[ "$1" = serve ] && echo "serving $5" && exit\nexec {real} "$@"\n')
    program.chmod(0o755)

    def made(target: str) -> str:
        # What needs no environment of its own.
        command = ["make", "--no-print-directory", "-o", ".venv/serving", "BIN=bin", target]
        return subprocess.check_output(command, cwd=directory, text=True, stderr=subprocess.STDOUT)

    return made


def _recipe(*arguments: str) -> str:
    """What make would run, without the variables of a `make test` above."""
    environment = {"PATH": os.environ["PATH"]}
    return subprocess.check_output(["make", "--dry-run", *arguments], cwd=PROJECT, env=environment, text=True)
