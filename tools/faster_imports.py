"""Rewrite the modules of packages so that they are imported faster.

`python tools/faster_imports.py DIRECTORY...` rewrites the modules below them:

- The methods of dataclasses are written out, which Python makes and compiles at each import. Fields, arguments,
  equality, hash and representation stay; frozen objects can be changed, and dataclasses.fields() does not know them.
- Regular expressions of modules and classes are compiled when they are first used. That of the reader that PyYAML
  does not use beside libyaml takes half of its import.
- The modules of _DEFERRED are imported by the functions that use them.
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

_DEFERRED = frozenset({"inspect", "urllib.parse"})
"""Modules that take long to import, and that most templates do not need."""

# Python's own; each command of a template calls it.
_IS_METHOD = """
from types import MethodType

def ismethod(value):
    return isinstance(value, MethodType)
"""

_PATTERN = """
class _Pattern:
    def __init__(self, *arguments):
        self.arguments = arguments

    def __getattr__(self, name):
        value = getattr(re.compile(*self.arguments), name)
        setattr(self, name, value)
        return value
"""
_REPLACE = """
def replace(instance, /, **changes):
    return type(instance)(**{name: getattr(instance, name) for name in instance.__slots__} | changes)
"""

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


class _Field(NamedTuple):
    """A field of a dataclass, with the expression of its default value."""

    name: str
    value: ast.expr | None

    def option(self, name: str) -> ast.expr | None:
        """The argument of that name of `field(...)`."""
        if not (isinstance(self.value, ast.Call) and ast.unparse(self.value.func) == "field"):
            return None
        return next((each.value for each in self.value.keywords if each.arg == name), None)

    def is_in(self, name: str) -> bool:
        """Whether the field takes part in `init`, `repr` or `compare`."""
        return not (isinstance(option := self.option(name), ast.Constant) and option.value is False)

    @property
    def default(self) -> ast.expr | None:
        """The expression of the default value, if it is one for all."""
        is_field = isinstance(self.value, ast.Call) and ast.unparse(self.value.func) == "field"
        return self.option("default") if is_field else self.value


def rewritten(source: str) -> str:
    """The module that is imported faster."""
    module = ast.parse(source)
    for each in ast.walk(module):
        if isinstance(each, ast.ClassDef) and (options := _options(each)) is not None:
            _expand(each, options)
    pattern = ast.parse(_PATTERN).body
    body: list[ast.stmt] = []
    for statement in module.body:
        if isinstance(statement, ast.ImportFrom) and statement.module == "dataclasses":
            if any(each.name == "replace" for each in statement.names):
                body += ast.parse(_REPLACE).body
        elif isinstance(statement, ast.ImportFrom) and statement.module in _DEFERRED:
            if any(each.name == "ismethod" for each in statement.names):
                body += ast.parse(_IS_METHOD).body
            _defer(statement, module)
        else:
            if _Patterns().replaced(statement):
                body += pattern
                pattern = []
            body.append(statement)
    module.body = body
    return ast.unparse(module) + "\n"


class _Patterns(ast.NodeTransformer):
    """Replaces calls of re.compile outside of functions."""

    _found = False

    def replaced(self, statement: ast.stmt) -> bool:
        """Whether the statement had any."""
        self.visit(statement)
        return self._found

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        if ast.unparse(node.func) == "re.compile":
            self._found = True
            node.func = ast.Name("_Pattern", ast.Load())
        return node


def _defer(statement: ast.ImportFrom, module: ast.Module) -> None:
    """Put the import into the functions and methods that use its names, before the first statement that does."""
    bodies = [module.body, *(each.body for each in module.body if isinstance(each, ast.ClassDef))]
    for function in [each for body in bodies for each in body if isinstance(each, _FUNCTIONS)]:
        names = {each.name for each in statement.names} - {"ismethod"}
        used = [names & {each.id for each in ast.walk(one) if isinstance(each, ast.Name)} for one in function.body]
        if found := [ast.alias(name) for name in sorted(set().union(*used))]:
            first = next(index for index, each in enumerate(used) if each)
            function.body.insert(first, ast.ImportFrom(statement.module, found, 0))


def _options(found: ast.ClassDef) -> frozenset[str] | None:
    """What is said about a dataclass, such as `frozen=True`; None for another class."""
    for decorator in found.decorator_list:
        if ast.unparse(decorator).partition("(")[0] == "dataclass":
            return frozenset(map(ast.unparse, decorator.keywords if isinstance(decorator, ast.Call) else ()))
    return None


def _expand(found: ast.ClassDef, options: frozenset[str]) -> None:
    if unknown := options - {"frozen=True", "slots=True", "init=False"} | {"slots=True"} - options:
        raise ValueError(f"{found.name}: cannot expand a dataclass with or without {', '.join(sorted(unknown))}")
    found.decorator_list = []
    fields = [
        _Field(each.target.id, each.value)
        for each in found.body
        if isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name)
    ]
    found.body = [each for each in found.body if not isinstance(each, ast.AnnAssign)]
    own = {each.name for each in found.body if isinstance(each, ast.FunctionDef)}
    for method in ast.parse("\n".join(_members(fields, options, own))).body:
        if not isinstance(method, ast.FunctionDef) or method.name not in own:
            found.body.append(method)


def _members(fields: list[_Field], options: frozenset[str], own: set[str]) -> Iterator[str]:
    names = [each.name for each in fields]
    given = [each for each in fields if each.is_in("init")]
    yield f"__slots__ = {tuple(names)!r}"
    yield f"__match_args__ = {tuple(each.name for each in given)!r}"
    if "init=False" not in options:
        yield f"def __init__({', '.join(['self', *map(_parameter, given)])}):"
        # Frozen or not: the class has no __setattr__ of its own.
        yield from [f"    self.{each.name} = {_initial(each)}" for each in given] or ["    pass"]
        if "__post_init__" in own:
            yield "    self.__post_init__()"
    compared = [each.name for each in fields if each.is_in("compare")]
    pairs = " and ".join(f"self.{name} == other.{name}" for name in compared) or "True"
    yield "def __eq__(self, other):"
    yield f"    return {pairs} if other.__class__ is self.__class__ else NotImplemented"
    if "frozen=True" in options:
        yield f"def __hash__(self): return hash(({''.join(f'self.{name}, ' for name in compared)}))"
    shown = ", ".join(f"{each.name}={{self.{each.name}!r}}" for each in fields if each.is_in("repr"))
    yield f"def __repr__(self): return f'{{self.__class__.__qualname__}}({shown})'"


def _parameter(field: _Field) -> str:
    if field.default is not None:
        return f"{field.name}={ast.unparse(field.default)}"
    return field.name if field.option("default_factory") is None else f"{field.name}=..."


def _initial(field: _Field) -> str:
    factory = field.option("default_factory")
    return field.name if factory is None else f"({ast.unparse(factory)})() if {field.name} is ... else {field.name}"


def main(*directories: Path) -> None:
    """Rewrite the modules."""
    for path in sorted(each for directory in directories for each in directory.rglob("*.py")):
        if any(word in (source := path.read_text("utf-8")) for word in ("dataclass", "re.compile", *_DEFERRED)):
            path.write_text(rewritten(source), "utf-8")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
