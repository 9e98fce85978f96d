"""The response of /generic: the rendered template."""

from collections.abc import Mapping

from lambda_matchbox.answers.errors import translated_errors


def generic_answer(template_id: str, source: bytes, data: Mapping[str, object]) -> bytes:
    """The template `source` rendered over `data`. Raises RenderError."""
    from lambda_matchbox.gotemplate.engine import render

    with translated_errors(template_id):
        return render(source, data, name=template_id)
