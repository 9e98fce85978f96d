import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from matchboxctl.cli.extras import EXTRAS, missing_extra
from tests.support.paths import PROJECT

pytestmark = pytest.mark.system

OPTIONAL = (
    "aws_lambda_powertools",
    "boto3",
    "botocore",
    "cryptography",
    "google",
    "grpc",
    "jinja2",
    "prometheus_client",
    "pysequoia",
    "urllib3",
    "zlib_ng",
    "zstandard",
)


def run_in_base_install(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run in a fresh interpreter in which no optional module can be imported."""
    blocked = f"import sys; sys.modules.update(dict.fromkeys({OPTIONAL!r})); from matchboxctl.main import main\n"
    command = [sys.executable, "-c", blocked + program, *arguments]
    return subprocess.run(command, env={}, capture_output=True, text=True, timeout=60, check=True)


def test_directory_mode_needs_no_extra(tmp_path: Path) -> None:
    (tmp_path / "groups").mkdir()
    (tmp_path / "profiles").mkdir()
    (tmp_path / "groups/all.json").write_text('{"profile": "p"}')
    (tmp_path / "profiles/p.json").write_text('{"boot": {"kernel": "/k"}}')
    program = (
        "import matchboxctl.serve.command, matchboxctl.check.command, matchboxctl.releases.commands; "
        "import matchboxctl.migrate.command; "
        "main(['group', 'list', *sys.argv[1:]]); main(['render', '/ipxe', *sys.argv[1:]]); main(['--help'])"
    )
    ended = run_in_base_install(program, "--data-path", str(tmp_path))
    assert "" == ended.stderr
    assert "kernel /k" in ended.stdout


def test_missing_extra_is_named(tmp_path: Path) -> None:
    store = {"MATCHBOX_TABLE": "t", "MATCHBOX_BUCKET": "b", "AWS_REGION": "eu-west-1"}
    commands = [
        (["certs", str(tmp_path / "new"), "--name", "host"], {}, "cryptography", "grpc"),
        (["serve", "--data-path", str(tmp_path), "--rpc-address", ":0"], {}, "cryptography", "grpc"),
        (["serve", "--data-path", str(tmp_path), "--metrics-address", ":0"], {}, "prometheus-client", "metrics"),
        (["serve", "--key-ring-path", "ring"], {}, "pysequoia", "sign"),
        (["sync", "--data-path", str(tmp_path)], {}, "urllib3", "sync"),
        (["fetch", "fedora-coreos", "--into", str(tmp_path)], {}, "urllib3", "sync"),
        (["talos", "secrets", "--cluster", "c", "--data-path", str(tmp_path)], {}, "cryptography", "talos"),
        (["console", "--data-path", str(tmp_path)], {}, "jinja2", "console"),
        (["init"], store, "boto3", "aws"),
        (["group", "list"], store, "boto3", "aws"),
    ]
    program = (
        "import json, os\n"
        "for arguments, environment, *_ in json.loads(sys.argv[1]):\n"
        "    os.environ.update(environment); print(main(arguments))"
    )
    ended = run_in_base_install(program, json.dumps(commands))
    expected = [
        f"matchboxctl: this command needs {distribution}: pip install 'lambda-matchbox[{extra}]'"
        for _, _, distribution, extra in commands
    ]
    assert expected == ended.stderr.splitlines()
    assert ["2"] * len(commands) == ended.stdout.splitlines()


def test_extras_are_those_of_the_distribution() -> None:
    extras = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert {"aws", "console", "grpc", "keyless", "lambda", "metrics", "sign", "sync", "talos", "all"} == set(extras)
    for distribution, extra in EXTRAS.values():
        assert any(requirement.startswith(distribution) for requirement in extras[extra])


def test_keyless_signatures_are_an_extra_of_their_own() -> None:
    expected = "this command needs sigstore: pip install 'lambda-matchbox[keyless]'"
    assert expected == missing_extra(ModuleNotFoundError(name="sigstore.errors"))


def test_other_modules_are_no_extras() -> None:
    assert missing_extra(ModuleNotFoundError(name="matchboxctl.gone")) is None
    assert missing_extra(ModuleNotFoundError()) is None
