"""The response of /generic: the rendered template."""

from collections.abc import Mapping

from lambda_matchbox.answers import rendered
from lambda_matchbox.catalog.templates import Template
from lambda_matchbox.golang.http.content_type import sniff
from lambda_matchbox.http import Response
from lambda_matchbox.secrets.function import MadeFunction, refused


def respond(template: Template, data: Mapping[str, object], secrets: MadeFunction = refused) -> Response:
    """The template rendered over `data` with these secrets. Raises RenderError."""
    return rendered.respond(template, data, secrets, _response)


def _response(_: str, text: bytes) -> Response:
    return Response.of(text, sniff(text), ranged=True)
