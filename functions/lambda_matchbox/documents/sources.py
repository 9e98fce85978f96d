"""Image sources in JSON documents. Unlike in matchbox's documents, unknown fields are errors."""

import base64
import json
import re
from typing import TYPE_CHECKING

from lambda_matchbox.documents.json_text import refusal, validated
from lambda_matchbox.oci.image_reference import (
    ImageReference,
    InvalidReferenceError,
    parse_image_reference,
    parse_platform,
)
from lambda_matchbox.oci.signatures.signers import KeylessSigner, KeySigner, Signer
from lambda_matchbox.releases.pointers import RECORD
from lambda_matchbox.releases.sources import DEFAULT_INTERVAL, DEFAULT_KEEP, DEFAULT_PLATFORM, Source

if TYPE_CHECKING:
    from lambda_matchbox.documents.models import SourceDocument, VerifyDocument

_MAX_PATH = 500
_MAX_KEPT = 100
# The id is part of object keys and directory names.
_SOURCE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}", re.ASCII)

# The Image Factory names a schematic by the SHA-256 of its content, and an installer's tag is the version of Talos.
_FACTORY, _INSTALLER = "factory.talos.dev", "metal-installer"
_SCHEMATIC = re.compile(r"[0-9a-f]{64}", re.ASCII)
_TALOS_VERSION = re.compile(r"v[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}(-[a-z]+\.[0-9]{1,3})?", re.ASCII)

_PUBLIC_KEY = re.compile(r"\s*-----BEGIN PUBLIC KEY-----([A-Za-z0-9+/=\s]+)-----END PUBLIC KEY-----\s*", re.ASCII)


def parse_source(name: str, text: bytes) -> Source:
    """The image source in a file called `name`.json. Raises DocumentError."""
    from lambda_matchbox.documents.models import SourceDocument

    document = validated(SourceDocument, text)
    if document.id != name:
        raise refusal(text, ("id",), f"{document.id!r} is not the file's name, {name!r}")
    return _source(document, text)


def parse_stand_in(text: bytes) -> Source:
    """The image source in the text of a file whose name is not known. Raises DocumentError."""
    from lambda_matchbox.documents.models import SourceDocument

    return _source(validated(SourceDocument, text), text)


def _source(document: "SourceDocument", text: bytes) -> Source:
    if not _SOURCE_ID.fullmatch(document.id):
        raise refusal(
            text, ("id",), f"{document.id!r} may only have letters, digits, `.`, `_` and `-`, and at most 128"
        )
    if document.id.endswith(".json"):
        # The id would also be the name of the file of pointers.
        raise refusal(text, ("id",), f"{document.id!r} must not end with `.json`")
    if not _is_relative(document.assets):
        raise refusal(text, ("assets",), f"{document.assets!r} is not a path below /assets/, such as talos/arm64")
    image = _image(document, text)
    try:
        platform = parse_platform(document.platform)
    except InvalidReferenceError as error:
        raise refusal(text, ("platform",), str(error)) from error
    if not 1 <= document.keep <= _MAX_KEPT:
        raise refusal(text, ("keep",), f"{document.keep} is not a number of releases from 1 to {_MAX_KEPT}")
    files = {name: tuple(map(_in_image, paths)) for name, paths in document.files.items()}
    for name, paths in files.items():
        if not _is_relative(name) or _is_made(name):
            raise refusal(
                text, ("files",), f"invalid file name {name!r}: the sync itself writes `.sha256` files and {RECORD}"
            )
        if not paths or not all(map(_is_relative, paths)):
            raise refusal(text, ("files",), f"{name!r} needs paths in the image, such as talos/arm64/vmlinuz")
        if below := [other for other in files if other.startswith(f"{name}/")]:
            raise refusal(text, ("files",), f"{name!r} is a file, and {below[0]!r} lies below it")
    interval = _interval(document.interval, text)
    signer = None if document.verify is None else _signer(document.verify, text)
    return Source(document.id, image, document.assets, platform, files, interval, document.keep, signer)


def _image(document: "SourceDocument", text: bytes) -> ImageReference:
    """The image that the document names, or that Talos's Image Factory builds of a schematic."""
    if not document.schematic and not document.version:
        if not document.image:
            raise refusal(text, ("image",), "missing")
        try:
            return parse_image_reference(document.image)
        except InvalidReferenceError as error:
            raise refusal(text, ("image",), str(error)) from error
    if document.image:
        raise refusal(text, ("image",), "give either `image`, or `schematic` and `version`")
    if not _SCHEMATIC.fullmatch(document.schematic):
        why = f"{document.schematic!r} is not the id of a schematic: 64 hexadecimal digits, in lower case"
        raise refusal(text, ("schematic",), why if document.schematic else "missing")
    if not _TALOS_VERSION.fullmatch(document.version):
        why = f"{document.version!r} is not a version of Talos, such as v1.13.0"
        raise refusal(text, ("version",), why if document.version else "missing")
    return ImageReference(_FACTORY, f"{_INSTALLER}/{document.schematic}", document.version, "")


def source_document(source: Source) -> dict[str, object]:
    """The source as a document, without default values."""
    fields: dict[str, object] = {"id": source.id, "image": str(source.image), "assets": source.assets}
    if source.platform != DEFAULT_PLATFORM:
        fields["platform"] = str(source.platform)
    if source.files:
        fields["files"] = {name: list(paths) for name, paths in source.files.items()}
    if source.interval != DEFAULT_INTERVAL:
        fields["interval"] = f"{source.interval}s"
    if source.keep != DEFAULT_KEEP:
        fields["keep"] = source.keep
    match source.signer:
        case KeySigner(pem):
            fields["verify"] = {"key": pem}
        case KeylessSigner(identity, issuer, root):
            root_field = {"trusted_root": json.loads(root) if root.startswith("{") else root} if root else {}
            fields["verify"] = {"identity": identity, "issuer": issuer, **root_field}
    return fields


def _signer(document: "VerifyDocument", text: bytes) -> Signer:
    if document.key is not None:
        if document.identity is not None or document.issuer is not None or document.trusted_root is not None:
            raise refusal(text, ("verify",), "give either `key`, or `identity` and `issuer`")
        if not _is_public_key(document.key):
            # Not shown: it may be the private one.
            raise refusal(text, ("verify", "key"), "not a public key; give the content of cosign.pub")
        return KeySigner(document.key)
    if not document.identity or not document.issuer:
        raise refusal(text, ("verify",), "give either `key`, or `identity` and `issuer`")
    root = document.trusted_root
    if root is not None and not isinstance(root, (str, dict)):
        raise refusal(text, ("verify", "trusted_root"), "neither a string nor an object")
    if isinstance(root, str) and not root.startswith("/"):
        raise refusal(text, ("verify", "trusted_root"), f"{root!r} is not an absolute path, nor the file's content")
    return KeylessSigner(document.identity, document.issuer, json.dumps(root) if isinstance(root, dict) else root or "")


def _is_public_key(pem: str) -> bool:
    found = _PUBLIC_KEY.fullmatch(pem)
    try:
        return found is not None and bool(base64.b64decode("".join(found[1].split()), validate=True))
    except ValueError:
        return False


def _interval(value: str, text: bytes) -> int:
    found = re.fullmatch(r"([1-9][0-9]{0,6})([smh])", value, re.ASCII)
    if found is None:
        raise refusal(text, ("interval",), f"{value!r} is not an interval, such as 30s, 10m or 1h")
    return int(found[1]) * {"s": 1, "m": 60, "h": 3600}[found[2]]


def _in_image(path: str) -> str:
    """The path without a leading `/` or `./`."""
    return path.removeprefix(".").lstrip("/") if path.startswith(("./", "/")) else path


def _is_relative(path: str) -> bool:
    """Whether the path is relative, normalised, and text that every store can hold."""
    parts = path.split("/")
    return path.isprintable() and len(path) <= _MAX_PATH and not any(part in ("", ".", "..") for part in parts)


def _is_made(name: str) -> bool:
    """Whether a sync itself writes a file of this name, or one where this name needs a directory."""
    parts = name.split("/")
    return parts[0] == RECORD or any(part.endswith(".sha256") for part in parts)
