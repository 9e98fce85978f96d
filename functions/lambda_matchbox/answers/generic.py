"""The response of /generic: the rendered template."""

from collections.abc import Mapping

from lambda_matchbox.answers.errors import translated_errors
from lambda_matchbox.catalog.templates import Template
from lambda_matchbox.golang.http.content_type import sniff
from lambda_matchbox.gotemplate.engine import render
from lambda_matchbox.http import Response


def respond(template: Template, data: Mapping[str, object]) -> Response:
    """The template rendered over `data`. Raises RenderError."""
    with translated_errors():
        rendered = render(template.body, data, name=template.id)
    return Response.of(rendered, sniff(rendered), ranged=True)
