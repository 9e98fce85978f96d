"""Why a registry gave no whole response: urllib3's own messages name its classes and the addresses of objects."""

import http.client

from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    IncompleteRead,
    NameResolutionError,
    NewConnectionError,
    ProtocolError,
    TimeoutError,  # noqa: A004 (the library's)
)

from lambda_matchbox import http_reasons


def reason(error: HTTPError) -> str:
    """The reason, in the operating system's words where it has some."""
    match error:
        case ProtocolError(args=(_, IncompleteRead(partial=read, expected=left))):
            return f"the connection was closed after {read} bytes{f', {left} before the end' if left else ''}"
        # A NewConnectionError is a ConnectTimeoutError, too.
        case (
            NameResolutionError(__cause__=cause) | NewConnectionError(__cause__=cause) | ProtocolError(args=(_, cause))
        ):
            return http_reasons.reason(cause) if isinstance(cause, OSError | http.client.HTTPException) else str(error)
        case ConnectTimeoutError():
            return "no connection within the time limit"
        case TimeoutError():
            return "nothing arrives within the time limit"
        case _:
            return str(error)
