"""What a layer has in place of modules of gotpl and PyYAML does the same."""

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
import yaml

from tests.support.paths import PROJECT
from tools import faster_imports

MODULES = ("compile", "parse", "runtime", "_compat.gofmt")
RENDER = f"""
import sys
sys.path[:0] = [{str(PROJECT / "functions")!r}]
from lambda_matchbox.gotemplate.engine import render
sys.stdout.buffer.write(render(sys.argv[1].encode(), {{"a": [1, 2.25]}}, name="n"))
assert not sys.modules.keys() & {{"dataclasses", "inspect", "urllib.parse"}}
"""
READ = """
import sys, yaml
assert yaml.__with_libyaml__
for text in sys.argv[1:]:
    for loader in yaml.SafeLoader, yaml.CSafeLoader:
        try:
            print(yaml.load(text, loader))
        except yaml.YAMLError as error:
            print(type(error).__name__, error)
"""
TEXTS = (
    "[null, ~, yes, 0x1f, 1_0, 1.5e+3, .inf, 190:20:30.15, 2001-12-14t21:59:43.10-05:00, 2002-12-14, =, <, '1', x]",
    "{a: &a {b: 1}, c: {<<: *a}}",
    "a: \x01",
    "a: \ufffe\U0010ffff",
    "\ud7ff\ue000\x85",
    "[",
)
TEMPLATE = """{{range $i, $x := .a}}{{if $i}}, {{end}}{{printf "%05.1f|%-4q" $x "a"}}{{end}} {{upper "a" | quote}}"""


@pytest.fixture(scope="module")
def rewritten(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with both packages as the layer has them."""
    directory = tmp_path_factory.mktemp("layer")
    for package in (gotpl, yaml):
        shutil.copytree(Path(package.__file__).parent, directory / package.__name__)
    (directory / "gotpl" / "__init__.py").write_text("")
    faster_imports.main(directory / "gotpl", directory / "yaml")
    return directory


@pytest.mark.system
def test_yaml_is_read_as_by_the_original(rewritten: Path) -> None:
    original, other = (
        subprocess.check_output([sys.executable, "-c", READ, *TEXTS], env={"PYTHONPATH": str(path)}, text=True)
        for path in (Path(yaml.__file__).parents[1], rewritten)
    )
    assert original == other
    assert "ReaderError" in original
    assert "_Pattern(" in (rewritten / "yaml" / "reader.py").read_text()


@pytest.mark.system
def test_templates_render_without_slow_modules(rewritten: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", RENDER, TEMPLATE], env={"PYTHONPATH": str(rewritten)}, capture_output=True, check=False
    )
    assert (b'001.0|"a" , 002.2|"a"  "A"', b"") == (done.stdout, done.stderr)


def test_classes_are_as_dataclasses(rewritten: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = [
        f"gotpl.{package}.{module.name}"
        for package in MODULES
        for module in pkgutil.iter_modules(importlib.import_module(f"gotpl.{package}").__path__)
    ]
    before = {name: _dataclasses_of(importlib.import_module(name)) for name in names}
    with monkeypatch.context() as patch:
        patch.syspath_prepend(str(rewritten))
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
