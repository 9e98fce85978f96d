"""Whether this is a nightly run, which may take long."""

import os

NIGHTLY = os.environ.get("MATCHBOX_NIGHTLY") == "1"
