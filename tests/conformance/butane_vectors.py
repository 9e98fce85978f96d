"""Butane's recorded answers, and how a translation of ours is held against them.

Each vector is a Butane text with what Butane v0.29.0 made of it: its output, its report by `--raw-errors`, its exit
status; `matchbox`, where it is there, is what matchbox's `/ignition` made of it with the Butane v0.20.0 in it.
"""

import base64
import gzip
import json
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

HERE = Path(__file__).parent / "butane" / "vectors"
# As the recordings were made: `butane --files-dir files`.
FILES = Path("files")

Vector = dict[str, Any]


def vectors() -> list[Vector]:
    return [json.loads(path.read_text()) for path in sorted(HERE.glob("*.json"))]


def write_files(vector: Vector) -> Path | None:
    """Write the files of a vector below `FILES` in the working directory; None if it has no files directory."""
    contents = {name: text.encode() for name, text in vector.get("files", {}).items()}
    contents |= {name: base64.b64decode(text) for name, text in vector.get("files_base64", {}).items()}
    if not contents and "files" not in vector:
        return None
    for name, raw in contents.items():
        path = FILES / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(raw)
        path.chmod(0o755 if name in vector.get("files_exec", []) else 0o644)
    for name, target in vector.get("files_symlinks", {}).items():
        (FILES / name).symlink_to(target)
    return FILES


def without_forms(value: object) -> object:
    """`value` with the bytes in place of each data URL and its compression, in whatever form these are written."""
    if isinstance(value, list):
        return [without_forms(one) for one in value]
    if not isinstance(value, dict):
        return value
    if str(value.get("source", "")).startswith("data:"):
        decoded = contents_of(value["source"], value.get("compression", ""))
        rest = {name: without_forms(one) for name, one in value.items() if name not in {"source", "compression"}}
        return {**rest, "contents": decoded, "has compression": "compression" in value}
    return {name: without_forms(one) for name, one in value.items()}


def contents_of(url: str, compression: str) -> bytes:
    """The bytes that a data URL stands for."""
    head, _, data = url.removeprefix("data:").partition(",")
    raw = base64.b64decode(data) if head == ";base64" else unquote_to_bytes(data)
    return gzip.decompress(raw) if compression == "gzip" and raw.startswith(b"\x1f\x8b") else raw
