"""What happens to a call: bytes in, one of the methods, bytes or a refusal out, and a line in the log."""

import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, NoReturn, TypeAlias

import grpc
from aws_lambda_powertools import Logger
from google.protobuf import message_factory
from google.protobuf.message import DecodeError, Message
from grpc import StatusCode

from lambda_matchbox.aws.clients.request_deadline import request_deadline
from matchboxctl.rpc import matchbox_pb2 as pb
from matchboxctl.rpc.refusals import EXPECTED, RefusedError, refusal_of
from matchboxctl.rpc.services import Method, Services

PATIENCE = 120.0
"""Seconds for which a store that is away is asked again, less where the client's own deadline comes before.

The provider takes any error of a Get for the end of the resource, and plans to create it anew.
"""

MOST_CALLS = 64
"""How many are answered at a time: Terraform sends ten, and each waits where the store is away."""

_MARGIN = 1.0
"""Seconds before a client's deadline at which it is told why: it hears nothing after that."""

LONGEST_MESSAGE = 1000
"""The most letters of a message that a client is told: it travels in a header, of which clients take 8 KB."""

_BROKEN = "proto: cannot parse invalid wire-format data"

_Context: TypeAlias = grpc.ServicerContext
_Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"


class Calls(grpc.GenericRpcHandler):
    """The methods of all services, found by the path of a call."""

    def __init__(self, services: Services, log: Logger) -> None:
        methods = services.methods()
        self._services = pb.DESCRIPTOR.services_by_name
        self._calls: dict[str, _Handler] = {}
        for service in self._services.values():
            for method in service.methods:
                request = message_factory.GetMessageClass(method.input_type)
                call = _Call(f"{service.full_name}/{method.name}", request, methods[method.name], log)
                # Without a deserializer of gRPC's, whose refusal has other words.
                self._calls[f"/{call.path}"] = grpc.unary_unary_rpc_method_handler(call.answer)

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> _Handler:
        """What handles the call; there is no reflection and no health service, as with matchbox."""
        found = self._calls.get(handler_call_details.method)
        # A handler of streams is called at once, whatever the client sends.
        return found or grpc.stream_stream_rpc_method_handler(self._unknown(handler_call_details.method))

    def _unknown(self, path: str) -> Callable[[Iterator[bytes], _Context], Iterator[bytes]]:
        service, _, method = path.removeprefix("/").rpartition("/")
        known = service in {each.full_name for each in self._services.values()}
        why = f"unknown method {method} for service {service}" if known else f"unknown service {service}"

        def refuse(_: Iterator[bytes], context: _Context) -> NoReturn:
            context.abort(StatusCode.UNIMPLEMENTED, why)

        return refuse


class _Outcome(NamedTuple):
    """The answer, or why there is none; and the id or name that was asked for."""

    answer: bytes
    refusal: RefusedError | None
    name: str


class _Call:
    """One method as gRPC calls it."""

    def __init__(self, path: str, request: type[Message], method: Method, log: Logger) -> None:
        self.path = path
        self._request = request
        self._method = method
        self.log = log

    def answer(self, raw: bytes, context: _Context) -> bytes:
        """Answer the call, or abort it."""
        begin = time.monotonic()
        left = context.time_remaining()
        with request_deadline(PATIENCE if left is None else min(PATIENCE, max(left - _MARGIN, left / 2))):
            outcome = self._outcome(raw)
        self._tell(outcome, context, time.monotonic() - begin)
        if outcome.refusal is not None:
            context.abort(outcome.refusal.code, _shortened(outcome.refusal.message))
        return outcome.answer

    def _outcome(self, raw: bytes) -> _Outcome:
        try:
            request = self._request.FromString(raw)
        except DecodeError as error:
            reason = "string field contains invalid UTF-8" if "UTF-8" in str(error) else _BROKEN
            why = f"grpc: error unmarshalling request: {reason}"
            return _Outcome(b"", RefusedError(StatusCode.INTERNAL, why), "")
        name = _name_in(request)
        try:
            return _Outcome(self._method(request).SerializeToString(), None, name)
        except EXPECTED as error:
            return _Outcome(b"", refusal_of(error), name)
        except Exception:
            self.log.exception("unhandled exception")
            why = "an error of matchboxctl's own, which its log tells"
            return _Outcome(b"", RefusedError(StatusCode.INTERNAL, why), name)

    def _tell(self, outcome: _Outcome, context: _Context, seconds: float) -> None:
        fields = {
            "rpc": self.path,
            "id": _shortened(outcome.name),
            "code": "OK" if outcome.refusal is None else outcome.refusal.code.name,
            "milliseconds": round(seconds * 1000, 3),
            "client": context.peer(),
            "certificate": _common_name(context),
        }
        if outcome.refusal is None:
            self.log.info("call", extra=fields)
        else:
            self.log.warning("call", extra={**fields, "reason": _shortened(outcome.refusal.message)})


def _shortened(text: str) -> str:
    """Its begin and its end, where it is too long: a reason stands at either."""
    half = LONGEST_MESSAGE // 2
    return text if len(text) <= LONGEST_MESSAGE else f"{text[:half]}…{text[-half:]}"


def _common_name(context: _Context) -> str:
    """Whose certificate the client has."""
    names: Any = context.auth_context().get("x509_common_name", [])
    return b", ".join(names).decode("utf-8", "replace")


def _name_in(request: Any) -> str:
    """The id or name that a request is about; empty for lists and selections."""
    for field, value in request.ListFields():
        if field.name in ("group", "profile"):
            return str(value.id)
        if field.name in ("id", "name"):
            return str(value)
    return ""
