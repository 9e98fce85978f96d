"""matchbox's recorded responses from templates, with the templates and their data."""

import base64
import json
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import parse_qsl

from lambda_matchbox.answers.template_data import template_data
from tests.support.paths import CONFORMANCE


class Recording(NamedTuple):
    target: str
    template_id: str
    source: bytes
    data: dict[str, object]
    response: bytes | None
    """None where matchbox responded with 404."""


def recordings(directory: str, route: str) -> Iterator[Recording]:
    """The recorded responses of a route to requests that name a group with a template by its label `t`."""
    root = CONFORMANCE / directory / "data"
    groups = [json.loads(path.read_text()) for path in sorted((root / "groups").iterdir())]
    for record in json.loads((CONFORMANCE / directory / "answers.json").read_text()):
        path, _, query = record["request"]["target"].partition("?")
        labels = dict(parse_qsl(query, keep_blank_values=True))
        group = next((group for group in groups if group["selector"].get("t") == labels.get("t")), None)
        if path != "/" + route or record["request"]["method"] == "HEAD" or group is None:
            continue
        profile_file = root / "profiles" / f"{group['profile']}.json"
        profile = json.loads(profile_file.read_text()) if profile_file.exists() else {}
        template_id = profile.get(f"{route}_id", "")
        template = root / route / template_id
        if route != "metadata" and not template.is_file():
            continue
        yield Recording(
            record["request"]["target"],
            template_id,
            template.read_bytes() if template.is_file() else b"",
            template_data(group.get("metadata", {}), group["selector"], labels, query),
            recorded_body(record["answer"]),
        )


def recorded_body(response: dict[str, str | int]) -> bytes | None:
    if response["status"] != 200:
        return None
    if "body_base64" in response:
        return base64.b64decode(str(response["body_base64"]))
    return str(response["body"]).encode()
