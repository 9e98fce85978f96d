"""Templates compiled to gotpl's programs, with calls that limit output and loops."""

from dataclasses import replace
from functools import lru_cache
from itertools import islice
from typing import NamedTuple

from gotpl import TemplateSyntaxError
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


class TemplateProgram(NamedTuple):
    """A program, the functions that it calls, and those of Sprig among them."""

    program: Program
    names: frozenset[str]
    sprig_names: frozenset[str]


def template_program(source: bytes) -> TemplateProgram:
    """The compiled template, cached if it is short. Raises gotpl's TemplateSyntaxError, or NumberError."""
    return _kept(source) if len(source) <= _MAX_CACHED_SOURCE else _made(source)


def _made(source: bytes) -> TemplateProgram:
    text = text_of(source)
    if "nil" in text:
        text = _with_nil_commands(text)
    functions = (NIL_COMMAND, *_SPRIG_NAMES)
    parser_limits = ParserLimits(max_source_bytes=MAX_SOURCE, max_tokens=MAX_TOKENS)
    try:
        parsed = parse_template(text, name="template", functions=functions, limits=parser_limits)
    except TemplateSyntaxError:
        raise
    except ValueError:
        # Python parses no integer of more than 4300 digits.
        raise NumberError from None
    program = compile_template(parsed, source=text)
    names: set[str] = set()
    bounded = _bounded(program, names)
    return TemplateProgram(bounded, frozenset(names), frozenset(names & _SPRIG_NAMES))


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


def _bounded(program: Program, names: set[str]) -> Program:
    """The program with WRITTEN behind each pipeline that is written, and RANGED behind each that is ranged over.

    gotpl makes the text of a list before it counts it, and lists that contain each other twice have endless text. The
    names of called functions are added to `names`.
    """
    instructions = tuple(_bounded_instruction(one, names) for one in program.instructions)
    definitions = tuple(_bounded(definition, names) for definition in program.definitions)
    return replace(program, instructions=instructions, definitions=definitions)


def _bounded_instruction(instruction: Instruction, names: set[str]) -> Instruction:
    start = instruction.source_start
    argument = instruction.argument
    pipeline = argument if isinstance(argument, CompiledPipeline) else getattr(argument, "pipeline", None)
    if pipeline is not None:
        _collect(pipeline, names)
    if instruction.opcode is OpCode.WRITE_DOT:
        dot = CompiledCommand((Operand(OperandKind.DOT),))
        return Instruction(OpCode.WRITE_PIPELINE, _then(CompiledPipeline((), False, (dot,), start), WRITTEN), start)  # noqa: FBT003
    if instruction.opcode is OpCode.WRITE_PIPELINE and isinstance(argument, CompiledPipeline):
        return replace(instruction, argument=_then(argument, WRITTEN))
    if isinstance(argument, RangeTarget):
        return replace(instruction, argument=replace(argument, pipeline=_then(argument.pipeline, RANGED)))
    return instruction


def _then(pipeline: CompiledPipeline, name: str) -> CompiledPipeline:
    last = CompiledCommand((Operand(OperandKind.FUNCTION, name),))
    return replace(pipeline, commands=(*pipeline.commands, last))


def _collect(pipeline: CompiledPipeline, names: set[str]) -> None:
    for command in pipeline.commands:
        for operand in command.arguments:
            if operand.kind is OperandKind.FUNCTION and isinstance(operand.value, str):
                names.add(operand.value)
            if operand.pipeline is not None:
                _collect(operand.pipeline, names)
