"""Go's text/template: templates rendered as matchbox does, with the library gotpl behind this one module.

gotpl parses and runs a template. Its own functions are replaced by `template_functions`, and its data are such that
a template reaches nothing but JSON: no attribute and no method of a Python object. The parts of gotpl that are used
here are not what it promises to keep; its version is pinned.

Known differences from Go: `"\\xff"` in a literal is the character U+00FF, `{{and nil}}` is an error, the verb `%p`
shows no address, and `#` does nothing to the verbs of a float64.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING

from matchbox.errors import MatchboxError
from matchbox.go_format import StringMap
from matchbox.go_text import bytes_of, text_of, text_of_value
from matchbox.template_functions import FunctionError, template_functions

if TYPE_CHECKING:
    from gotpl import TemplateExecutionError, TemplateSyntaxError
    from gotpl.compile.instructions import Instruction, Program

# So many instructions take less than a second; the instructions of a template that is meant are some thousands.
_MOST_INSTRUCTIONS = 300_000
_MOST_FUNCTION_CALLS = 50_000
_MOST_OUTPUT = 8 * 1024 * 1024
_MOST_FUNCTION_TEXT = 2 * _MOST_OUTPUT
# A compiled template takes some fifty times the memory of its source.
_MOST_PROGRAMS = 32
_GREATEST_CACHED_SOURCE = 32 * 1024

_NIL_COMMAND = "_nil_command"


class TemplateError(MatchboxError):
    """A template does not parse or does not render.

    The message says which template, on which line and why. It holds no value of the data, and no text of a string in
    the template.
    """

    def __init__(self, name: str, line: int | None, reason: str) -> None:
        where = "" if line is None else f", line {line}"
        super().__init__(f"template {name!r}{where}: {reason}")
        self.name = name
        self.line = line
        self.reason = reason


def render(source: bytes, data: Mapping[str, object], *, name: str) -> bytes:
    """`source` executed over `data` with Go's option missingkey=error; `name` is what errors call it.

    `data` is what JSON holds. Numbers become float64, as where Go reads JSON. A lone surrogate of "surrogateescape"
    in a string comes out as its byte, and a source that is not UTF-8 keeps its bytes. A `StringMap` is Go's
    map[string]string.

    Raises:
        TemplateError: it does not parse, does not render, or takes too long or makes too much text.
    """
    if b"{{" not in source:
        return source
    from gotpl import TemplateExecutionError, TemplateSyntaxError

    try:
        program = _cached_program(source) if len(source) <= _GREATEST_CACHED_SOURCE else _program(source)
        return bytes_of(_executed(program, _go_value(data)))
    except (TemplateSyntaxError, TemplateExecutionError) as error:
        raise TemplateError(name, error.line, _reason(error)) from None
    except OverflowError:
        raise TemplateError(name, None, "a number of the data is too large for a float64") from None
    except RecursionError:
        raise TemplateError(name, None, "the template or its data are nested too deeply") from None


def _program(source: bytes) -> "Program":
    from gotpl.compile.compiler import compile_template
    from gotpl.parse.parser import parse_template

    text = text_of(source)
    if "nil" in text:
        text = _with_nil_commands(text)
    return compile_template(parse_template(text, name="template", functions=(_NIL_COMMAND,)), source=text)


_cached_program = lru_cache(maxsize=_MOST_PROGRAMS)(_program)


def _with_nil_commands(text: str) -> str:
    """`text` with each `nil` that is a command of its own, not an argument, made a call that fails as Go does.

    gotpl takes nil for a value there, so that `{{if nil}}` and `{{nil | print}}` would render.
    """
    from gotpl.parse.lexer import lex
    from gotpl.parse.tokens import TokenKind

    openers = {
        TokenKind.LEFT_DELIMITER,
        TokenKind.LEFT_PAREN,
        TokenKind.DECLARE,
        TokenKind.ASSIGN,
        TokenKind.IF,
        TokenKind.RANGE,
        TokenKind.WITH,
    }
    names = {TokenKind.TEMPLATE, TokenKind.BLOCK}
    strings = {TokenKind.STRING, TokenKind.RAW_STRING}
    pieces: list[bytes] = []
    raw = text.encode()
    done = 0
    before = previous = TokenKind.EOF
    for token in lex(text):
        if token.kind is TokenKind.SPACE:
            continue
        if token.kind is TokenKind.NIL and (previous in openers or (previous in strings and before in names)):
            pieces += raw[done : token.start], _NIL_COMMAND.encode()
            done = token.end
        before, previous = previous, token.kind
    return b"".join([*pieces, raw[done:]]).decode()


def _executed(program: "Program", data: object) -> str:
    from gotpl import ExecutionBudget, SandboxPolicy
    from gotpl.runtime.callables import PreparedFunctionRegistry
    from gotpl.runtime.sync_vm import render_program

    functions = {**template_functions(_MOST_FUNCTION_TEXT), _NIL_COMMAND: _nil_command}
    counter = [0]
    return render_program(
        _counted(program, counter),
        data,
        functions=PreparedFunctionRegistry(functions, dict.fromkeys(functions)),
        missing_key="error",
        sandbox=SandboxPolicy.strict(allow_functions=functions),
        budget=ExecutionBudget(max_output_chars=_MOST_OUTPUT, max_function_calls=_MOST_FUNCTION_CALLS),
    )


class _CountedInstructions(tuple["Instruction", ...]):
    """Instructions that count how many of them are fetched, in `counter`, which those of one rendering share.

    gotpl bounds iterations and the depth of calls, but not how many templates are called: twenty that call the next
    one twice are a million calls.
    """

    counter: list[int]

    def __getitem__(self, index):  # type: ignore[no-untyped-def]  # the overloads of tuple; gotpl asks for integers
        self.counter[0] += 1
        if self.counter[0] > _MOST_INSTRUCTIONS:
            from gotpl import BudgetExceededError

            raise BudgetExceededError("it takes too long")
        return super().__getitem__(index)


def _counted(program: "Program", counter: list[int]) -> "Program":
    from dataclasses import replace

    instructions = _CountedInstructions(program.instructions)
    instructions.counter = counter
    definitions = tuple(_counted(definition, counter) for definition in program.definitions)
    return replace(program, instructions=instructions, definitions=definitions)


def _nil_command(*_: object) -> object:
    raise FunctionError("nil is not a command")


def _go_value(value: object) -> object:
    """What JSON holds as the values of `go_format`, without any object that the caller could see changed."""
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
    raise TypeError(f"JSON holds no {type(value).__name__}")


# What gotpl says, and what is said instead; only names of the template are repeated.
_REASONS = (
    (r"missing key or attribute '(\w+)'", r"there is no value for \1"),
    (r"(?:attribute|property|method) '(\w+)' is not allowed", r"there is no \1 in what is no map"),
    (r"function '(\w+)' (?:is )?not defined", r"there is no function \1"),
    (r"undefined variable '(\$\w*)'", r"there is no variable \1"),
    (r"template '([\w.-]+)' is not defined", r"there is no template \1 in it"),
    (r"function '(\w+)' requires an argument", r"\1: at least one argument is wanted"),
    (r"function '(\w+)' failed.*", r"\1 failed"),
    (r"can't use .*", "a number gives one variable to range over, not two"),
    (r"unexpected '([.$]?[A-Za-z_]\w*|[^\w\s'\"`]+)'", r"unexpected \1"),
    (r"unexpected ['\"].*", "unexpected literal"),
    (r"([^'\":`]+)(?:['\":`].*)?", r"\1"),
)


def _reason(error: "TemplateSyntaxError | TemplateExecutionError") -> str:
    """Why, without what gotpl quotes: that may be a secret, of the data or of the template."""
    message = error.message if hasattr(error, "message") else str(error).split(": ", 1)[-1]
    if isinstance(error.__cause__, FunctionError):
        name = message.partition("'")[2].partition("'")[0]
        return str(error.__cause__) if name == _NIL_COMMAND else f"{name}: {error.__cause__}"
    for pattern, reason in _REASONS:
        found = re.fullmatch(pattern, message, re.DOTALL)
        if found:
            return " ".join(found.expand(reason).split())
    return "it does not render"
