"""GitHub's workflows are those that actionlint takes; `make check` asks zizmor."""

import re
from pathlib import Path

import pytest

from tests.rigs.actionlint import findings
from tests.support.paths import EXAMPLES, PROJECT

pytestmark = pytest.mark.real

WORKFLOWS = [*sorted((PROJECT / ".github" / "workflows").iterdir()), EXAMPLES / "github" / "talos.yml"]
RELEASE = PROJECT / ".github" / "workflows" / "release.yml"


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.stem)
def test_workflow_has_no_finding(workflow: Path) -> None:
    assert "" == findings(workflow)


@pytest.mark.parametrize(
    ("right", "wrong", "message"),
    [
        ("needs: [ci, packages]", "needs: [ci, package]", 'needs job "package" which does not exist'),
        ('cosign sign --yes --recursive "$list"', "cosign sign --yes --recursive $list", "SC2086"),
    ],
)
def test_a_fault_would_be_found(tmp_path: Path, right: str, wrong: str, message: str) -> None:
    text = RELEASE.read_text()
    assert right in text
    broken = tmp_path / "release.yml"
    broken.write_text(text.replace(right, wrong, 1))
    assert message in findings(broken)


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.stem)
def test_actions_are_pinned_by_digests_with_their_versions(workflow: Path) -> None:
    used = re.findall(r"uses: (.*)", workflow.read_text())
    others = [one for one in used if not one.startswith("./")]
    assert [] == [one for one in others if not re.fullmatch(r"[\w./-]+@[0-9a-f]{40} # v[\d.]+", one)]
