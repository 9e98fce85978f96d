"""How a server ends: SIGINT or SIGTERM begin it, and then it has its time, whatever its threads wait for."""

import multiprocessing
import os
import signal
import time
from threading import Thread

SIGNALS = (signal.SIGINT, signal.SIGTERM)

END_SECONDS = 9.7
"""The time a server has: less than the 10 seconds after which Docker kills."""


class EndSignals:
    """SIGINT and SIGTERM, written to a pipe by the interpreter's own handler.

    A handler in Python runs in the main thread alone, which a signal to another thread does not wake, and may find a
    lock taken there that it needs itself.
    """

    def __init__(self) -> None:
        """From now on they end nothing by themselves. For the main thread."""
        self._reading, self._writing = os.pipe()
        os.set_blocking(self._writing, False)
        signal.set_wakeup_fd(self._writing, warn_on_full_buffer=False)
        for number in SIGNALS:
            signal.signal(number, lambda *_: None)

    def send(self) -> None:
        """End without a signal."""
        os.write(self._writing, bytes(1))

    def wait(self) -> None:
        """Return once one has come; for one thread, once."""
        os.read(self._reading, 1)


def exit_after(seconds: float, code: int = 0) -> None:
    """Exit in so many seconds if the process lives until then, and kill its forks before."""

    def end() -> None:
        time.sleep(seconds)
        for process in multiprocessing.active_children():
            process.kill()
        os._exit(code)

    Thread(target=end, name="end", daemon=True).start()
