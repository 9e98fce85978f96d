"""What a layer has in place of gotpl's dataclasses is as they are, and renders the same."""

import dataclasses
import importlib
import inspect
import pkgutil
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import gotpl
import pytest

from tests.support.paths import PROJECT
from tools import expand_dataclasses

MODULES = ("compile", "parse", "runtime", "_compat.gofmt")
RENDER = f"""
import sys
sys.path[:0] = [{str(PROJECT / "functions")!r}]
from lambda_matchbox.gotemplate.engine import render
sys.stdout.buffer.write(render(sys.argv[1].encode(), {{"a": [1, 2.25]}}, name="n"))
assert "dataclasses" not in sys.modules
"""


TEMPLATE = """{{range $i, $x := .a}}{{if $i}}, {{end}}{{printf "%05.1f|%-4q" $x "a"}}{{end}} {{upper "a" | quote}}"""


@pytest.fixture(scope="module")
def expanded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with gotpl as the layer has it."""
    directory = tmp_path_factory.mktemp("layer")
    shutil.copytree(Path(gotpl.__file__).parent, directory / "gotpl")
    (directory / "gotpl" / "__init__.py").write_text("")
    expand_dataclasses.main(directory / "gotpl")
    return directory


@pytest.mark.system
def test_templates_render_without_dataclasses(expanded: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", RENDER, TEMPLATE], env={"PYTHONPATH": str(expanded)}, capture_output=True, check=False
    )
    assert (b'001.0|"a" , 002.2|"a"  "A"', b"") == (done.stdout, done.stderr)


def test_classes_are_as_dataclasses(expanded: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = [
        f"gotpl.{package}.{module.name}"
        for package in MODULES
        for module in pkgutil.iter_modules(importlib.import_module(f"gotpl.{package}").__path__)
    ]
    before = {name: _dataclasses_of(importlib.import_module(name)) for name in names}
    with monkeypatch.context() as patch:
        patch.syspath_prepend(str(expanded))
        for name in [name for name in sys.modules if name.partition(".")[0] == "gotpl"]:
            patch.delitem(sys.modules, name)
        after = {name: importlib.import_module(name) for name in names}
        for name in [name for name in sys.modules if name.partition(".")[0] == "gotpl"]:
            del sys.modules[name]
    compared = [(one, getattr(after[name], one.__name__)) for name in names for one in before[name]]
    assert len(compared) > 50
    for one, other in compared:
        assert _shape(one) == _shape(other), one
        if _made(one) is not None:
            assert repr(_made(one)) == repr(_made(other))
            assert _made(other) == _made(other) != object()
            assert (one.__hash__ is None) == (other.__hash__ is None)


def _dataclasses_of(module: Any) -> list[type]:
    found = [each for each in vars(module).values() if isinstance(each, type) and each.__module__ == module.__name__]
    return [each for each in found if dataclasses.is_dataclass(each)]


def _shape(kind: Any) -> object:
    """The fields, and the names of arguments with those that have a default."""
    arguments = inspect.signature(kind).parameters.values()
    return kind.__slots__, kind.__match_args__, [(each.name, each.default is each.empty) for each in arguments]


def _made(kind: Any) -> object:
    """One whose arguments are texts; None if it takes no texts."""
    wanted = [each for each in inspect.signature(kind).parameters.values() if each.default is each.empty]
    try:
        return kind(*[each.name for each in wanted])
    except (TypeError, KeyError, AttributeError, ValueError):
        return None
