"""Names of secrets, and the secrets that a template names.

A template has `{{secret "NAME"}}`, or `{{secret "NAME" "KEY"}}` for a value in a JSON or YAML document. NAME is a
string literal, so that what a template needs is known without data, and no machine's label chooses a secret.
"""

import re
from typing import NamedTuple

FUNCTION = "secret"
"""The function of templates."""

SECRETS_MANAGER = "sm:"
"""What the name of a secret in Secrets Manager begins with."""

MAX_NAME = 512
MAX_SEGMENTS = 12
"""SSM has fifteen levels, of which the prefix of a stack takes two."""

# In a directory hidden files are no secrets.
_SEGMENT = r"[A-Za-z0-9_][A-Za-z0-9_.-]*"
_IN_SECRETS_MANAGER = r"sm:[A-Za-z0-9/_+=.@-]+"


class InvalidNameError(ValueError):
    """What cannot be the name of a secret: the reason."""


class SecretReference(NamedTuple):
    """A secret that a template names, and the key in its document: empty for none, or one that is no literal."""

    name: str
    key: str = ""


def check_name(name: str) -> None:
    """Raises InvalidNameError unless `name` is one: `talos/prod/token`, or `sm:NAME` for Secrets Manager."""
    if len(name) > MAX_NAME:
        raise InvalidNameError(f"the name of a secret has {len(name)} characters, more than {MAX_NAME}")
    if name.startswith(SECRETS_MANAGER):
        if not re.fullmatch(_IN_SECRETS_MANAGER, name):
            raise InvalidNameError(f"{name!r} is not the name of a secret: sm: and a name as in Secrets Manager")
        return
    segments = name.split("/")
    if not all(re.fullmatch(_SEGMENT, each) for each in segments):
        raise InvalidNameError(
            f"{name!r} is not the name of a secret: parts with '/' between them, each of letters, digits, '_', '.' and "
            "'-', which begins with none of the last two"
        )
    if len(segments) > MAX_SEGMENTS:
        raise InvalidNameError(f"the name of secret {name!r} has {len(segments)} parts, more than {MAX_SEGMENTS}")


def references_in(source: bytes) -> frozenset[SecretReference]:
    """The secrets that a template names; none if it does not parse."""
    from lambda_matchbox.gotemplate.engine import literals_of

    return frozenset(SecretReference(*literals[:2]) for literals in literals_of(FUNCTION, source))
