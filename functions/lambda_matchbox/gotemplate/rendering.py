"""Templates executed by gotpl.

gotpl parses and runs a template, with the functions of `functions` and `sprig` and with data of which a template
reaches nothing but JSON: no attribute or method of a Python object. Some modules used here are internal to gotpl: its
version is pinned.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache, partial
from typing import TYPE_CHECKING

from gotpl.compile.instructions import Instruction, Program
from gotpl.errors import BudgetExceededError, TemplateExecutionError, TemplateSyntaxError
from gotpl.runtime import sync_vm
from gotpl.runtime.callables import PreparedFunctionRegistry
from gotpl.runtime.policy import ExecutionBudget, SandboxPolicy
from gotpl.runtime.values import INVALID

from lambda_matchbox.golang.print import sprint
from lambda_matchbox.golang.text import bytes_of, text_of_value
from lambda_matchbox.golang.values import GoObject, StringMap
from lambda_matchbox.gotemplate.errors import FunctionError, NumberError, TemplateError
from lambda_matchbox.gotemplate.functions import printed, template_functions
from lambda_matchbox.gotemplate.limits import MAX_INSTRUCTIONS, MAX_OUTPUT, Limits
from lambda_matchbox.gotemplate.program import (
    MAX_SOURCE,
    MAX_TOKENS,
    NIL_COMMAND,
    RANGED,
    WRITTEN,
    TemplateProgram,
    replaced,
    template_program,
)
from lambda_matchbox.gotemplate.sprig.calls import sprig_functions
from lambda_matchbox.gotemplate.sprig.names import LEFT_OUT

if TYPE_CHECKING:
    from lambda_matchbox.gotemplate.engine import Literals, OwnFunctions

_PREDEFINED = frozenset(template_functions(Limits()))
# gotpl inspects its own functions before the first template. All of them are replaced here, but for `call`, which
# sandboxes do not have.
sync_vm._builtin_functions = lambda _: PreparedFunctionRegistry({}, {})  # type: ignore[assignment]  # noqa: SLF001
_BUDGET = ExecutionBudget(max_output_chars=MAX_OUTPUT)


def render(source: bytes, data: Mapping[str, object], name: str, functions: "OwnFunctions") -> bytes:
    """See `engine.render`."""
    with _explained(name):
        template = template_program(source, tuple(functions))
        own = {each: _own_function(functions[each](literals)) for each, literals in template.literals.items()}
        return bytes_of(_executed(template, _go_value(data), own))


def check_syntax(source: bytes, name: str, functions: tuple[str, ...]) -> None:
    """See `engine.check_syntax`."""
    with _explained(name):
        template_program(source, functions)


def literals_of(function: str, source: bytes) -> "Literals":
    """See `engine.literals_of`."""
    try:
        return template_program(source, (function,)).literals.get(function, frozenset())
    except (TemplateSyntaxError, NumberError, RecursionError):
        return frozenset()


def sprig_functions_in(source: bytes) -> frozenset[str]:
    """See `engine.sprig_functions_in`."""
    try:
        return template_program(source).sprig_names
    except (TemplateSyntaxError, NumberError, RecursionError):
        return frozenset()


@contextmanager
def _explained(name: str) -> Iterator[None]:
    """Raise TemplateError for errors of the body, which renders the template of that name."""
    try:
        yield
    except (TemplateSyntaxError, TemplateExecutionError) as error:
        raise TemplateError(name, error.line, _reason(error)) from None
    except FunctionError as error:
        raise TemplateError(name, None, str(error)) from None
    except NumberError:
        raise TemplateError(name, None, "a number in it has too many digits") from None
    except OverflowError:
        raise TemplateError(name, None, "a number of the data is too large for a float64") from None
    except RecursionError:
        raise TemplateError(name, None, "the template or its data are nested too deeply") from None


def _own_function(function: Callable[..., object]) -> Callable[..., object]:
    return lambda *arguments: _go_value(function(*arguments))


def _executed(template: TemplateProgram, data: object, own: Mapping[str, Callable[..., object]]) -> str:
    limits = Limits()
    predefined = {} if template.names.isdisjoint(_PREDEFINED) else template_functions(limits)
    functions: dict[str, Callable[..., object]] = {
        **{name: one for name, one in predefined.items() if name in template.names},
        NIL_COMMAND: _nil_command,
        WRITTEN: partial(_written, limits),
        RANGED: partial(_ranged, limits),
        **sprig_functions(limits, template.sprig_names),
        **own,
    }
    return sync_vm.render_program(
        _counted(template.program, [0]),
        data,
        functions=PreparedFunctionRegistry(functions, dict.fromkeys(functions)),
        missing_key="error",
        sandbox=_sandbox(frozenset(functions)),
        budget=_BUDGET,
    )


@lru_cache(maxsize=64)
def _sandbox(functions: frozenset[str]) -> SandboxPolicy:
    return SandboxPolicy(allow_functions=functions, allow_custom_lookup=True)


def _written(limits: Limits, *values: object) -> object:
    """The value to be written; lists, maps and objects as text, which gotpl would not count."""
    if values and isinstance(values[0], list | dict | GoObject):
        return printed(limits, sprint, values)
    return values[0] if values else INVALID


def _ranged(limits: Limits, *values: object) -> object:
    """The value to be ranged over: gotpl sorts the keys of a map each time."""
    if values and isinstance(values[0], dict):
        limits.take_work(len(values[0]))
    return values[0] if values else INVALID


class _CountedInstructions(tuple[Instruction, ...]):
    """Instructions that count in `counter`, shared by one rendering, how many of them are fetched.

    gotpl limits iterations and the depth of calls, but not the number of templates called: twenty templates that each
    call the next one twice are a million calls.
    """

    counter: list[int]

    def __getitem__(self, index):  # type: ignore[no-untyped-def]  # the overloads of tuple; gotpl asks for integers
        self.counter[0] += 1
        if self.counter[0] > MAX_INSTRUCTIONS:
            raise BudgetExceededError(f"more than {MAX_INSTRUCTIONS} instructions")
        return super().__getitem__(index)


def _counted(program: Program, counter: list[int]) -> Program:
    instructions = _CountedInstructions(program.instructions)
    instructions.counter = counter
    definitions = tuple(_counted(definition, counter) for definition in program.definitions)
    return replaced(program, instructions=instructions, definitions=definitions)


def _nil_command(*_: object) -> object:
    raise FunctionError("nil is not a command")


def _go_value(value: object) -> object:
    """A value of JSON as Go's value (see `golang.values`), copied so that the caller sees no change."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return text_of_value(value)
    if isinstance(value, int | float):
        return float(value)
    if isinstance(value, StringMap):
        return StringMap({text_of_value(key): text_of_value(one) for key, one in value.items()})
    if isinstance(value, Mapping):
        return {text_of_value(key): _go_value(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_go_value(one) for one in value]
    raise TypeError(f"JSON has no {type(value).__name__}")


# Patterns of gotpl's messages with our reasons, which quote only names of the template.
_REASONS = (
    (r"missing key or attribute '(\w+)'", r"there is no value for \1"),
    (r"(?:attribute|property|method) '(\w+)' is not allowed", r"there is no \1: the value is not a map"),
    (r"function '(\w+)' (?:is )?not defined", r"there is no function \1"),
    (r"template token limit exceeded", f"more than {MAX_TOKENS} tokens"),
    (r"template source size limit exceeded", f"more than {MAX_SOURCE} bytes of a template that has actions"),
    (r"output character budget exceeded.*", f"more than {MAX_OUTPUT} characters of output"),
    (r"undefined variable '(\$\w*)'", r"there is no variable \1"),
    (r"template '([\w.-]+)' is not defined", r"there is no template \1 in it"),
    (r"function '(\w+)' requires an argument", r"\1: at least one argument is required"),
    (r"function '(\w+)' failed.*", r"\1 failed"),
    (r"can't use .*", "a range over a number has one variable, not two"),
    (r"unexpected '([.$]?[A-Za-z_]\w*|[^\w\s'\"`]+)'", r"unexpected \1"),
    (r"unexpected ['\"].*", "unexpected literal"),
    (r"([^'\":`]+)(?:['\":`].*)?", r"\1"),
)


def _reason(error: TemplateSyntaxError | TemplateExecutionError) -> str:
    """The reason, without the values that gotpl quotes: they may be secrets of the data or the template."""
    message = error.message if hasattr(error, "message") else str(error).split(": ", 1)[-1]
    if isinstance(error.__cause__, FunctionError):
        name = message.partition("'")[2].partition("'")[0]
        return str(error.__cause__) if name.startswith("_") else f"{name}: {error.__cause__}"
    for pattern, reason in _REASONS:
        found = re.fullmatch(pattern, message, re.DOTALL)
        if found:
            return " ".join(found.expand(reason).split()) + _why_left_out(found[1] if found.re.groups else "")
    return "it does not render"


def _why_left_out(name: str) -> str:
    why = next((reason for reason, names in LEFT_OUT.items() if name in names), None)
    return "" if why is None else f" (Sprig's is left out: {why})"
