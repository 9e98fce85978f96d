"""The function `secret` of templates."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import TypeAlias

from lambda_matchbox.gotemplate.errors import FunctionError
from lambda_matchbox.secrets.documents import NoValueError, parse_document, value_at
from lambda_matchbox.secrets.references import InvalidNameError, check_name
from lambda_matchbox.secrets.stores import SecretStore

Function: TypeAlias = Callable[..., object]
MadeFunction: TypeAlias = Callable[[frozenset[tuple[str, ...]]], Function]
"""From the literals that a template's calls begin with to its function."""

PLACEHOLDER = "cGxhY2Vob2xkZXItc2VjcmV0"
"""A text in base64: Talos expects it of keys and certificates, and some templates decode it."""


def made_up(value: str) -> MadeFunction:
    """The function that gives this text for every secret, for checks without values."""

    def made(literals: frozenset[tuple[str, ...]]) -> Function:
        names = _checked(literals)

        def secret(*arguments: object) -> str:
            _pair(arguments, names)
            return value

        return secret

    return made


placeholders = made_up(PLACEHOLDER)
"""The function with a text that is known as none of them."""


def refused(literals: frozenset[tuple[str, ...]]) -> Function:
    """No function, where nobody has checked a token."""
    raise FunctionError(
        f"{', '.join(sorted(_checked(literals)))}: secrets are given only to machines of groups whose boot policy has"
        ' "token": true'
    )


def stored_in(store: SecretStore) -> MadeFunction:
    """The function over a store, which is asked once for each rendering."""

    def made(literals: frozenset[tuple[str, ...]]) -> Function:
        names = _checked(literals)
        return _function_over(store.values(names), names)

    return made


def _function_over(values: Mapping[str, str], names: frozenset[str]) -> Function:
    parsed = cache(lambda name: parse_document(values[name]))

    def secret(*arguments: object) -> str:
        name, key = _pair(arguments, names)
        if name not in values:
            raise FunctionError(f"there is no secret {name!r}")
        if not key:
            return values[name]
        try:
            return value_at(parsed(name), key)
        except NoValueError as error:
            raise FunctionError(f"secret {name!r}: {error}") from None

    return secret


def _checked(literals: frozenset[tuple[str, ...]]) -> frozenset[str]:
    names = frozenset(name for name, *_ in literals)
    for name in names:
        try:
            check_name(name)
        except InvalidNameError as error:
            raise FunctionError(str(error)) from None
    return names


def _pair(arguments: tuple[object, ...], names: frozenset[str]) -> tuple[str, str]:
    """The name and the key, empty for none."""
    name, *keys = arguments
    if len(keys) > 1:
        raise FunctionError("a name and a key at most are required")
    if name not in names or not all(isinstance(key, str) and key for key in keys):
        raise FunctionError("the name and the key must be strings that are not empty")
    return str(name), str(keys[0]) if keys else ""
