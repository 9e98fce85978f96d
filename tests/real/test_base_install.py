"""The wheel without extras, installed into a fresh environment."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.rigs.install import install_packages, make_environment, run
from tests.support.paths import EXAMPLES, PROJECT
from tests.support.serving import started

pytestmark = pytest.mark.real

MAX_SIZE = 40_000_000


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("base-install")
    lock = PROJECT / "requirements.lock"
    uv = Path(sys.executable).with_name("uv")
    run([uv, "build", "--wheel", "--build-constraint", lock, "--out-dir", directory, PROJECT])
    (wheel,) = directory.glob("*.whl")
    python = make_environment(Path(sys.executable), directory / "environment")
    install_packages(python, "--constraint", lock, wheel)
    return directory / "environment"


def test_size(environment: Path) -> None:
    files = [path for path in environment.rglob("*") if path.is_file() and not path.is_symlink()]
    assert sum(path.stat().st_size for path in files) < MAX_SIZE


def test_serves_a_directory_from_anywhere(environment: Path, tmp_path: Path) -> None:
    data = shutil.copytree(EXAMPLES / "talos", tmp_path / "data")
    flags = ("--address", "127.0.0.1:0", "--data-path", str(data))
    command = [environment / "bin" / "matchboxctl", "serve"]
    with started(*flags, environment={}, command=command, directory=tmp_path) as serve:
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
