import os
import signal
from functools import cache

import botocore.session
from hypothesis import HealthCheck, settings

pytest_plugins = ["tests.rigs.fixtures"]

# A busy machine must not fail a test.
settings.register_profile("quick", deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("nightly", settings.get_profile("quick"), max_examples=10_000)
settings.load_profile("nightly" if os.environ.get("MATCHBOX_NIGHTLY") == "1" else "quick")

# nohup and a shell's background jobs ignore these signals; the programs that tests start would inherit that.
for number in (signal.SIGHUP, signal.SIGINT):
    if signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, lambda *_: None)

# The operator's own stores are none of the tests'.
for name in list(os.environ):
    if name.startswith(("AWS_", "MATCHBOX_")) and name != "MATCHBOX_NIGHTLY":
        del os.environ[name]

# argparse looks for a translation of every word otherwise.
os.environ["LANGUAGE"] = "C"

# Sessions share one loader: each would read 2 MB of service models again, which takes 0.1 s for every command.
botocore.session.create_loader = cache(botocore.session.create_loader)


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name binary values by their argument: compressed bytes hold a time, and xdist's workers must agree on names."""
    return argname if isinstance(val, bytes) and not (val.isascii() and val.decode().isprintable()) else None
