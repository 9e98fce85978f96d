"""Updates of stacks that a release before has made.

`created_once.json` has the types of the resources of the release without histories, and their properties of which
CloudFormation's schemas say that another value replaces the resource. Layers and versions are replaced with each code.
"""

import json
from pathlib import Path

from tests.stack.resolution import Stack

BEFORE = json.loads(Path(__file__).with_name("created_once.json").read_text())
HISTORY = {
    *("HistoryTable", "BootHistory", "BootHistoryRole", "BootHistoryLog", "HistoryDeadLetters", "HistoryRedrive"),
    *("HistoryMayBeFed", "BootApiSubscription", "SignedHistoryMayBeFed", "SignedApiSubscription"),
    *("HistoryFails", "HistoryLate", "TokensUsedTwice", "SignedTokensUsedTwice", "TokenUsedTwice"),
    *("MachineViewer", "MachineApprover"),
}


def test_update_replaces_and_removes_nothing(full: Stack) -> None:
    now = {name: full.resources[name] for name in BEFORE}
    assert BEFORE == {
        name: [each["Type"], {key: each["Properties"][key] for key in BEFORE[name][1]}] for name, each in now.items()
    }


def test_update_adds_the_history(full: Stack) -> None:
    replaced = ("AWS::Lambda::LayerVersion", "AWS::Lambda::Version")
    added = {name for name, each in full.resources.items() if name not in BEFORE and each["Type"] not in replaced}
    assert HISTORY == added
