"""Butane's report in the access log."""

import json
from pathlib import Path

import pytest

from tests.support.serving import started

pytestmark = pytest.mark.system

HEAD = "variant: fcos\nversion: 1.5.0\n"
MANY = "".join(f"key{number}: 1\n" for number in range(60))


def test_log_has_the_butane_report(tmp_path: Path) -> None:
    """50 lines at most; without a report there is no such field."""
    templates = {
        "good": HEAD,
        "doubtful": f"{HEAD}strage: 1\n",
        "bad": f"{HEAD}storage: {{files: [{{path: a, mode: hunter2}}]}}\n",
        "many": HEAD + MANY,
    }
    for directory in ("groups", "profiles", "ignition"):
        (tmp_path / directory).mkdir()
    for name, text in templates.items():
        (tmp_path / "groups" / f"{name}.json").write_text(json.dumps({"profile": name, "selector": {"t": name}}))
        (tmp_path / "profiles" / f"{name}.json").write_text(json.dumps({"ignition_id": name}))
        (tmp_path / "ignition" / name).write_text(text)
    with started("--address", "127.0.0.1:0", "--data-path", str(tmp_path)) as serve:
        statuses = {name: serve.get(f"/ignition?t={name}").status for name in templates}
        serve.end()
    assert {"good": 200, "doubtful": 200, "bad": 500, "many": 200} == statuses
    lines = {line["group"]: line for line in map(json.loads, serve.errors) if line.get("route") == "/ignition"}
    assert "butane" not in lines["good"]
    assert "INFO" == lines["good"]["level"]
    assert ["warning at $.strage, line 3 col 1: unused key strage"] == lines["doubtful"]["butane"]
    assert "WARNING" == lines["doubtful"]["level"]
    assert ["line 3: cannot unmarshal !!str into int"] == lines["bad"]["butane"]
    assert "ERROR" == lines["bad"]["level"]
    assert "hunter" not in "".join(serve.errors)
    assert (51, "and 10 more") == (len(lines["many"]["butane"]), lines["many"]["butane"][-1])
