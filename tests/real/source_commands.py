"""Commands on image sources, in either mode."""

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from lambda_matchbox.aws.releases.store import TableReleaseStore
from lambda_matchbox.releases.store import ReleaseStore
from matchboxctl.directory.releases import DirectoryReleaseStore
from tests.rigs.peak_memory import Measured, measured
from tests.rigs.stores import Stores
from tests.support.serving import Serve, started

COMMAND = [sys.executable, "-m", "matchboxctl.main"]
TIMEOUT = 120


class SourceCommands:
    """Directory mode, or store mode over `stores`; `root` is an empty directory, `data` the data directory in it."""

    def __init__(self, root: Path, stores: Stores | None = None) -> None:
        self.data = root / "data"
        self._stores = stores
        (self.data / "sources").mkdir(parents=True)
        self._temporary = root / "temporary"
        self._temporary.mkdir()
        # Without the logins and temporary files of other processes.
        home = {"PATH": os.environ["PATH"], "HOME": str(root), "TMPDIR": str(self._temporary)}
        self.environment: Mapping[str, str] = home if stores is None else stores.environment() | home
        self._flags = ["--data-path", str(self.data)] if stores is None else []
        if stores is not None:
            self.run("init")

    def write(self, source_id: str, image: str, **fields: Any) -> None:
        """Write the file of a source, which fills `/assets/ID` unless the fields say otherwise."""
        document = {"id": source_id, "image": image, "assets": source_id} | fields
        (self.data / "sources" / f"{source_id}.json").write_text(json.dumps(document))

    def add(self, source_id: str, image: str, **fields: Any) -> None:
        """Write it, and let it count: the table has what was imported."""
        self.write(source_id, image, **fields)
        if self._stores is not None:
            self.run("import", str(self.data))

    def begin(self, command: str, *arguments: str) -> subprocess.Popen[str]:
        """Start a command on sources."""
        line = [*COMMAND, command, *self._flags, *arguments]
        return subprocess.Popen(line, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def measure(self, command: str, *arguments: str) -> Measured:
        """What a command that succeeds takes."""
        return measured([*COMMAND, command, *self._flags, *arguments], self.environment)

    def run(self, command: str, *arguments: str, code: int = 0) -> str:
        """What a command prints, which ends with that code; what it says of errors is added."""
        with self.begin(command, *arguments) as process:
            out, errors = process.communicate(timeout=TIMEOUT)
        assert code == process.returncode, errors
        assert "Traceback" not in errors
        return out + errors

    def serve(self, *flags: str) -> AbstractContextManager[Serve]:
        """`serve` on a free port."""
        return started("--address", "127.0.0.1:0", *self._flags, *flags, environment=self.environment)

    def digests(self, source_id: str) -> list[str]:
        """The releases that are kept, the newest first."""
        pointer = self.store(source_id).pointer()
        return [] if pointer is None else [release.digest for release in pointer.releases]

    def store(self, source_id: str) -> ReleaseStore:
        """The releases of the source."""
        if self._stores is None:
            return DirectoryReleaseStore(self.data / "releases", source_id)
        return TableReleaseStore(self._stores.light_clients(), source_id)

    def leftovers(self, source_id: str) -> set[str]:
        """Directories that the pointer does not name, and temporary files."""
        store = self.store(source_id)
        pointer = store.pointer()
        kept = set() if pointer is None else {release.directory for release in pointer.releases}
        return (store.directories().keys() - kept) | {file.name for file in self._temporary_files(source_id)}

    def _temporary_files(self, source_id: str) -> Iterator[Path]:
        yield from self._temporary.glob("*")
        yield from (self.data / "releases" / source_id).rglob(".sync*")
        yield from (self.data / "releases").rglob("*.new")
        yield from (self.data / "releases").rglob(".put-*")


def fetch(serve: Serve, target: str) -> bytes:
    """What a client gets that follows redirects, and asks again where the stores were late."""
    end = time.monotonic() + TIMEOUT
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{serve.port}{target}", timeout=TIMEOUT) as response:
                body: bytes = response.read()
                return body
        except urllib.error.HTTPError as error:
            error.close()
            if error.code != 503 or time.monotonic() > end:
                raise
