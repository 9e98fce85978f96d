"""Checks of a console run once at a time, beside its pages."""

import asyncio
import threading
from pathlib import Path

import pytest

from matchboxctl.cli.errors import FailedError
from matchboxctl.console import checks
from matchboxctl.console.checks import Check
from matchboxctl.console.store_threads import StoreThreads


def test_check_runs_once_at_a_time_and_its_result_is_kept(tmp_path: Path) -> None:
    has_begun, goes_on, runs = threading.Event(), threading.Event(), list[int]()

    def work() -> int:
        runs.append(len(runs) + 1)
        has_begun.set()
        goes_on.wait()
        return runs[-1]

    async def ask() -> None:
        stores = StoreThreads(tmp_path)
        check = Check(stores.beside, 3600, work)
        await asyncio.gather(check.fresh(0), check.fresh(0))
        await check.fresh(0)
        await asyncio.to_thread(has_begun.wait)
        assert ([1], None, 0) == (runs, check.last.found, check.last.ended)
        assert check.last.began > 0
        goes_on.set()
        await check.fresh(60)
        assert (1, 0) == (check.last.found, check.last.began)
        await check.fresh(60)
        assert [1] == runs
        await stores.close()

    asyncio.run(ask())


def test_old_result_is_shown_while_the_next_run_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "_TIMES", 0)
    goes_on = threading.Event()
    goes_on.set()

    def work() -> str:
        goes_on.wait()
        return "found"

    async def ask() -> None:
        stores = StoreThreads(tmp_path)
        check = Check(stores.beside, 0, work)
        await check.fresh(60)
        goes_on.clear()
        await check.fresh(0)
        assert ("found", True) == (check.last.found, check.last.began > 0)
        # It is left: nobody lets it go on.
        await check.close()
        await stores.close()

    asyncio.run(ask())
    goes_on.set()


def test_error_of_a_run_is_its_result(tmp_path: Path) -> None:
    def work() -> str:
        raise FailedError("it is away")

    async def ask() -> None:
        stores = StoreThreads(tmp_path)
        check = Check(stores.beside, 3600, work)
        await check.fresh(60)
        assert ("it is away", None) == (check.last.error, check.last.found)
        await stores.close()

    asyncio.run(ask())
