"""A record of the AWS calls that reach moto, with the actions and resources that IAM sees."""

import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, NamedTuple
from urllib.parse import unquote

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, make_server

from lambda_matchbox.aws.keys import KEY
from tests.rigs.service import Service
from tests.support.server_threads import in_thread

_OF_TRANSACTIONS = {"ConditionCheck": "ConditionCheckItem", "Put": "PutItem", "Update": "UpdateItem"}


class Call(NamedTuple):
    """An action, and what it was done to: the name of a table, secret or parameter, `TABLE/index/INDEX`, `BUCKET/KEY`.

    `key` is that of a table's item; a call that names several is one for each.
    """

    action: str
    resource: str
    key: str = ""


class _Quiet(WSGIRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing."""


class _Recorder:
    """moto, and what it is asked."""

    def __init__(self, calls: set[Call]) -> None:
        self._calls = calls
        self._moto = DomainDispatcherApplication(create_backend_app)

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        target = environ.get("HTTP_X_AMZ_TARGET")
        if target is None:
            self._calls.update(_of_s3(environ))
        else:
            body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            environ["wsgi.input"] = io.BytesIO(body)
            self._calls.update(_of_target(target, json.loads(body)))
        response: Iterable[bytes] = self._moto(environ, start_response)
        return response


def _of_target(target: str, body: dict[str, Any]) -> Iterator[Call]:
    service, _, operation = target.partition(".")
    if service == "secretsmanager":
        yield Call(f"secretsmanager:{operation}", body.get("SecretId") or body["Name"])
    elif service == "AmazonSSM":
        yield from (Call(f"ssm:{operation}", name) for name in body["Names"])
    elif operation == "TransactWriteItems":
        for [(kind, each)] in map(dict.items, body["TransactItems"]):
            yield Call(f"dynamodb:{_OF_TRANSACTIONS[kind]}", each["TableName"], _key(each))
    elif operation == "BatchGetItem":
        for table, wanted in body["RequestItems"].items():
            yield from (Call("dynamodb:BatchGetItem", table, key[KEY]["S"]) for key in wanted["Keys"])
    else:
        index = f"/index/{body['IndexName']}" if "IndexName" in body else ""
        yield Call(f"dynamodb:{operation}", body["TableName"] + index, _key(body))


def _key(request: Mapping[str, Any]) -> str:
    found = request.get("Key") or request.get("Item")
    key: str = found[KEY]["S"] if found else ""
    return key


def _of_s3(environ: dict[str, Any]) -> Iterator[Call]:
    place = environ["PATH_INFO"].strip("/")
    match environ["REQUEST_METHOD"]:
        case "GET" | "HEAD":
            yield Call("s3:GetObject" if "/" in place else "s3:ListBucket", place)
        case "PUT":
            yield Call("s3:PutObject", place)
            if origin := environ.get("HTTP_X_AMZ_COPY_SOURCE"):
                yield Call("s3:GetObject", unquote(origin).strip("/"))
        case "DELETE":
            yield Call("s3:DeleteObject", place)
        case method:
            raise NotImplementedError(f"{method} {place}")


@contextmanager
def recorded_calls(moto: Service) -> Iterator[tuple[Service, set[Call]]]:
    """A server over the same tables and buckets, and the calls that it has got."""
    calls = set[Call]()
    server = make_server("127.0.0.1", 0, _Recorder(calls), threaded=False, request_handler=_Quiet)
    with in_thread(server):
        yield replace(moto, endpoint=f"http://127.0.0.1:{server.server_port}"), calls
