"""The targets of the Makefile."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.support.paths import PROJECT

pytestmark = pytest.mark.system

RIGS = sorted((PROJECT / "tests" / "rigs").glob("*-requirements.txt"))


@pytest.mark.parametrize(
    ("given", "address"), [([], "127.0.0.1:8080"), (["ADDRESS=192.0.2.1:80"], "192.0.2.1:80")], ids=["default", "given"]
)
def test_run_listens_on_this_machine_unless_told_otherwise(given: list[str], address: str) -> None:
    assert f"matchboxctl serve --address {address} --data-path examples/talos" in _recipe("run", *given)


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
        if not re.search(r"^pytestmark = .*\bmark\.(real|boot|nightly)\b", text, re.MULTILINE):
            unmarked.add(directory)
    real, quick = (set(re.findall(r"\btests/\w+", _recipe(target))) for target in ("test-real", "test"))
    assert set() == marked - real
    assert set() == quick & unmarked


def _recipe(*arguments: str) -> str:
    """What make would run, without the variables of a `make test` above."""
    environment = {"PATH": os.environ["PATH"]}
    return subprocess.check_output(["make", "--dry-run", *arguments], cwd=PROJECT, env=environment, text=True)
