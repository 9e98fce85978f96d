import os
from functools import cache

import botocore.session
from hypothesis import HealthCheck, settings

pytest_plugins = ["tests.rigs.fixtures"]

# A machine that is busy with other things is no fault of a test.
settings.register_profile("quick", deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("nightly", settings.get_profile("quick"), max_examples=10_000)
settings.load_profile("nightly" if os.environ.get("MATCHBOX_NIGHTLY") == "1" else "quick")

# argparse looks for a translation of every word otherwise.
os.environ["LANGUAGE"] = "C"

# Sessions share one loader: each would read 2 MB of service models again, which takes 0.1 s for every command.
botocore.session.create_loader = cache(botocore.session.create_loader)


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Bytes that are no text are called by their argument: what they hold may differ between processes.

    Compressed bytes hold the second in which they were made, and processes that share tests must agree on names.
    """
    return argname if isinstance(val, bytes) and not (val.isascii() and val.decode().isprintable()) else None
