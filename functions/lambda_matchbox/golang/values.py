"""Go's types that JSON does not have, as Python's with Go's name; functions of templates make them.

A value of a template is `bool`, `int` (Go's int), `float` (float64), `str` (the text of `go_text`), `list`
([]interface {}), `dict` (map[string]interface {}), nil, or one of these. A nil slice prints as an empty one and is null
in JSON.
"""


class GoValueError(ValueError):
    """A value that Go does not have, or that is out of range. The message does not quote it."""


class StringMap(dict[str, str]):
    """Go's map[string]string: a key that it has not reads as the empty string, not as nil."""


class NilMap(dict[str, object]):
    """A nil map[string]interface {}: it is read as an empty one, and cannot be written."""


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
    """A value of one of Go's structs, which prints as its method String has it.

    `kind` is that of reflection, `name` the type's.
    """

    kind = "struct"
    name = ""

    def text(self) -> str:
        """What the method String says."""
        raise NotImplementedError

    def in_json(self) -> str:
        """The string that stands for it in JSON."""
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
    """The name of Go's type, as %T shows it."""
    if isinstance(value, GoObject):
        return value.name
    return _NAMES.get(type(value), "<nil>")


def kind_name(value: object) -> str:
    """The name of the kind, as Go's reflection has it."""
    if isinstance(value, GoObject):
        return value.kind
    if isinstance(value, list):
        return "slice"
    if isinstance(value, dict):
        return "map"
    name = type_name(value)
    return "invalid" if name == "<nil>" else name


def is_nil_list(value: object) -> bool:
    """Whether it is a nil slice."""
    return isinstance(value, NilList | NilStringList)


def is_nil(value: object) -> bool:
    """Whether it is nil, of whatever type."""
    return value is None or isinstance(value, NilList | NilStringList | NilMap)
