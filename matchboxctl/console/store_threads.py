"""The stores of a console, in threads beside those of its server."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from threading import Thread
from typing import Generic, NamedTuple, TypeVar

from lambda_matchbox.errors import StoreUnavailableError
from matchboxctl.machines.opened_stores import OpenedStores, once, opened_stores
from matchboxctl.store.advice import advice_on
from matchboxctl.store.mode import StoreSettings

_THREADS = 8

_Result = TypeVar("_Result")


class Result(NamedTuple, Generic[_Result]):
    """What was found, and what went wrong meanwhile."""

    value: _Result
    warnings: list[str]


class StoreThreads:
    """Runs what reads or writes the stores: those of a data directory are one thread's, as SQLite wants it."""

    def __init__(self, store: StoreSettings | Path) -> None:
        self._store = store
        self._threads = ThreadPoolExecutor(1 if isinstance(store, Path) else _THREADS, "store")
        self._stack = ExitStack()
        self._opened = once(lambda: self._stack.enter_context(opened_stores(store)))

    async def run(self, work: Callable[[OpenedStores], _Result]) -> Result[_Result]:
        """What the work returns. Raises CommandError or MatchboxError."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._run, work)

    async def ready(self) -> None:
        """Wait for what responses are made of: in a data directory of many groups that takes some seconds at first.

        Other pages have the stores' thread meanwhile. Raises CommandError or MatchboxError.
        """
        opened = (await self.run(lambda opened: opened)).value
        await self.beside(opened.responses)

    async def beside(self, work: Callable[[], _Result]) -> _Result:
        """What work returns that opens what it needs, and may take long. Raises CommandError or MatchboxError."""
        future = Future[_Result]()

        def run() -> None:
            future.set_running_or_notify_cancel()
            try:
                future.set_result(self._advised(work))
            except BaseException as error:  # noqa: BLE001 (whoever waits for it raises it)
                future.set_exception(error)

        # A console that ends does not wait for it.
        Thread(target=run, daemon=True).start()
        return await asyncio.wrap_future(future)

    def _advised(self, work: Callable[[], _Result]) -> _Result:
        with advice_on(self._store):
            if isinstance(self._store, Path) and not self._store.is_dir():
                raise StoreUnavailableError(f"{self._store} is not there, or is no directory")
            return work()

    def _run(self, work: Callable[[OpenedStores], _Result]) -> Result[_Result]:
        warnings: list[str] = []

        def work_on_opened() -> _Result:
            opened = self._opened()
            # A history that failed once is tried again by the next request.
            opened = opened._replace(warn=warnings.append, history=opened.history.again(warnings.append))
            with opened.advising():
                return work(opened)

        return Result(self._advised(work_on_opened), warnings)

    async def close(self) -> None:
        """Close the stores, after the work that is under way."""
        await asyncio.get_running_loop().run_in_executor(self._threads, self._stack.close)
        self._threads.shutdown()
