"""The unit of deploy/systemd, its user and its directories, by systemd's own programs."""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from shutil import copyfile, copytree

import pytest

from tests.rigs.install import install_packages, on_path, run
from tests.rigs.program import Program, free_port
from tests.rigs.systemd_system import booted, copy_of_this_system, processes_of
from tests.support.paths import EXAMPLES, PROJECT

pytestmark = pytest.mark.real

FILES = PROJECT / "deploy" / "systemd"
SERVE = "/opt/lambda-matchbox/bin/matchboxctl serve"
root_only = pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")


def test_exposure_is_below_two() -> None:
    analyze = on_path("systemd-analyze", "systemd")
    report = run([analyze, "security", "--offline=true", "--no-pager", FILES / "matchbox.service"])
    found = re.search(r"Overall exposure level for matchbox\.service: ([0-9.]+)", report)
    assert found
    assert float(found[1]) < 2.0


def test_unit_has_no_error(tmp_path: Path) -> None:
    unit = (FILES / "matchbox.service").read_text()
    assert f"\nExecStart={SERVE}\n" in unit
    (tmp_path / "matchbox.service").write_text(unit.replace(SERVE, sys.executable))
    command = [on_path("systemd-analyze", "systemd"), "verify", "--man=no", "--recursive-errors=no"]
    ended = subprocess.run([*command, tmp_path / "matchbox.service"], capture_output=True, text=True, check=False)
    assert (0, "", "") == (ended.returncode, ended.stdout, ended.stderr)


@root_only
def test_user_owns_the_data_directory(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    run([on_path("systemd-sysusers", "systemd"), f"--root={tmp_path}", FILES / "matchbox.sysusers"])
    run([on_path("systemd-tmpfiles", "systemd"), f"--root={tmp_path}", "--create", FILES / "matchbox.tmpfiles"])
    name, _, user, group, _, home, shell = (tmp_path / "etc" / "passwd").read_text().rstrip().split(":")
    assert ("matchbox", "/var/lib/matchbox", "/usr/sbin/nologin") == (name, home, shell)
    data = tmp_path / "var" / "lib" / "matchbox"
    made = {"assets", "cloud", "generic", "groups", "ignition", "profiles"}
    assert made == {path.name for path in data.iterdir()}
    for directory in (data, *data.iterdir()):
        found = directory.stat()
        assert (0o40750, int(user), int(group)) == (found.st_mode, found.st_uid, found.st_gid)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The root of a system with the package and the files of deploy/systemd, as its README.md says, and an example."""
    directory = tmp_path_factory.mktemp("systemd")
    uv, lock = Path(sys.executable).with_name("uv"), PROJECT / "requirements.lock"
    run([uv, "build", "--wheel", "--build-constraint", lock, "--out-dir", directory / "wheel", PROJECT])
    [wheel] = (directory / "wheel").glob("*.whl")
    (directory / "system").mkdir()
    with copy_of_this_system(directory / "system") as root:
        environment = root / "opt" / "lambda-matchbox"
        # Debian's own Python, which a service without access to home directories can run.
        run([uv, "venv", "--quiet", "--relocatable", "--python", "/usr/bin/python3", environment])
        extras = f"lambda-matchbox[console,grpc,metrics,sign,sync,talos] @ file://{wheel}"
        install_packages(environment / "bin" / "python", "--constraint", lock, extras)
        for source, target in {
            "matchbox.sysusers": "etc/sysusers.d/matchbox.conf",
            "matchbox.tmpfiles": "etc/tmpfiles.d/matchbox.conf",
            "matchbox.service": "etc/systemd/system/matchbox.service",
            "matchbox.env": "etc/matchbox/matchbox.env",
        }.items():
            (root / target).parent.mkdir(parents=True, exist_ok=True)
            copyfile(FILES / source, root / target)
        copytree(EXAMPLES / "flatcar", root / "var/lib/matchbox", dirs_exist_ok=True)
        yield root


@pytest.mark.nightly
def test_unit_serves_records_and_is_started_again(installed: Path, tmp_path: Path) -> None:
    """All restrictions of the unit hold, and extras are among what runs under them."""
    port, metrics, console = free_port(), free_port(), free_port()
    settings = [f"MATCHBOX_ADDRESS=127.0.0.1:{port}", f"MATCHBOX_METRICS_ADDRESS=127.0.0.1:{metrics}"]
    with (installed / "etc/matchbox/matchbox.env").open("a") as file:
        file.write("\n".join([*settings, f"MATCHBOX_CONSOLE=127.0.0.1:{console}", ""]))
    with booted(installed, "matchbox.service", tmp_path) as system:
        body = system.wait_for(lambda: fetched(port, "/ipxe?mac=52-54-00-12-34-56&os=none"), "a boot script")
        assert body.startswith("#!ipxe\n")
        assert "matchbox_requests_total" in system.wait_for(lambda: fetched(metrics, "/metrics"), "metrics")
        first, *_ = processes_of(system, SERVE)
        status = Path(f"/proc/{first}/status").read_text()
        assert {"CapEff": "0000000000000000", "NoNewPrivs": "1", "Seccomp": "2"}.items() <= fields(status).items()
        data = installed / "var/lib/matchbox"
        assert ["52:54:00:12:34:56"] == system.wait_for(lambda: machines(data), "a machine in the history")
        assert (data / "history.sqlite").stat().st_uid == (data / "groups").stat().st_uid != 0
        os.kill(first, signal.SIGKILL)
        system.wait_for(lambda: restarted(system, first), "another process of serve")
        assert "matchbox\n" == system.wait_for(lambda: fetched(port, "/"), "a response")
    log = (tmp_path / "log").read_text(errors="replace")
    assert "Traceback" not in log
    assert f"//127.0.0.1:{console}/" in log
    assert re.search(r"matchbox\.service: Deactivated successfully", log)


def fetched(port: int, target: str) -> str | None:
    with contextlib.suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}{target}", timeout=5) as reply:
        return reply.read().decode()
    return None


def fields(status: str) -> dict[str, str]:
    return {name: value.strip() for name, _, value in (line.partition(":") for line in status.splitlines())}


def machines(data: Path) -> list[str] | None:
    """The MAC addresses of the machines in a data directory's history, once it has any."""
    command = [sys.executable, "-m", "matchboxctl.main", "machine", "list", "--data-path", data, "--output", "json"]
    return [machine["mac"] for machine in json.loads(run(command))] or None


def restarted(system: Program, first: int) -> int | None:
    return next((process for process in processes_of(system, SERVE) if process != first), None)
