"""Why a server gave no whole response, in words: where the operating system has some, in those."""

import http.client
import socket
import ssl


def reason(error: OSError | http.client.HTTPException) -> str:
    """The reason of an error of the standard library's client."""
    match error:
        case socket.gaierror():
            return f"the name cannot be resolved: {_system(error)}"
        case ssl.SSLCertVerificationError():
            return f"its certificate is not valid: {error.verify_message}"
        case TimeoutError() if error.errno is None:
            return "nothing arrives within the time limit"
        # Before OSError, which it is too.
        case http.client.RemoteDisconnected():
            return "the connection was closed without a response"
        case http.client.IncompleteRead(partial=read, expected=left):
            return f"the connection was closed after {len(read)} bytes{f', {left} before the end' if left else ''}"
        case OSError():
            return _system(error)
        case _:
            return "what it sends is not HTTP"


def _system(error: OSError) -> str:
    return (error.strerror or str(error)).lower()
