"""Function URLs of a stack: who may invoke them, and their events, payload 2.0."""

import json
import uuid
from base64 import b64decode
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any
from urllib.parse import unquote

from tests.rigs.failure import RigFailedError
from tests.rigs.lambda_runtime import FunctionFailedError
from tests.stack.cloudfront.messages import Request, Response
from tests.stack.cloudfront.signatures import Principal, RefusedError, verified
from tests.stack.resolution import Stack

_RESPONSE_LIMIT = 6 * 1024 * 1024
# Lambda's guide, "Control access to Lambda function URLs": both since October 2025.
_NEEDED = ("lambda:InvokeFunctionUrl", "lambda:InvokeFunction")
_FORBIDDEN = (
    "Forbidden. For troubleshooting Function URL authorization issues, see: "
    "https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html"
)


class FunctionUrl:
    """A function URL by its logical id, and the function behind it."""

    def __init__(
        self, stack: Stack, name: str, invoke: Callable[[Any], Any], region: str, principals: Mapping[str, Principal]
    ) -> None:
        url = stack.properties(name)
        assert ("AWS_IAM", "BUFFERED") == (url["AuthType"], url["InvokeMode"])
        self.host = f"{name.lower()}.lambda-url.{region}.on.aws"
        alias = f"{url['TargetFunctionArn']}Alias{url['Qualifier']}".replace(">", "") + ">"
        self._permissions = [
            each for each in stack.of_type("AWS::Lambda::Permission").values() if each["FunctionName"] == alias
        ]
        self._invoke = invoke
        self._region = region
        self._principals = principals

    def respond(self, request: Request) -> Response:
        """What a request gets whose signature is verified, and whose principal may invoke the function."""
        try:
            principal = verified(request, "lambda", self._region, self._principals)
        except RefusedError as error:
            return _message(403, f"The request is refused: {error}")
        if not all(self._allowed(principal, action) for action in _NEEDED):
            return _message(403, _FORBIDDEN)
        try:
            response = self._invoke(_event(request, self.host))
        except (FunctionFailedError, RigFailedError):
            return _message(502, "Internal Server Error")
        if len(json.dumps(response)) > _RESPONSE_LIMIT:
            return _message(502, "Internal Server Error")
        return _response(response)

    def _allowed(self, principal: Principal, action: str) -> bool:
        return any(
            (each["Action"], each["Principal"]) == (action, principal.service)
            and each.get("SourceArn", principal.source_arn) == principal.source_arn
            and each.get("FunctionUrlAuthType", "AWS_IAM") == "AWS_IAM"
            for each in self._permissions
        )


def _event(request: Request, host: str) -> dict[str, Any]:
    """Lambda's guide, "Invoking Lambda function URLs"."""
    now = datetime.now(UTC)
    names = dict.fromkeys(name for name, _ in request.headers if name not in ("authorization", "cookie"))
    headers = {name: request.header(name) for name in names}
    headers["x-forwarded-for"] = f"{headers['x-forwarded-for']}, {request.client}"
    headers |= {"x-forwarded-proto": "https", "x-forwarded-port": "443"}
    headers["x-amzn-trace-id"] = f"Root=1-6870a108-{uuid.uuid4().hex[:24]}"
    parameters: dict[str, list[str]] = {}
    for name, _, value in (part.partition("=") for part in request.query.split("&") if part):
        parameters.setdefault(unquote(name), []).append(unquote(value))
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": request.path,
        "rawQueryString": request.query,
        "headers": headers,
        "requestContext": {
            "accountId": "123456789012",
            "apiId": host.partition(".")[0],
            "domainName": host,
            "domainPrefix": host.partition(".")[0],
            "http": {
                "method": request.method,
                "path": request.path,
                "protocol": "HTTP/1.1",
                "sourceIp": request.client,
                "userAgent": request.header("user-agent"),
            },
            "requestId": str(uuid.uuid4()),
            "routeKey": "$default",
            "stage": "$default",
            "time": now.strftime("%d/%b/%Y:%H:%M:%S +0000"),
            "timeEpoch": int(now.timestamp() * 1000),
        },
        "isBase64Encoded": False,
    }
    if parameters:
        event["queryStringParameters"] = {name: ",".join(values) for name, values in parameters.items()}
    if request.header("cookie"):
        event["cookies"] = [each.strip() for each in request.header("cookie").split(";")]
    return event


def _response(response: Mapping[str, Any]) -> Response:
    text = response.get("body") or ""
    body = b64decode(text) if response.get("isBase64Encoded") else text.encode()
    headers = {name.lower(): str(value) for name, value in response.get("headers", {}).items()}
    return Response(response["statusCode"], {"content-type": "application/json", **_dated(), **headers}, body)


def _message(status: int, text: str) -> Response:
    body = json.dumps({"Message": text}).encode()
    return Response(status, {"content-type": "application/json", **_dated()}, body)


def _dated() -> dict[str, str]:
    return {"date": format_datetime(datetime.now(UTC), usegmt=True), "x-amzn-requestid": str(uuid.uuid4())}
