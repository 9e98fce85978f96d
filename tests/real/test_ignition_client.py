"""Ignition itself asks for a machine's config, as in an initramfs."""

import json
import subprocess
import time
from pathlib import Path

import pytest

from tests.rigs.ignition_programs import ignition
from tests.support.serving import LIMIT, started

pytestmark = [pytest.mark.real, pytest.mark.nightly]

CONFIG = {"ignition": {"version": "3.4.0"}, "storage": {"files": [{"path": "/etc/hostname", "mode": 420}]}}


def test_it_asks_until_the_operator_has_repaired_it(tmp_path: Path) -> None:
    """A config that cannot be served is 500, which Ignition asks again: the machine boots once it is repaired."""
    data, machine = tmp_path / "data", tmp_path / "machine"
    for directory in ("groups", "profiles", "ignition"):
        (data / directory).mkdir(parents=True)
    machine.mkdir()
    (data / "groups" / "all.json").write_text(json.dumps({"id": "all", "profile": "node"}))
    (data / "profiles" / "node.json").write_text(json.dumps({"id": "node", "ignition_id": "node.ign"}))
    template, fetched = data / "ignition" / "node.ign", machine / "config.json"
    template.write_text(json.dumps(CONFIG)[:-1])
    with started("--address", "127.0.0.1:0", "--data-path", str(data)) as serve:
        (machine / "cmdline").write_text(f"ignition.config.url=http://127.0.0.1:{serve.port}/ignition?mac=x\n")
        line = [ignition(), "--platform=metal", "--stage=fetch", "--log-to-stdout"]
        line += [f"--root={machine}", f"--config-cache={fetched}", f"--state-file={machine / 'state'}"]
        with subprocess.Popen(line, cwd=machine, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as asking:
            try:
                end = time.monotonic() + LIMIT
                while sum('"status": 500' in each for each in serve.errors) < 2:
                    assert time.monotonic() < end, serve.errors
                    time.sleep(0.05)
                assert not fetched.exists()
                template.write_text(json.dumps(CONFIG))
                said, _ = asking.communicate(timeout=LIMIT)
            finally:
                asking.kill()
        assert 0 == asking.returncode, said
        serve.end()
    assert "/etc/hostname" == json.loads(fetched.read_text())["storage"]["files"][0]["path"]
