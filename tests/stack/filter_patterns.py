"""CloudWatch Logs' filter patterns of JSON lines, as far as the template has them.

("Filter pattern syntax": terms `$.field = "value"` with `*` for any characters, `&&`, `||` and parentheses. A line that
has no such field, or is not JSON, does not match.)
"""

import json
import re
from fnmatch import fnmatchcase
from typing import Any

_TOKEN = re.compile(r'\s*(?:(&&|\|\||[()])|\$\.(\w+) = "([^"]*)")')
_OPERATORS = {"&&": " and ", "||": " or ", "(": "(", ")": ")"}


def matches(pattern: str, line: str) -> bool:
    """Whether the pattern takes the line."""
    inner = pattern.strip()
    assert inner.startswith("{")
    assert inner.endswith("}")
    try:
        fields = json.loads(line)
    except ValueError:
        return False
    return isinstance(fields, dict) and _holds(inner[1:-1].strip(), fields)


def _holds(pattern: str, fields: dict[str, Any]) -> bool:
    expression, at = "", 0
    while at < len(pattern):
        token = _TOKEN.match(pattern, at)
        assert token, f"not understood: {pattern[at:]}"
        operator, name, value = token.groups()
        found = fields.get(name)
        expression += _OPERATORS[operator] if operator else str(isinstance(found, str) and fnmatchcase(found, value))
        at = token.end()
    # Nothing but True, False, and, or, and parentheses.
    held: bool = eval(expression)
    return held
