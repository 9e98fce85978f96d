"""Nodes of YAML decoded to the structs of a config, as gopkg.in/yaml.v3 does."""

from collections import defaultdict
from collections.abc import Iterator
from itertools import islice
from typing import cast

from lambda_matchbox.golang.quote import quoted
from lambda_matchbox.ignition.butane.dialects import Dialect
from lambda_matchbox.ignition.butane.reading.yaml_nodes import (
    Alias,
    Mapping,
    Node,
    Scalar,
    Sequence,
    written_key,
)
from lambda_matchbox.ignition.butane.reading.yaml_scalars import (
    WrongTypeError,
    is_null,
    masked_tag,
    short_form,
    short_tag,
    shown,
    tag_problem,
    value_of,
)
from lambda_matchbox.ignition.butane.report import MAX_ENTRIES, ButaneError, Path, rest
from lambda_matchbox.ignition.butane.schema import SCALARS, Field, fields_of, package, type_text
from lambda_matchbox.ignition.butane.structs import Sourced, empty

# More than any config has, and few enough that aliases of aliases cost no time.
_MAX_BEHIND_ALIASES = 50_000
# Merged values are read again each time. So many take about two seconds in all stages together.
_MAX_VALUES = 100_000
# Nested merge keys: each looks at those before it and at all their members.
_MAX_MERGES = 100
# Each text is compressed, repeated ones too.
_MAX_TEXT = 16 * 1024 * 1024


def decoded(struct: str, document: Node | None, dialect: Dialect, *, prefix: str = "") -> Sourced:
    """`document` as a struct, with all structs and lists, and the scalars that the text has.

    Raises:
        ButaneError: values have the wrong type, keys repeat, or aliases and merge keys expand to too much.
    """
    reader = _Decoder(dialect, prefix)
    value = empty(struct, dialect, ())
    if document is not None:
        reader.read_struct(struct, document, f"{package(struct, dialect)}.{_go_name(struct)}", value)
    if reader.errors:
        more = [rest(reader.left_out)] if reader.left_out else []
        lines = "".join(f"\n  {line}" for line in (*(error for error, _ in reader.errors), *more))
        masked = (*(line for _, line in reader.errors), *more)
        raise ButaneError(f"{prefix}yaml: unmarshal errors:{lines}", masked=masked)
    return value


def resolved(node: Node) -> Node:
    """The target of an alias; any other node itself."""
    return node.target if isinstance(node, Alias) else node


def _go_name(struct: str) -> str:
    return "commonFields" if struct == "CommonFields" else struct


class _Decoder:
    """One decoding; `errors` has type errors in yaml.v3's words, and in words that quote no value.

    `left_out` counts those beyond the limit.
    """

    def __init__(self, dialect: Dialect, prefix: str) -> None:
        self.errors: list[tuple[str, str]] = []
        self.left_out = 0
        self._dialect = dialect
        self._prefix = prefix
        self._behind_aliases = 0
        self._values = 0
        self._text = 0
        self._active: list[Node] = []

    def read_struct(self, struct: str, node: Node, wanted: str, value: Sourced) -> bool:
        """Read `node` into `value`, an empty struct; returns whether it is a mapping."""
        if isinstance(node, Alias):
            self._enter(node)
            is_mapping = self.read_struct(struct, node.target, wanted, value)
            self._active.pop()
            return is_mapping
        if not isinstance(node, Mapping):
            self._refuse_unless_null(node, wanted)
            return False
        for field in fields_of(struct, self._dialect):
            if field.kind == "string!":
                value.setdefault(field.name, "")
        self._read_mapping(struct, node, wanted, value)
        return True

    def _read_mapping(
        self,
        struct: str,
        node: Mapping,
        wanted: str,
        value: Sourced,
        taken: set[str] | None = None,
        around: tuple[Mapping, ...] = (),
    ) -> None:
        """Read the members of a mapping, then those of its merge key, into `value`.

        `around` has the mappings that it is merged into. Their keys, and those merged before, are in `taken` and are
        left out; this mapping's keys are added to it.
        """
        if len(around) > _MAX_MERGES:
            reason = f"it takes too long: more than {_MAX_MERGES} merge keys behind each other"
            raise ButaneError(self._prefix + reason, masked=(f"line {node.position.line}: {reason}",))
        if self._has_repeated_keys(node):
            return
        fields = {field.key: field for field in fields_of(struct, self._dialect)}
        taken = set() if taken is None else taken
        merged: Node | None = None
        for key, member in node.pairs:
            if isinstance(key, Scalar) and key.value == "<<" and short_tag(key) == "!!merge":
                merged = member
                continue
            name = self._read_scalar("string", key, "string")
            if name in taken:
                # An alias has the name of another key.
                if name in fields and not around:
                    line = f"line {key.position.line}: field {name} already set in type {wanted}"
                    self._problem(line, line)
            elif isinstance(name, str):
                taken.add(name)
                if name in fields:
                    self._read_member(struct, fields[name], member, value)
        if merged is None:
            return
        for source in self._merged(merged):
            if any(source is one for one in (node, *around)):
                raise self._cycle(merged)
            self._count(len(source.pairs) + 1)
            self._read_mapping(struct, source, wanted, value, taken, (node, *around))

    def _read_member(self, struct: str, field: Field, node: Node, value: Sourced) -> None:
        kind = field.kind.rstrip("!0")
        wanted = type_text(struct, field, self._dialect)
        if kind.startswith("["):
            value[field.name] = self._read_list(field, kind[1:-1], node, wanted, value.origin)
        elif kind in SCALARS:
            found = self._read_scalar(kind, node, wanted)
            if found is not None:
                value[field.name] = found
        else:
            self.read_struct(kind, node, wanted, cast(Sourced, value[field.name]))

    def _read_list(self, field: Field, kind: str, node: Node, wanted: str, origin: Path) -> list[object]:
        if isinstance(node, Alias):
            self._enter(node)
            behind = self._read_list(field, kind, node.target, wanted, origin)
            self._active.pop()
            return behind
        if not isinstance(node, Sequence):
            self._refuse_unless_null(node, wanted)
            return []
        element = wanted.removeprefix("[]") if wanted.startswith("[]") else f"{wanted.partition('.')[0]}.HTTPHeader"
        result: list[object] = []
        # As in yaml.v3 null leaves no element.
        for item in node.items:
            if kind in {"string", "Device"}:
                found = self._read_scalar("string", item, element)
                if found is not None:
                    result.append(found)
                continue
            self._count()
            value = empty(kind, self._dialect, (*origin, field.key, len(result)))
            if self.read_struct(kind, item, element, value):
                result.append(value)
        return result

    def _read_scalar(self, kind: str, node: Node, wanted: str) -> object:
        if isinstance(node, Alias):
            self._enter(node)
            found = self._read_scalar(kind, node.target, wanted)
            self._active.pop()
            return found
        self._count()
        if not isinstance(node, Scalar):
            self._refuse(node, wanted)
            return None
        self._check_tag(node)
        if is_null(node):
            return None
        self._take_text(node.value)
        try:
            return value_of(node, kind)
        except WrongTypeError:
            self._refuse(node, wanted)
            return None

    def _take_text(self, text: str) -> None:
        self._text += len(text)
        if self._text > _MAX_TEXT:
            raise ButaneError(f"{self._prefix}it takes too long: more than {_MAX_TEXT} characters of text")

    def _merged(self, node: Node) -> Iterator[Mapping]:
        """The mappings in the value of a merge key: one, or a list of them."""
        for item in node.items if isinstance(node, Sequence) else [node]:
            source = resolved(item)
            if not isinstance(source, Mapping):
                raise ButaneError(
                    f"{self._prefix}yaml: map merge requires map or sequence of maps as the value",
                    masked=(f"line {item.position.line}: a merge key needs a mapping",),
                )
            yield source

    def _problem(self, text: str, masked: str) -> None:
        if len(self.errors) < MAX_ENTRIES:
            self.errors.append((text, masked))
        else:
            self.left_out += 1

    def _has_repeated_keys(self, node: Mapping) -> bool:
        """Whether keys are written alike. Each is reported once for every one before it."""
        # From the last to the first.
        alike = defaultdict(list)
        for key, _ in reversed(node.pairs):
            alike[type(key), written_key(key)].append(key.position.line)
        if len(alike) == len(node.pairs):
            return False
        for key, _ in node.pairs:
            text = written_key(key)
            lines = alike[type(key), text]
            first = lines.pop()
            room = MAX_ENTRIES - len(self.errors)
            for line in islice(reversed(lines), room):
                self._take_text(text)
                problem = f"line {line}: mapping key {quoted(text)} already defined at line {first}"
                self._problem(problem, f"line {line}: a key is already defined at line {first}")
            self.left_out += max(0, len(lines) - room)
        return True

    def _check_tag(self, node: Scalar) -> None:
        """Raise ButaneError for a value that does not fit its tag."""
        reason = tag_problem(node)
        if reason:
            hidden = f"line {node.position.line}: a value is not of the type of its tag"
            raise ButaneError(f"{self._prefix}yaml: {reason}", masked=(hidden,))

    def _refuse_unless_null(self, node: Node, wanted: str) -> None:
        self._count()
        if isinstance(node, Scalar):
            self._check_tag(node)
        if not (isinstance(node, Scalar) and is_null(node)):
            self._refuse(node, wanted)

    def _refuse(self, node: Node, wanted: str) -> None:
        if isinstance(node, Mapping) and self._has_repeated_keys(node):
            return
        if isinstance(node, Scalar):
            tag, text = short_tag(node), shown(node)
        else:
            own = "!!map" if isinstance(node, Mapping) else "!!seq"
            tag = own if isinstance(node, Alias) or node.tag in {"", "!"} else short_form(node.tag)
            text = tag if tag in {"!!map", "!!seq"} else f"{tag} ``"
        line = f"line {node.position.line}: cannot unmarshal"
        self._problem(f"{line} {text} into {wanted}", f"{line} {masked_tag(tag)} into {wanted}")

    def _enter(self, alias: Alias) -> None:
        if any(alias.target is node for node in self._active):
            raise self._cycle(alias)
        self._active.append(alias.target)

    def _cycle(self, node: Node) -> ButaneError:
        name = node.name if isinstance(node, Alias) else ""
        return ButaneError(
            f"{self._prefix}yaml: anchor '{name}' value contains itself",
            masked=(f"line {node.position.line}: an anchor's value contains itself",),
        )

    def _count(self, merged: int = 0) -> None:
        """Count a node, or the nodes of a merge key or alias, which have a limit of their own."""
        self._values += 1
        if self._values > _MAX_VALUES:
            raise ButaneError(f"{self._prefix}it takes too long: more than {_MAX_VALUES} values")
        if self._active or merged:
            self._behind_aliases += merged or 1
            if self._behind_aliases > _MAX_BEHIND_ALIASES:
                raise ButaneError(f"{self._prefix}yaml: document contains excessive aliasing")
