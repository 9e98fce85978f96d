"""How is a document answered that was made for a machine: whole, in parts, or by another way than the balancer's?"""

from typing import NamedTuple

from lambda_matchbox.answers.response_store import ResponseStore
from lambda_matchbox.assets.boot_clients import follows_signed
from lambda_matchbox.assets.file_server import Delivery
from lambda_matchbox.errors import AnswerTooLargeError
from lambda_matchbox.golang.http import content
from lambda_matchbox.http import Request, Response
from lambda_matchbox.web.alb import ACCEL_REDIRECT


class Document(NamedTuple):
    """What a route made. Of a `ranged` one Range is answered, as Go's `http.ServeContent` does it."""

    body: bytes
    content_type: str
    ranged: bool = False


class DocumentAnswers:
    """Answers documents; `answers` keeps those that the balancer cannot carry."""

    def __init__(self, answers: ResponseStore, delivery: Delivery) -> None:
        self._answers = answers
        self._delivery = delivery

    def answer(self, request: Request, document: Document) -> Response:
        """The answer with the document, or to where it is.

        Raises AnswerTooLargeError where it is long and the client does not go there.
        """
        if document.ranged:
            return self._ranged(request, document)
        if len(document.body) > self._delivery.direct_limit:
            return self._long(request, document)
        return whole(document)

    def script(self, body: bytes, content_type: str) -> Document:
        """A document that is never redirected: its relative addresses would then mean another host.

        Raises AnswerTooLargeError.
        """
        if len(body) > self._delivery.direct_limit:
            raise AnswerTooLargeError(f"the script has {self._over(body)}")
        return Document(body, content_type)

    def _ranged(self, request: Request, document: Document) -> Response:
        # HEAD is answered with the body, since the balancer counts it for Content-Length and drops it.
        reply = content.serve(
            "GET" if request.method == "HEAD" else request.method,
            request.headers,
            size=len(document.body),
            content_type=document.content_type,
            boundary=self._delivery.boundary,
        )
        part = content.assemble(reply.body, document.body)
        if len(part) > self._delivery.direct_limit:
            return self._long(request, document)
        return Response(reply.status, reply.headers, part)

    def _long(self, request: Request, document: Document) -> Response:
        """The answer by another way than the balancer's, whose end sees to Range."""
        body, kind, _ = document
        headers = {"content-type": kind, "content-length": str(len(body))}
        if request.method == "HEAD":
            return Response(200, headers)
        kept = self._answers.put(body, kind, request.origin)
        if kept.accel_redirect:
            return Response(200, {**headers, ACCEL_REDIRECT: kept.address})
        user_agent = request.headers.get("user-agent", "")
        if not follows_signed(user_agent, kept.address):
            client = user_agent.partition(" ")[0]
            raise AnswerTooLargeError(f"{client!r} follows no redirect, and the answer has {self._over(body)}")
        return Response(302, {"location": kept.address, "content-length": "0"})

    def _over(self, body: bytes) -> str:
        return f"{len(body)} bytes, over the balancer's limit of {self._delivery.direct_limit}"


def whole(document: Document) -> Response:
    """All of the document, whatever Range asks for."""
    headers = {"content-type": document.content_type, "content-length": str(len(document.body))}
    return Response(200, headers, document.body)
