"""Butane's recorded output, and the comparison with our translation.

Each vector is a Butane config, without a files directory, with Butane v0.29.0's output, its report by `--raw-errors`
and its exit status. `matchbox` is the response of matchbox's `/ignition`, with Butane v0.20.0.
"""

import base64
import gzip
import json
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

HERE = Path(__file__).parent / "butane" / "vectors"

Vector = dict[str, Any]


def vectors() -> list[Vector]:
    return [json.loads(path.read_text()) for path in sorted(HERE.glob("*.json"))]


def without_forms(value: object) -> object:
    """`value` with the content of each data URL instead of its encoding and compression."""
    if isinstance(value, list):
        return [without_forms(one) for one in value]
    if not isinstance(value, dict):
        return value
    if str(value.get("source", "")).startswith("data:"):
        decoded = contents_of(value["source"], value.get("compression", ""))
        rest = {name: without_forms(one) for name, one in value.items() if name not in {"source", "compression"}}
        return {**rest, "contents": decoded, "has compression": "compression" in value}
    return {name: without_forms(one) for name, one in value.items()}


def order(value: object) -> object:
    """The keys of all mappings in their order."""
    if isinstance(value, list):
        return [order(one) for one in value]
    return [(name, order(one)) for name, one in value.items()] if isinstance(value, dict) else None


def contents_of(url: str, compression: str) -> bytes:
    """The content of a data URL."""
    head, _, data = url.removeprefix("data:").partition(",")
    raw = base64.b64decode(data) if head == ";base64" else unquote_to_bytes(data)
    return gzip.decompress(raw) if compression == "gzip" and raw.startswith(b"\x1f\x8b") else raw
