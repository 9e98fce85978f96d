"""Why a server gave no whole response, in words: urllib3's messages name its classes and the addresses of objects."""

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


def reason(error: HTTPError) -> str:
    """The reason, in the operating system's words where it has some."""
    match error:
        case NameResolutionError():
            return f"the name cannot be resolved: {_system(error.__cause__, error)}"
        case NewConnectionError():
            return _system(error.__cause__, error)
        case ConnectTimeoutError():
            return "no connection within the time limit"
        case TimeoutError():
            return "nothing arrives within the time limit"
        case ProtocolError(args=(_, cause)):
            return _system(cause, error)
        case _:
            return str(error)


def _system(cause: BaseException | None, error: HTTPError) -> str:
    match cause:
        # Before OSError, which it is too.
        case http.client.RemoteDisconnected():
            return "the connection was closed without a response"
        case IncompleteRead(partial=read, expected=left):
            return f"the connection was closed after {read} bytes{f', {left} before the end' if left else ''}"
        case OSError():
            return (cause.strerror or str(cause)).lower()
        case http.client.HTTPException():
            return "what it sends is not HTTP"
        case _:
            return str(error)
