"""Go's types that JSON does not have.

A value is `bool`, `int` (Go's int), `float` (float64), `str` (the text of `golang.text`), `list` ([]interface {}),
`dict` (map[string]interface {}), None (nil), or one of these. A nil slice prints as an empty one and is null in JSON.
"""


class GoValueError(ValueError):
    """A value that Go does not have or that is out of range. The message does not quote it."""


class StringMap(dict[str, str]):
    """Go's map[string]string: a missing key reads as the empty string, not as nil."""


class NilMap(dict[str, object]):
    """A nil map[string]interface {}: reads as an empty one and cannot be written to."""


class Int64(int):
    """Go's int64."""


class Uint64(int):
    """Go's uint64."""


class StringList(list[object]):
    """Go's []string."""


class IntList(list[object]):
    """Go's []int."""


class ListList(list[object]):
    """Go's [][]interface {}."""


class NilList(list[object]):
    """A nil []interface {}."""


class NilStringList(StringList):
    """A nil []string."""


class GoObject:
    """A value of a Go struct, which prints as its method String. `kind` and `name` are those of reflection."""

    kind = "struct"
    name = ""

    def text(self) -> str:
        """The result of the method String."""
        raise NotImplementedError

    def in_json(self) -> str:
        """The string for JSON."""
        return self.text()


_NAMES: dict[type, str] = {
    bool: "bool",
    int: "int",
    float: "float64",
    str: "string",
    list: "[]interface {}",
    dict: "map[string]interface {}",
    StringMap: "map[string]string",
    NilMap: "map[string]interface {}",
    Int64: "int64",
    Uint64: "uint64",
    StringList: "[]string",
    IntList: "[]int",
    ListList: "[][]interface {}",
    NilList: "[]interface {}",
    NilStringList: "[]string",
}


def type_name(value: object) -> str:
    """The name of the Go type, as %T prints it."""
    if isinstance(value, GoObject):
        return value.name
    return _NAMES.get(type(value), "<nil>")


def kind_name(value: object) -> str:
    """The name of the kind, as in Go's package reflect."""
    if isinstance(value, GoObject):
        return value.kind
    if isinstance(value, list):
        return "slice"
    if isinstance(value, dict):
        return "map"
    name = type_name(value)
    return "invalid" if name == "<nil>" else name


def is_nil_list(value: object) -> bool:
    """Whether the value is a nil slice."""
    return isinstance(value, NilList | NilStringList)


def is_nil(value: object) -> bool:
    """Whether the value is nil, of any type."""
    return value is None or isinstance(value, NilList | NilStringList | NilMap)
