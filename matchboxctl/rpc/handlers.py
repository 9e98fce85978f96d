"""Handlers of gRPC calls: bytes in, one method of the services, bytes or a status out, and a line in the log."""

import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, NoReturn, TypeAlias

import grpc
from google.protobuf import message_factory
from google.protobuf.message import DecodeError, Message
from grpc import StatusCode

from lambda_matchbox.aws.clients.request_deadline import request_deadline
from lambda_matchbox.web.access_log import Log
from matchboxctl.rpc import matchbox_pb2 as pb
from matchboxctl.rpc.editable_catalog import MAX_RETRY_SECONDS
from matchboxctl.rpc.services import Method, Services
from matchboxctl.rpc.status_codes import EXPECTED_ERRORS, StatusError, status_of

_MARGIN = 1.0
"""Seconds before a client's deadline at which it is answered: after the deadline it would not get the reason."""

_MAX_MESSAGE_LENGTH = 1000
"""Characters of a status message: it is sent in a header, and clients accept 8 KB of headers."""

_MALFORMED = "proto: cannot parse invalid wire-format data"

_Context: TypeAlias = grpc.ServicerContext
_Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"


class Handlers(grpc.GenericRpcHandler):
    """The handlers of all methods, by the path of a call."""

    def __init__(self, services: Services, log: Log) -> None:
        methods = services.methods()
        self._services = pb.DESCRIPTOR.services_by_name
        self._handlers: dict[str, _Handler] = {}
        for service in self._services.values():
            for method in service.methods:
                request = message_factory.GetMessageClass(method.input_type)
                handler = _MethodHandler(f"{service.full_name}/{method.name}", request, methods[method.name], log)
                # No deserializer: errors of grpcio's have other messages than matchbox's.
                self._handlers[f"/{handler.path}"] = grpc.unary_unary_rpc_method_handler(handler.call)

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> _Handler:
        """The handler of a call. As with matchbox, there is no reflection and no health service."""
        found = self._handlers.get(handler_call_details.method)
        # A handler of streams runs at once, whatever the client sends.
        return found or grpc.stream_stream_rpc_method_handler(self._unknown(handler_call_details.method))

    def _unknown(self, path: str) -> Callable[[Iterator[bytes], _Context], Iterator[bytes]]:
        service, _, method = path.removeprefix("/").rpartition("/")
        known = service in {each.full_name for each in self._services.values()}
        message = f"unknown method {method} for service {service}" if known else f"unknown service {service}"

        def abort(_: Iterator[bytes], context: _Context) -> NoReturn:
            context.abort(StatusCode.UNIMPLEMENTED, message)

        return abort


class _Result(NamedTuple):
    """The response, or the status of the error; and the id or name in the request."""

    response: bytes
    error: StatusError | None
    name: str


class _MethodHandler:
    """The handler of one method."""

    def __init__(self, path: str, request: type[Message], method: Method, log: Log) -> None:
        self.path = path
        self._request = request
        self._method = method
        self.log = log

    def call(self, raw: bytes, context: _Context) -> bytes:
        """Return the response, or abort the call."""
        start = time.monotonic()
        left = context.time_remaining()
        with request_deadline(
            MAX_RETRY_SECONDS if left is None else min(MAX_RETRY_SECONDS, max(left - _MARGIN, left / 2))
        ):
            result = self._result(raw)
        self._log_call(result, context, time.monotonic() - start)
        if result.error is not None:
            context.abort(result.error.code, _shortened(result.error.message))
        return result.response

    def _result(self, raw: bytes) -> _Result:
        try:
            request = self._request.FromString(raw)
        except DecodeError as error:
            reason = "string field contains invalid UTF-8" if "UTF-8" in str(error) else _MALFORMED
            message = f"grpc: error unmarshalling request: {reason}"
            return _Result(b"", StatusError(StatusCode.INTERNAL, message), "")
        name = _name_in(request)
        try:
            return _Result(self._method(request).SerializeToString(), None, name)
        except EXPECTED_ERRORS as error:
            return _Result(b"", status_of(error), name)
        except Exception:
            self.log.exception("unhandled exception")
            return _Result(b"", StatusError(StatusCode.INTERNAL, "internal error: see matchboxctl's log"), name)

    def _log_call(self, result: _Result, context: _Context, seconds: float) -> None:
        fields = {
            "rpc": self.path,
            "id": _shortened(result.name),
            "code": "OK" if result.error is None else result.error.code.name,
            "milliseconds": round(seconds * 1000, 3),
            "client": context.peer(),
            "certificate": _common_name(context),
        }
        if result.error is None:
            self.log.info("call", extra=fields)
        else:
            self.log.warning("call", extra={**fields, "reason": _shortened(result.error.message)})


def _shortened(text: str) -> str:
    """The beginning and the end of a long text: the reason may be at either."""
    half = _MAX_MESSAGE_LENGTH // 2
    return text if len(text) <= _MAX_MESSAGE_LENGTH else f"{text[:half]}…{text[-half:]}"


def _common_name(context: _Context) -> str:
    """The common name of the client's certificate."""
    names: Any = context.auth_context().get("x509_common_name", [])
    return b", ".join(names).decode("utf-8", "replace")


def _name_in(request: Any) -> str:
    """The id or name in a request; empty for lists and selections."""
    for field, value in request.ListFields():
        if field.name in ("group", "profile"):
            return str(value.id)
        if field.name in ("id", "name"):
            return str(value)
    return ""
