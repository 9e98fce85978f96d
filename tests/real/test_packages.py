"""Wheel and sdist: what is in them, and the wheel in environments of its own, without the repository."""

import json
import os
import re
import secrets
import shlex
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from zipfile import ZipFile

import pytest

from matchboxctl import __version__
from tests.rigs.install import install_packages, make_environment, run
from tests.support.consoles import Browser
from tests.support.paths import EXAMPLES, PROJECT
from tests.support.serving import started

pytestmark = pytest.mark.real

MAX_SIZE = 29_000_000
MAX_SIZE_WITH_BYTE_CODE = 40_000_000
UV = Path(sys.executable).with_name("uv")
LOCK = PROJECT / "requirements.lock"
COMMANDS = ("matchboxctl", "lambda-matchbox")


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of an sdist and of the wheel that is built from it, as they are published."""
    # uv knows a wheel by its path, and keeps what it installed of it.
    directory = tmp_path_factory.mktemp("packages") / secrets.token_hex(8)
    run([UV, "build", "--build-constraint", LOCK, "--out-dir", directory, PROJECT])
    return directory


@pytest.fixture(scope="module")
def wheel(packages: Path) -> Path:
    (wheel,) = packages.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with the wheel, without extras."""
    directory = tmp_path_factory.mktemp("base-install")
    install_packages(make_environment(Path(sys.executable), directory), "--constraint", LOCK, wheel)
    return directory


@pytest.fixture(scope="module")
def tools(packages: Path, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    """The environment of a user whose uv finds the wheel as if it were published."""
    home = tmp_path_factory.mktemp("home")
    kept = {name: value for name, value in os.environ.items() if name.startswith(("UV_", "SSL_", "PIP_"))}
    return {
        **kept,
        "HOME": str(home),
        "PATH": f"{home}/.local/bin:{UV.parent}:{os.environ['PATH']}",
        "UV_CACHE_DIR": run([UV, "cache", "dir"]).strip(),
        "UV_CONSTRAINT": str(LOCK),
        "UV_FIND_LINKS": str(packages),
        "PIP_FIND_LINKS": str(packages),
        "UV_PYTHON": sys.executable,
        "MATCHBOX_ADDRESS": "127.0.0.1:0",
    }


def _size(environment: Path) -> int:
    files = [path for path in environment.rglob("*") if path.is_file() and not path.is_symlink()]
    return sum(path.stat().st_size for path in files)


def files_of(wheel: Path) -> dict[str, bytes]:
    with ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_wheel_has_what_the_commands_need_and_nothing_else(wheel: Path) -> None:
    names = set(files_of(wheel))
    packages = {"lambda_matchbox", "boot_api", "signed_api", "asset_sync", "boot_history", "matchboxctl"}
    metadata = f"lambda_matchbox-{__version__}.dist-info"
    assert packages | {metadata} == {name.partition("/")[0] for name in names}
    assert {f"{package}/py.typed" for package in packages} <= names
    assert f"{metadata}/licenses/LICENSE" in names
    data = [PROJECT / "matchboxctl/console" / each for each in ("templates", "static")]
    tracked = run(["git", "-C", PROJECT, "ls-files", *data]).split()
    assert tracked
    assert set(tracked) <= names
    examples = run(["git", "-C", PROJECT, "ls-files", EXAMPLES]).split()
    assert {f"matchboxctl/examples/files/{name.removeprefix('examples/')}" for name in examples} == {
        name for name in names if name.startswith("matchboxctl/examples/files/")
    }
    assert not [name for name in names if re.search(r"(^|/)tests?[/_]|\.pyc$|[.]sqlite|/secrets/talos", name)]


def test_wheel_of_the_repository_is_that_of_the_sdist(wheel: Path, tmp_path: Path) -> None:
    run([UV, "build", "--wheel", "--build-constraint", LOCK, "--out-dir", tmp_path, PROJECT])
    (other,) = tmp_path.glob("*.whl")
    assert files_of(wheel) == files_of(other)


def test_sdist_has_what_git_has(packages: Path) -> None:
    (sdist,) = packages.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"PKG-INFO"} == names - set(run(["git", "-C", PROJECT, "ls-files", "-z"]).split("\0"))
    assert {"LICENSE", "pyproject.toml", "examples/talos/README.md", "tests/real/test_packages.py"} <= names


def test_size(environment: Path) -> None:
    """Without byte code, which uv does not make, and with it, as pip and pipx install."""
    assert _size(environment) < MAX_SIZE
    run([environment / "bin" / "python", "-m", "compileall", "-q", environment / "lib"])
    assert _size(environment) < MAX_SIZE_WITH_BYTE_CODE


@pytest.mark.parametrize("name", COMMANDS)
def test_serves_an_example_from_anywhere(environment: Path, tmp_path: Path, name: str) -> None:
    command = environment / "bin" / name
    run([command, "examples", "talos", "--into", "data"], environment={}, directory=tmp_path)
    flags = ("--address", "127.0.0.1:0", "--data-path", "data")
    # The secrets need an extra.
    shutil.rmtree(tmp_path / "data" / "ignition")
    with started(*flags, environment={}, command=[command, "serve"], directory=tmp_path) as serve:
        assert b"kernel" in serve.get("/profiles/cozystack-arm64").body
        serve.end()


def test_validates_a_directory_from_anywhere(environment: Path, tmp_path: Path) -> None:
    command = [environment / "bin" / "matchboxctl", "validate", EXAMPLES / "flatcar", "-o", "json"]
    ended = subprocess.run(command, env={}, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert 1 == ended.returncode
    assert "placeholder" in {finding["rule"] for finding in json.loads(ended.stdout)["findings"]}


def test_missing_extra_is_named(environment: Path, tmp_path: Path) -> None:
    command = [environment / "bin" / "matchboxctl", "init"]
    stores = {"MATCHBOX_TABLE": "t", "MATCHBOX_BUCKET": "b", "AWS_REGION": "eu-west-1"}
    ended = subprocess.run(command, env=stores, cwd=tmp_path, capture_output=True, text=True, check=False)
    message = "matchboxctl: this command needs boto3: pip install 'lambda-matchbox[aws]'\n"
    assert (2, message) == (ended.returncode, ended.stderr)


def test_beside_a_package_named_oci(environment: Path, tmp_path: Path) -> None:
    """Oracle's SDK is one."""
    python = environment / "bin" / "python"
    (tmp_path / "oci").mkdir()
    (tmp_path / "oci" / "__init__.py").touch()
    program = "import oci, lambda_matchbox.oci.image_reference; print(oci.__file__)"
    loaded = run([python, "-c", program], environment={"PYTHONPATH": str(tmp_path)}, directory=Path("/"))
    assert str(tmp_path / "oci" / "__init__.py") == loaded.strip()


def test_quick_start_of_the_readme_as_printed(tools: Mapping[str, str], tmp_path: Path) -> None:
    """Each command of its first block; the last one serves, and a machine gets its script and its configuration."""
    (block,) = re.findall(r"```sh\n(uvx .*?)```", (PROJECT / "README.md").read_text(), re.DOTALL)[:1]
    *before, last = [shlex.split(line, comments=True) for line in block.splitlines()]
    for command in before:
        run(command, environment=dict(tools), directory=tmp_path)
    with started(command=last, environment=tools, directory=tmp_path) as serve:
        try:
            machine = "arch=arm64&mac=52-54-00-12-34-56&uuid=4c4c4544-0038-4410-8052-b3c04f4b5931"
            token = re.search(r"^set token (\S+)$", serve.get(f"/ipxe?{machine}").body.decode(), re.MULTILINE)
            assert token is not None
            assert b"version: v1alpha1\n" in serve.get(f"/ignition?{machine}&token={token[1]}").body
        finally:
            # uv passes SIGTERM on, but not SIGKILL.
            serve.end()


@pytest.mark.nightly
@pytest.mark.parametrize("installer", [("uv", "tool"), ("uvx", "pipx")], ids=["uv", "pipx"])
def test_installed_as_a_tool_with_the_console(
    tools: Mapping[str, str], tmp_path: Path, installer: tuple[str, ...]
) -> None:
    """Both commands are there, the console has its templates and files, and nothing is left when it is removed."""
    run([*installer, "install", "lambda-matchbox[console]"], environment=dict(tools), directory=tmp_path)
    for name in COMMANDS:
        assert f"matchboxctl {__version__}\n" == run([name, "--version"], environment=dict(tools), directory=tmp_path)
    command = ["matchboxctl", "console", "--data-path", EXAMPLES / "install-once", "--address", "127.0.0.1:0"]
    with subprocess.Popen(command, env=tools, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as console:
        try:
            assert console.stdout is not None
            (found,) = filter(None, (re.search(r":(\d+)/\?token=(\S+)", line) for line in islice(console.stdout, 2)))
            browser = Browser(int(found[1]), found[2])
            assert "install-once" in browser.get("/groups").text
            assert browser.get("/static/console.css").html
        finally:
            console.terminate()
    run([*installer, "uninstall", "lambda-matchbox"], environment=dict(tools), directory=tmp_path)
    assert [] == list(Path(tools["HOME"], ".local", "bin").iterdir())
