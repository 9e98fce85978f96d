import os
import signal
import sys
from collections.abc import Iterator
from copy import copy
from functools import cache
from pathlib import Path

import botocore.session
import inotify_simple
import pytest
from hypothesis import HealthCheck, settings

from tests.support.nightly import NIGHTLY

pytest_plugins = ["tests.rigs.fixtures"]

# A busy machine must not fail a test.
settings.register_profile("quick", deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("fast", settings.get_profile("quick"), max_examples=5)
settings.register_profile("nightly", settings.get_profile("quick"), max_examples=10_000)
settings.load_profile("nightly" if NIGHTLY else "quick")

# nohup and a shell's background jobs ignore these signals; the programs that tests start would inherit that.
for number in (signal.SIGHUP, signal.SIGINT):
    if signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, lambda *_: None)

# The operator's own stores are none of the tests'.
for name in list(os.environ):
    if name.startswith(("AWS_", "MATCHBOX_")) and name != "MATCHBOX_NIGHTLY":
        del os.environ[name]

# Click looks for a translation of every word otherwise.
os.environ["LANGUAGE"] = "C"

# Sessions share one loader: each would read 2 MB of service models again, which takes 0.1 s for every command. Nor does
# each register botocore's handlers again.
botocore.session.create_loader = cache(botocore.session.create_loader)
HANDLERS = botocore.session.Session()._original_handler
botocore.session.get_session = lambda variables=None: botocore.session.Session(
    variables, event_hooks=copy(HANDLERS), include_builtin_handlers=False
)

# Its first use runs ldconfig, which a test without the marker `system` may not.
inotify_simple.INotify().close()

SYSTEM_DIRECTORIES = ("boot", "contract", "real", "rigs", "stack")
SYSTEM_FIXTURES = {"dynamodb_local", "faulty", "ministack", "moto_server", "oci_registry", "swift_s3", "versitygw"}
SYSTEM_CALLS = {"os.fork", "os.posix_spawn", "socket.bind", "socket.connect", "subprocess.Popen"}
"""Audit events of what only tests with the marker `system` may do."""

_pure = False


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that start processes or use sockets by where they are and by their fixtures; slow files first."""
    here = Path(__file__).parent
    for item in items:
        directory = item.path.relative_to(here).parts[0]
        if directory in SYSTEM_DIRECTORIES or not SYSTEM_FIXTURES.isdisjoint(getattr(item, "fixturenames", ())):
            item.add_marker("system")
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    global _pure
    _pure = item.get_closest_marker("system") is None
    try:
        return (yield)
    finally:
        _pure = False


def _refuse_system_calls(event: str, arguments: object) -> None:
    if _pure and event in SYSTEM_CALLS:
        pytest.fail(f"{event} {arguments}: a test that starts processes or uses sockets needs the marker `system`")


sys.addaudithook(_refuse_system_calls)


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name binary values by their argument: compressed bytes hold a time, and xdist's workers must agree on names."""
    return argname if isinstance(val, bytes) and not (val.isascii() and val.decode().isprintable()) else None
