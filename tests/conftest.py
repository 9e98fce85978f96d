import os

from hypothesis import settings

pytest_plugins = ["tests.rigs.fixtures"]

settings.register_profile("nightly", max_examples=10_000, deadline=None)
if os.environ.get("MATCHBOX_NIGHTLY") == "1":
    settings.load_profile("nightly")
