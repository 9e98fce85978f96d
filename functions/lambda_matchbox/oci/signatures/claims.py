"""What a signature says: the digests of the images that its payload names.

cosign has two kinds of payloads: "simple signing" (containers-signature(5)), and statements (in-toto attestation
framework, "Statement") with a predicate type of its own.
"""

import json
from typing import Any

from lambda_matchbox.oci.errors import SignatureError

SIMPLE_SIGNING = "application/vnd.dev.cosign.simplesigning.v1+json"
IN_TOTO = "application/vnd.in-toto+json"

_IMAGE_SIGNATURE = "cosign container image signature"
_STATEMENTS = frozenset({"https://in-toto.io/Statement/v0.1", "https://in-toto.io/Statement/v1"})
_SIGN = "https://sigstore.dev/cosign/sign/v1"


def signed_digests(payload_type: str, payload: bytes) -> frozenset[str]:
    """The digests that a payload of this type says are signed. Raises SignatureError."""
    try:
        content = json.loads(payload)
        if payload_type == SIMPLE_SIGNING:
            return _of_simple_signing(content["critical"])
        if payload_type == IN_TOTO:
            return _of_statement(content)
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError) as error:
        raise SignatureError(f"its payload is not one of {payload_type}") from error
    raise SignatureError(f"its payload has the unknown type {payload_type!r}")


def _of_simple_signing(critical: dict[str, Any]) -> frozenset[str]:
    if critical["type"] != _IMAGE_SIGNATURE:
        raise SignatureError(f"it signs a {critical['type']!r}, not a {_IMAGE_SIGNATURE!r}")
    return frozenset({str(critical["image"]["docker-manifest-digest"])})


def _of_statement(statement: dict[str, Any]) -> frozenset[str]:
    # With the same key attestations are signed: a report of faults is no approval.
    if statement["_type"] not in _STATEMENTS or statement["predicateType"] != _SIGN:
        raise SignatureError(f"it is an attestation {statement['predicateType']!r}, not a signature {_SIGN!r}")
    return frozenset(f"sha256:{subject['digest']['sha256']}" for subject in statement["subject"])
