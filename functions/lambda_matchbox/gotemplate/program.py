"""Templates compiled to gotpl's programs, with calls that limit output and loops."""

from collections.abc import Mapping
from functools import lru_cache
from itertools import islice, takewhile
from typing import Any, NamedTuple, TypeVar

from gotpl.compile.compiler import compile_template
from gotpl.compile.instructions import (
    CompiledCommand,
    CompiledPipeline,
    Instruction,
    OpCode,
    Operand,
    OperandKind,
    Program,
    RangeTarget,
)
from gotpl.errors import TemplateSyntaxError
from gotpl.parse.lexer import lex
from gotpl.parse.parser import ParserLimits, parse_template
from gotpl.parse.tokens import TokenKind

from lambda_matchbox.golang.text import text_of
from lambda_matchbox.gotemplate.errors import NumberError
from lambda_matchbox.gotemplate.sprig.names import ALLOWED

# A compiled template takes about fifty times the memory of its source.
_MAX_PROGRAMS = 32
_MAX_CACHED_SOURCE = 32 * 1024
# To parse so many takes about two seconds and 150 MB.
MAX_TOKENS = 150_000
MAX_SOURCE = 4 * 1024 * 1024

NIL_COMMAND = "_nil_command"
WRITTEN = "_written"
RANGED = "_ranged"
_SPRIG_NAMES = frozenset(name for functions in ALLOWED.values() for name in functions)


_T = TypeVar("_T")


class TemplateProgram(NamedTuple):
    """A program, the functions that it calls, and those of Sprig among them.

    `literals` has, for each of the caller's functions that it calls, the string literals that each call begins with.
    """

    program: Program
    names: frozenset[str]
    sprig_names: frozenset[str]
    literals: Mapping[str, frozenset[tuple[str, ...]]]


def template_program(source: bytes, own: tuple[str, ...] = ()) -> TemplateProgram:
    """The compiled template, cached if it is short; `own` are functions of the caller (see `engine.render`).

    Raises gotpl's TemplateSyntaxError, or NumberError.
    """
    return _kept(source, own) if len(source) <= _MAX_CACHED_SOURCE else _made(source, own)


def _made(source: bytes, own: tuple[str, ...]) -> TemplateProgram:
    text = text_of(source)
    if "nil" in text:
        text = _with_nil_commands(text)
    functions = (NIL_COMMAND, *_SPRIG_NAMES, *own)
    parser_limits = ParserLimits(max_source_bytes=MAX_SOURCE, max_tokens=MAX_TOKENS)
    try:
        parsed = parse_template(text, name="template", functions=functions, limits=parser_limits)
    except TemplateSyntaxError:
        raise
    except ValueError:
        # Python parses no integer of more than 4300 digits.
        raise NumberError from None
    program = compile_template(parsed, source=text)
    calls = _Calls(text, own)
    bounded = _bounded(program, calls)
    literals = {name: frozenset(found) for name, found in calls.literals.items()}
    return TemplateProgram(bounded, frozenset(calls.names), frozenset(calls.names & _SPRIG_NAMES), literals)


_kept = lru_cache(maxsize=_MAX_PROGRAMS)(_made)


def _with_nil_commands(text: str) -> str:
    """`text` with each `nil` that is a command, not an argument, replaced by a call that fails as in Go.

    gotpl accepts nil there: `{{if nil}}` and `{{nil | print}}` would render.
    """
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
    for token in islice(lex(text), MAX_TOKENS + 1):
        if token.kind is TokenKind.SPACE:
            continue
        if token.kind is TokenKind.NIL and (previous in openers or (previous in strings and before in names)):
            pieces += raw[done : token.start], NIL_COMMAND.encode()
            done = token.end
        before, previous = previous, token.kind
    return b"".join([*pieces, raw[done:]]).decode()


def replaced(part: _T, **changes: object) -> _T:
    """One of gotpl's objects with these changes; dataclasses takes longer to import than the whole of this package."""
    any_part: Any = part
    made: _T = type(any_part)(**{name: getattr(part, name) for name in any_part.__slots__} | changes)
    return made


def _bounded(program: Program, calls: "_Calls") -> Program:
    """The program with WRITTEN behind each pipeline that is written, and RANGED behind each that is ranged over.

    gotpl makes the text of a list before it counts it, and lists that contain each other twice have endless text. The
    functions that it calls are added to `calls`.
    """
    instructions = tuple(_bounded_instruction(one, calls) for one in program.instructions)
    definitions = tuple(_bounded(definition, calls) for definition in program.definitions)
    return replaced(program, instructions=instructions, definitions=definitions)


def _bounded_instruction(instruction: Instruction, calls: "_Calls") -> Instruction:
    start = instruction.source_start
    argument = instruction.argument
    pipeline = argument if isinstance(argument, CompiledPipeline) else getattr(argument, "pipeline", None)
    if pipeline is not None:
        calls.add(pipeline)
    if instruction.opcode is OpCode.WRITE_DOT:
        dot = CompiledCommand((Operand(OperandKind.DOT),))
        return Instruction(OpCode.WRITE_PIPELINE, _then(CompiledPipeline((), False, (dot,), start), WRITTEN), start)  # noqa: FBT003
    if instruction.opcode is OpCode.WRITE_PIPELINE and isinstance(argument, CompiledPipeline):
        return replaced(instruction, argument=_then(argument, WRITTEN))
    if isinstance(argument, RangeTarget):
        return replaced(instruction, argument=replaced(argument, pipeline=_then(argument.pipeline, RANGED)))
    return instruction


def _then(pipeline: CompiledPipeline, name: str) -> CompiledPipeline:
    last = CompiledCommand((Operand(OperandKind.FUNCTION, name),))
    return replaced(pipeline, commands=(*pipeline.commands, last))


class _Calls:
    """The functions that a template calls, and the literals that calls of the caller's `own` functions begin with."""

    def __init__(self, text: str, own: tuple[str, ...]) -> None:
        self.names: set[str] = set()
        self.literals: dict[str, set[tuple[str, ...]]] = {}
        self._text = text
        self._own = own

    def add(self, pipeline: CompiledPipeline) -> None:
        """Add the calls of a pipeline. Raises TemplateSyntaxError for one of `own` without a literal."""
        for command in pipeline.commands:
            for position, operand in enumerate(command.arguments):
                if operand.kind is OperandKind.FUNCTION and isinstance(operand.value, str):
                    self.names.add(operand.value)
                    if operand.value in self._own:
                        arguments = () if position else command.arguments[1:]
                        self._add_own(operand.value, arguments, pipeline.source_start)
                if operand.pipeline is not None:
                    self.add(operand.pipeline)

    def _add_own(self, name: str, arguments: tuple[Operand, ...], start: int) -> None:
        literals = tuple(str(one.value) for one in takewhile(lambda one: one.kind is OperandKind.STRING, arguments))
        if not literals:
            line = self._text.encode()[:start].count(b"\n") + 1
            reason = f"the first argument of {name} must be a string literal"
            raise TemplateSyntaxError(reason, position=start, line=line)
        self.literals.setdefault(name, set()).add(literals)
