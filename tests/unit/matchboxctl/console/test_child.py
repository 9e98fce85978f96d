"""What a console runs in a process of its own."""

import asyncio
import os
import pickle
import time
from functools import partial
from pathlib import Path

import pytest
from botocore.session import Session

from lambda_matchbox.errors import StoreUnavailableError
from matchboxctl.cli.errors import FailedError
from matchboxctl.console.child import in_child
from matchboxctl.store.mode import StoreSettings
from matchboxctl.validate.overview import Users, overview


@pytest.mark.system
def test_result_comes_from_another_process() -> None:
    assert os.getpid() != asyncio.run(in_child(os.getpid))


@pytest.mark.system
def test_validation_runs_in_another_process(tmp_path: Path) -> None:
    (tmp_path / "groups").mkdir()
    (tmp_path / "groups" / "g.json").write_text('{"profile": "absent"}')
    found = asyncio.run(in_child(partial(overview, tmp_path)))
    assert {("profiles", "absent"): Users(1, ["g"])} == found.users
    [finding] = found.findings([("groups", "g"), ("groups", "other")])["groups", "g"]
    assert "profile" == finding.rule


@pytest.mark.system
def test_error_and_fault_of_another_process_are_told_apart(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(FailedError, match="it is away"):
        asyncio.run(in_child(_away))
    with pytest.raises(RuntimeError, match="ended with 1"):
        asyncio.run(in_child(partial(int, "x")))
    assert "ValueError" in capfd.readouterr().err


def _away() -> None:
    raise StoreUnavailableError("it is away")


@pytest.mark.system
def test_process_ends_with_its_task(tmp_path: Path) -> None:
    async def leave() -> None:
        task = asyncio.create_task(in_child(partial(_wait_for_ever, tmp_path / "pid")))
        await asyncio.to_thread(_await_file, tmp_path / "pid")
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(leave())
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


def _await_file(path: Path) -> None:
    while not path.exists():
        time.sleep(0.01)


def _wait_for_ever(path: Path) -> None:
    (new := path.with_suffix(".new")).write_text(f"{os.getpid()}")
    new.rename(path)
    while True:
        time.sleep(1)


def test_settings_of_a_store_go_to_another_process_with_their_credentials() -> None:
    core = Session()
    core.set_credentials("AKIAFAKE", "secret", "token")
    settings = StoreSettings("t", "b", "eu-west-1", None, None, core, "stack", history_table="h", release_copies=True)
    found = pickle.loads(pickle.dumps(settings))
    assert settings.credentials() == found.credentials()
    assert settings._replace(core=None) == found._replace(core=None)


@pytest.mark.system
def test_module_of_the_directory_where_it_was_started_is_not_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pickle.py").write_text("raise SystemExit('it is')")
    monkeypatch.chdir(tmp_path)
    assert os.getpid() != asyncio.run(in_child(os.getpid))
