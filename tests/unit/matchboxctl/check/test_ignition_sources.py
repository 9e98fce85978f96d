"""`matchboxctl check` follows the sources in Ignition configs."""

import hashlib
import json
from pathlib import Path

import pytest

from tests.unit.matchboxctl.check.checked import Checked
from tests.unit.matchboxctl.check.responding import responding

pytestmark = pytest.mark.system


def test_ignition_sources_are_followed(checked: Checked, tmp_path: Path) -> None:
    """Configs and files, each once; a hash is compared."""
    digest = hashlib.sha256(b"file").hexdigest()

    def config(*sources: str, file: str = "") -> bytes:
        merged = {"config": {"merge": [{"source": source} for source in sources]}, "version": "3.4.0"}
        contents = {"source": file, "verification": {"hash": f"sha256-{digest}"}}
        files = [{"path": "/f", "contents": contents}] if file else []
        return json.dumps({"ignition": merged, "storage": {"files": files}}).encode()

    responses: dict[str, tuple[int, dict[str, str], bytes]] = {}
    with responding(responses) as url:
        responses |= {
            "/boot.ipxe": (200, {}, b"#!ipxe\nchain ipxe?uuid=${uuid}\n"),
            "/ipxe": (200, {}, b"#!ipxe\nkernel k ignition.config.url=${cwduri}a\nboot\n"),
            "/k": (200, {}, b"kernel"),
            "/a": (200, {}, config(f"{url}/b", f"{url}/c", file=f"{url}/f")),
            "/b": (200, {}, config(f"{url}/a", f"{url}/b", file=f"{url}/g")),
            "/f": (200, {}, b"file"),
            "/g": (200, {}, b"other"),
            "/h": (200, {}, b"packed"),
        }
        headers = {"source": f"{url}/private", "httpHeaders": [{"name": "A", "value": "b"}]}
        packed = {"source": f"{url}/h", "compression": "gzip", "verification": {"hash": f"sha256-{digest}"}}
        merged = {"config": {"merge": [headers, packed]}, "version": "3.4.0"}
        responses["/c"] = (200, {}, json.dumps({"ignition": merged}).encode())
        code, lines = checked(url)
    assert 1 == code
    assert [
        "ok ignition.config.url /a",
        "ok ignition.config.merge.0 /b",
        "FAILED storage.files.0.contents /g",
        "ok ignition.config.merge.1 /c",
        "- ignition.config.merge.0 /private",
        "ok ignition.config.merge.1 /h",
        "ok storage.files.0.contents /f",
    ] == [" ".join(line.split()[:3]) for line in lines[3:-1]]
    assert "4 bytes, SHA-256 as stated" in lines[-2]
