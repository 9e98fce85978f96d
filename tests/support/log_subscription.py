"""Lines of a log as a subscription of CloudWatch Logs packs them for a function."""

import gzip
import json
from base64 import b64encode
from collections.abc import Sequence
from typing import Any


def packed(messages: Sequence[str], start: int, kind: str = "DATA_MESSAGE") -> dict[str, Any]:
    """The event of the subscription; the lines are a millisecond apart, in milliseconds since 1970."""
    content = {
        "messageType": kind,
        "owner": "123456789012",
        "logGroup": "/matchbox/boot_api",
        "logStream": "2049/11/01/[7]0123456789abcdef",
        "subscriptionFilters": ["history"],
        "logEvents": [{"id": str(at), "timestamp": start + at, "message": text} for at, text in enumerate(messages)],
    }
    return {"awslogs": {"data": b64encode(gzip.compress(json.dumps(content).encode())).decode()}}
