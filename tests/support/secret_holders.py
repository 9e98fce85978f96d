"""A trace of the modules whose functions and objects have the value of a secret in their hands."""

import re
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import islice
from types import FrameType, FunctionType, MappingProxyType
from typing import Any, TypeAlias

import yaml

from tests.support.canaries import CANARY, has_trace

TraceFunction: TypeAlias = Callable[[FrameType, str, object], object]

_LEVELS = 4
_MEMBERS = 20
_SHORTEST = len(CANARY)
_ATOMS = frozenset({bool, float, int, type, type(None)})


class Holders:
    """Modules, by name patterns, each with the first place in it that held a value.

    A value that a function gets, returns, or has in a local when it ends is held by its module; what is returned is
    held by the caller's module too; what an object has in its attributes is held by the module of its class.
    """

    def __init__(self, looked_at: str, left_out: str) -> None:
        self.found: dict[str, str] = {}
        self._looked_at = re.compile(f"(?!{left_out})(?:{looked_at})")
        self._modules: dict[str, str | None] = {}

    @contextmanager
    def traced(self) -> Iterator[None]:
        """Trace this thread, and those that are started in the body."""
        before = sys.gettrace(), threading.gettrace()
        threading.settrace(self._called)
        sys.settrace(self._called)
        try:
            yield
        finally:
            sys.settrace(before[0])
            threading.settrace(before[1])  # type: ignore[arg-type]

    def _called(self, frame: FrameType, *_: object) -> TraceFunction | None:
        module = self._module_of(frame)
        if module is None:
            return None
        if module not in self.found:
            self._note_locals(module, frame)
        elif (caller := self._module_of(frame.f_back)) is None or caller in self.found:
            return None
        frame.f_trace_lines = False
        return self._returned

    def _returned(self, frame: FrameType, event: str, argument: object) -> None:
        if event != "return":
            return
        module, caller = self._module_of(frame), self._module_of(frame.f_back)
        if module is not None and module not in self.found:
            self._note_locals(module, frame)
        for holder in (module, caller):
            if holder is not None and holder not in self.found:
                self._note_value(holder, f"what {frame.f_code.co_qualname} returns", argument)

    def _note_locals(self, module: str, frame: FrameType) -> None:
        for name, value in frame.f_locals.items():
            self._note_value(module, f"{frame.f_code.co_qualname}: {name}", value)

    def _module_of(self, frame: FrameType | None) -> str | None:
        """The module of a function; None for one of other packages."""
        if frame is None:
            return None
        name: str = frame.f_globals.get("__name__", "")
        if name not in self._modules:
            self._modules[name] = name if self._looked_at.match(name) else None
        return self._modules[name]

    def _note_value(self, module: str, where: str, value: object) -> None:
        if _holds(value):
            self.found[module] = where
        elif type(value).__module__ == module and module not in self.found:
            for name, member in list(getattr(value, "__dict__", {}).items()):
                if _holds(member):
                    self.found[module] = f"{type(value).__qualname__}.{name}"


def _holds(value: Any) -> bool:
    """Whether a value of Python is or contains a text with the canary; objects are looked at by themselves."""
    level = [value]
    for _ in range(_LEVELS):
        below: list[Any] = []
        for one in level:
            kind = type(one)
            if kind is str or kind is bytes or kind is bytearray:
                if len(one) >= _SHORTEST and has_trace(one):
                    return True
            elif kind not in _ATOMS:
                below += _members(one)
        level = below
    return False


def _members(value: Any) -> list[Any]:
    """The first values in a container, an exception, a node of YAML or a function."""
    if isinstance(value, str | bytes):
        return [value[:]]
    if isinstance(value, dict | MappingProxyType):
        return [each for pair in islice(value.items(), _MEMBERS) for each in pair]
    if isinstance(value, list | tuple | set | frozenset):
        return [*islice(value, _MEMBERS)]
    if isinstance(value, yaml.Node):
        return [value.value]
    if isinstance(value, BaseException):
        return [*value.args, *getattr(value, "__notes__", ()), *getattr(value, "report", ())]
    if isinstance(value, partial):
        return [value.func, *value.args, *value.keywords.values()]
    if isinstance(value, FunctionType):
        return [cell.cell_contents for cell in value.__closure__ or () if _is_full(cell)]
    return []


def _is_full(cell: Any) -> bool:
    try:
        cell.cell_contents  # noqa: B018 (empty before its variable is set)
    except ValueError:
        return False
    return True
