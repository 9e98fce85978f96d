"""The delivery of a response's body: whole, in ranges, or around the load balancer."""

from lambda_matchbox.assets.boot_clients import follows_signed
from lambda_matchbox.assets.file_server import Delivery
from lambda_matchbox.errors import UndeliverableError
from lambda_matchbox.golang.http import content
from lambda_matchbox.http import Request, Response, ResponseStore

VERDICT = "matchbox-verdict"
"""The header with the gate's verdict and its reason, unless it is `allow`."""

DELIVERING_GROUP = "matchbox-delivering-group"
"""The header with the escaped id of a group for which GET of a configuration is a delivery."""

GATE_HEADERS = (VERDICT, DELIVERING_GROUP)


class ResponseDelivery:
    """Delivers responses; bodies that the load balancer cannot carry go to `responses`, None if nothing limits them."""

    def __init__(self, responses: ResponseStore | None, delivery: Delivery) -> None:
        self._responses = responses
        self._delivery = delivery

    def deliver(self, request: Request, response: Response) -> Response:
        """The response as the client gets it, or a redirect to where its body is.

        Raises UndeliverableError for a long body if the client does not follow that redirect.
        """
        if response.ranged:
            return self._ranged(request, response)
        responses = self._store_for(response.body)
        return response if responses is None else self._long(request, response, responses)

    def undivided(self, script: Response) -> Response:
        """The script, which must not be redirected: its relative addresses would then refer to another host.

        Raises UndeliverableError.
        """
        if self._store_for(script.body) is not None:
            raise UndeliverableError(f"the script has {self._over(script.body)}")
        return script

    def _ranged(self, request: Request, response: Response) -> Response:
        reply = content.serve(
            request.method,
            request.headers,
            size=len(response.body),
            content_type=response.headers["content-type"],
            boundary=self._delivery.boundary,
        )
        part = content.assemble(reply.body, response.body)
        responses = self._store_for(part)
        if responses is not None:
            return self._long(request, response, responses)
        kept = {name: response.headers[name] for name in (*GATE_HEADERS, "cache-control") if name in response.headers}
        return Response(reply.status, {**reply.headers, **kept}, part)

    def _store_for(self, body: bytes) -> ResponseStore | None:
        """The store for a body that is too long to be sent directly."""
        return None if len(body) <= self._delivery.direct_limit else self._responses

    def _long(self, request: Request, response: Response, responses: ResponseStore) -> Response:
        """The response by another way than the balancer's; Range is handled where the body is fetched."""
        if response.holds_secret:
            raise UndeliverableError(
                f"the response holds a secret, which is not stored in the bucket, and has {self._over(response.body)}"
            )
        if request.method == "HEAD":
            return response._replace(body=b"")
        address = responses.put(response.body, response.headers["content-type"], request.origin)
        user_agent = request.headers.get("user-agent", "")
        if not follows_signed(user_agent, address):
            client = user_agent.partition(" ")[0]
            raise UndeliverableError(
                f"{client!r} does not follow the redirect, and the response has {self._over(response.body)}"
            )
        return Response.redirect(302, address)

    def _over(self, body: bytes) -> str:
        return f"{len(body)} bytes, over the balancer's limit of {self._delivery.direct_limit}"
