"""Values in secrets that are JSON or YAML documents."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import yaml

_MAX_PARTS = 100
_NULL = "tag:yaml.org,2002:null"


class NoValueError(ValueError):
    """A document without a value under a key: the reason, which quotes neither."""


def parse_document(text: str) -> "yaml.Node | None":
    """The top of the one document of `text`, None if it is empty. Raises NoValueError."""
    import yaml

    from lambda_matchbox.ignition.yaml import YamlError, documents

    raw = text.encode("utf-8", "replace")
    try:
        # libyaml's composer overflows the stack of what is nested too deeply.
        documents(raw, first_only=True)
        # Aliases are not expanded, and tags mean nothing.
        node: yaml.Node | None = yaml.compose(raw, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (YamlError, yaml.YAMLError):
        raise NoValueError("it is neither a JSON nor a YAML document") from None
    return node


def value_at(top: "yaml.Node | None", key: str) -> str:
    """The text, number or boolean at a key path such as `certs.etcd.key` or `nodes.0.name`, as it is written.

    Keys may have dots themselves: of those that fit, the longest counts. Raises NoValueError.
    """
    import yaml

    node = top
    # A machine may have chosen the key.
    rest = key.split(".", _MAX_PARTS)
    if len(rest) > _MAX_PARTS:
        raise NoValueError("it has no such key")
    while rest:
        for end in range(len(rest), 0, -1):
            below = _member(node, ".".join(rest[:end]))
            if below is not None:
                node, rest = below, rest[end:]
                break
        else:
            raise NoValueError("it has no such key")
    if not isinstance(node, yaml.ScalarNode) or node.tag == _NULL:
        raise NoValueError("what it has under the key is no text, number or boolean")
    value: str = node.value
    return value


def _member(node: "yaml.Node | None", key: str) -> "yaml.Node | None":
    import yaml

    if isinstance(node, yaml.SequenceNode):
        return next((value for number, value in enumerate(node.value) if str(number) == key), None)
    if isinstance(node, yaml.MappingNode):
        return next(
            (value for name, value in node.value if isinstance(name, yaml.ScalarNode) and name.value == key), None
        )
    return None
