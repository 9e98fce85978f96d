"""Control characters, of which some end a line in a boot script, in YAML or in /metadata."""

import re

CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
"""Unicode's category Cc, and its line and paragraph separators."""
