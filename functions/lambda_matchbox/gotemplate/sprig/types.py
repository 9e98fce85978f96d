"""What is a value, and are two the same?"""

from lambda_matchbox.golang.values import GoObject, is_nil_list, kind_name, type_name
from lambda_matchbox.gotemplate.limits import Allowance

_COMPARISON_WORK = 10


def same(allowance: Allowance, left: object, right: object) -> bool:
    """Go's reflect.DeepEqual: of one type, and all within the same. Raises FunctionError where it is too much."""
    allowance.take_work(_COMPARISON_WORK)
    if type_name(left) != type_name(right) or is_nil_list(left) != is_nil_list(right):
        return False
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(same(allowance, *pair) for pair in zip(left, right, strict=True))
    if isinstance(left, dict) and isinstance(right, dict):
        return len(left) == len(right) and all(
            key in right and same(allowance, value, right[key]) for key, value in left.items()
        )
    if isinstance(left, GoObject) and isinstance(right, GoObject):
        return left.text() == right.text()
    if isinstance(left, str):
        allowance.take_work(len(left) // 100)
    return left == right


PLAIN = {
    "kindIs": lambda kind, value: kind == kind_name(value),
    "kindOf": kind_name,
    "typeIs": lambda name, value: name == type_name(value),
    "typeIsLike": lambda name, value: type_name(value) in (name, "*" + name),
    "typeOf": type_name,
}
BOUNDED = {"deepEqual": same}
