"""Why a server gave no whole response, in words: where the operating system has some, in those."""

import socket
import ssl


class ResponseError(Exception):
    """What a server sends is not HTTP."""


class IncompleteResponseError(ResponseError):
    """A connection that was closed after so many bytes of a body, and before so many; None if nobody knows."""

    def __init__(self, read: int, left: int | None = None) -> None:
        super().__init__(read, left)
        self.read = read
        self.left = left


def reason(error: Exception) -> str:
    """The reason of an error of a connection."""
    match error:
        case socket.gaierror():
            return f"the name cannot be resolved: {_system(error)}"
        case ssl.SSLCertVerificationError():
            return f"its certificate is not valid: {error.verify_message.rstrip('.')}"
        case TimeoutError() if error.errno is None:
            return "nothing arrives within the time limit"
        case ConnectionResetError() if error.errno is None:
            return "the connection was closed without a response"
        case IncompleteResponseError(read=read, left=left):
            return f"the connection was closed after {read} bytes{f', {left} before the end' if left else ''}"
        case OSError():
            return _system(error)
        case _:
            return "what it sends is not HTTP"


def _system(error: OSError) -> str:
    return (error.strerror or str(error)).lower()
