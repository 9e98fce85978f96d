"""The log of servers on standard error: JSON for programs, short lines for a terminal."""
