"""grpc is imported only where it is used."""

import subprocess
import sys
from pathlib import Path

import pytest
from grpc_tools import protoc

from matchboxctl import rpc
from tests.support.paths import PROJECT

pytestmark = pytest.mark.system

HEAVY = ("grpc", "google.protobuf", "cryptography")


def heavy_after(statement: str) -> str:
    """Which of the heavy packages a fresh process has imported after this statement."""
    program = f"{statement}\nimport sys\nprint([name for name in {HEAVY!r} if name in sys.modules])"
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    return ended.stdout.strip()


@pytest.mark.parametrize(
    "statement",
    [
        "import boot_api.handler",
        "import asset_sync.handler",
        "import matchboxctl.main, matchboxctl.serve.command, matchboxctl.transfer.importing, matchboxctl.releases.sync",
        "import matchboxctl.rpc.command, matchboxctl.resources.command, matchboxctl.completion.shells",
        "import matchboxctl.documents.table_documents",
    ],
)
def test_functions_and_other_commands_do_not_import_grpc(statement: str) -> None:
    assert "[]" == heavy_after(statement)


def test_server_imports_grpc() -> None:
    assert str([*HEAVY]) == heavy_after("import matchboxctl.rpc.server")


def test_generated_code_is_that_of_the_proto_file(tmp_path: Path) -> None:
    source = "matchboxctl/rpc/matchbox.proto"
    flags = [f"-I{PROJECT}", f"--python_out={tmp_path}", f"--pyi_out={tmp_path}", source]
    assert 0 == protoc.main(["protoc", *flags])
    here = Path(rpc.__file__).parent
    for name in ("matchbox_pb2.py", "matchbox_pb2.pyi"):
        assert (tmp_path / "matchboxctl/rpc" / name).read_text() == (here / name).read_text()
