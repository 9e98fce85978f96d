"""`matchboxctl sync` of several sources, of which one fails."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import CancelledError
from pathlib import Path
from threading import Barrier, Event, get_native_id, main_thread

import pytest
import yaml

from lambda_matchbox.errors import StoreUnavailableError
from lambda_matchbox.image_sync.sync import Outcome, Sync
from lambda_matchbox.oci.image_reference import ImageReference
from lambda_matchbox.oci.signatures.signers import KeylessSigner
from lambda_matchbox.releases.sources import Source
from matchboxctl.cli.errors import FailedError, InterruptedCommandError
from matchboxctl.directory.releases import DirectoryReleaseStore
from matchboxctl.releases.commands import releases
from matchboxctl.releases.sync import sync
from matchboxctl.releases.syncs import AT_ONCE
from tests.support.memory_releases import MemoryReleases, memory_stores
from tests.support.registry_serving import faulty_registry
from tests.unit.image_sync.sync_subject import NEW, TAG

pytestmark = pytest.mark.system


@pytest.fixture
def good() -> Iterator[Source]:
    with faulty_registry() as faulty:
        faulty.add("good", TAG, NEW)
        yield Source("good", ImageReference(faulty.host, "good", TAG, ""), "good")


def errors_of_sync(bad: Source, good: Source, docker: Path, capsys: pytest.CaptureFixture[str]) -> list[str]:
    """What is printed of the bad source, which comes first; the good one is published."""
    stores = memory_stores(MemoryReleases(), {bad.id: bad, good.id: good})
    with pytest.raises(FailedError, match=r"^1 of 2 sources could not be synced \(see the error above\)$"):
        sync(stores, [], {"DOCKER_CONFIG": str(docker)})
    printed = capsys.readouterr()
    assert f"good: published {NEW.digest}\n" == printed.out
    return printed.err.splitlines()


def test_source_that_needs_an_absent_extra_names_it(
    good: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delitem(sys.modules, "lambda_matchbox.oci.signatures.keyless", raising=False)
    for name in ("sigstore", "sigstore.errors"):
        monkeypatch.setitem(sys.modules, name, None)
    keyless = good._replace(id="keyless", assets="keyless", signer=KeylessSigner("a@example.com", "b"))
    expected = (
        f"matchboxctl: keyless: {good.image}: this command needs sigstore: pip install 'lambda-matchbox[keyless]'"
    )
    assert [expected] == errors_of_sync(keyless, good, tmp_path, capsys)


def test_sync_imports_no_library_that_takes_long(good: Source, tmp_path: Path) -> None:
    (tmp_path / "sources").mkdir()
    (tmp_path / "sources/good.json").write_text(json.dumps({"id": "good", "image": str(good.image), "assets": "good"}))
    heavy = ["aiohttp", "botocore", "cryptography", "sigstore", "tqdm", "yaml", "zstandard"]
    program = (
        f"import sys; from matchboxctl.main import main; code = main(['sync', '--data-path', {str(tmp_path)!r}])\n"
        f"print(code, *(name for name in {heavy} if name in sys.modules))"
    )
    command, environment = [sys.executable, "-c", program], {"HOME": str(tmp_path)}
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True, env=environment)
    assert f"good: published {NEW.digest}\n0\n" == ended.stdout


def test_failed_copies_are_no_failed_sync(good: Source, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The same command makes them."""

    def unavailable() -> None:
        raise StoreUnavailableError("the bucket is away")

    stores = memory_stores(MemoryReleases(), {good.id: good})._replace(complete=unavailable)
    with pytest.raises(FailedError, match=r"^not all copies for CloudFront .*: the bucket is away; .*or the same"):
        sync(stores, [], {"DOCKER_CONFIG": str(tmp_path)})
    assert f"good: published {NEW.digest}\n" == capsys.readouterr().out


def test_unexpected_error_of_one_source_is_shown_with_its_traceback(
    good: Source, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = good._replace(id="broken", assets="broken", keep="all")  # type: ignore[arg-type]
    first, *_, last = errors_of_sync(broken, good, tmp_path, capsys)
    assert first.startswith("Traceback ")
    assert last.startswith("matchboxctl: broken: TypeError: ")


def test_files_that_cannot_be_written_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    releases_path = tmp_path / "releases"
    releases_path.write_text("a file")
    source = Source("talos", ImageReference("localhost:1", "boot", TAG, ""), "talos")
    stores = memory_stores(MemoryReleases(), {"talos": source})
    stores = stores._replace(releases=lambda source_id: DirectoryReleaseStore(releases_path, source_id))
    with pytest.raises(FailedError):
        sync(stores, [], {"DOCKER_CONFIG": str(tmp_path)})
    assert f": cannot begin: {releases_path}/talos: Not a directory" in capsys.readouterr().err


def test_interruption_says_what_is_kept(
    good: Source, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It ends the syncs that are under way."""
    names = [f"s{number}" for number in range(AT_ONCE + 2)]
    stores = memory_stores(MemoryReleases(), {name: good._replace(id=name, assets=name) for name in names})
    run, begun, ended, syncs = Sync.run, Barrier(AT_ONCE), [], []

    def sync_one(self: Sync) -> Outcome:
        if self._source.id == "s0":
            return run(self)
        progress = self._downloads.progress
        assert progress is not None
        progress.begin(10)
        syncs.append(get_native_id())
        if begun.wait(60) == 0:
            signal.pthread_kill(main_thread().ident or 0, signal.SIGINT)
        try:
            while True:
                progress.add(1)
        except CancelledError:
            # What it has to remove takes longest for the first one; the command waits for all.
            time.sleep(0.6 if get_native_id() == min(syncs) else 0)
            ended.append(self._source.id)
            raise

    monkeypatch.setattr(Sync, "run", sync_one)
    why = (
        "interrupted: what s1, s2, s3, s4 served before is still served, and the next sync starts the download anew; "
        "not begun: s5"
    )
    with pytest.raises(InterruptedCommandError) as caught:
        sync(stores, [], {})
    assert (why, names[1:-1]) == (str(caught.value), sorted(ended))
    assert f"s0: published {NEW.digest}\n" == capsys.readouterr().out


def test_slow_source_delays_no_other(
    good: Source, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stores = memory_stores(MemoryReleases(), {name: good._replace(id=name, assets=name) for name in ("a", "b")})
    run, done = Sync.run, Event()

    def sync_one(self: Sync) -> Outcome:
        if self._source.id == "a":
            assert done.wait(60)
            return run(self)
        outcome = run(self)
        done.set()
        return outcome

    monkeypatch.setattr(Sync, "run", sync_one)
    sync(stores, [], {})
    assert {f"{name}: published {NEW.digest}" for name in "ab"} == set(capsys.readouterr().out.splitlines())


def test_document_has_each_source(good: Source, capsys: pytest.CaptureFixture[str]) -> None:
    broken = good._replace(id="broken", assets="broken", keep="all")  # type: ignore[arg-type]
    stores = memory_stores(MemoryReleases(), {"broken": broken, "good": good})
    with pytest.raises(FailedError):
        sync(stores, [], {}, "json")
    published = {"id": "good", "state": "published", "digest": NEW.digest, "signer": None, "error": None}
    document = json.loads(capsys.readouterr().out)
    failed, *others = document.pop("sources")
    assert ([published], {"refused": []}) == (others, document)
    assert failed.pop("error").startswith("broken: TypeError: ")
    assert {"id": "broken", "state": "failed", "digest": None, "signer": None} == failed
    sync(stores, ["good"], {}, "yaml")
    assert {"sources": [published | {"state": "up to date"}], "refused": []} == yaml.safe_load(capsys.readouterr().out)


@pytest.mark.parametrize("output", ["json", "yaml"])
def test_releases_have_the_same_document_in_each_format(
    good: Source, capsys: pytest.CaptureFixture[str], output: str
) -> None:
    stores = memory_stores(MemoryReleases(), {"good": good})
    sync(stores, [], {})
    capsys.readouterr()
    releases(stores, "good", output)
    (release,) = yaml.safe_load(capsys.readouterr().out)
    kinds = {"digest": str, "time": str, "size": int, "current": bool, "held": bool, "version": str, "files": dict}
    assert kinds == {name: type(value) for name, value in release.items()}
    assert (NEW.digest, True, False) == (release["digest"], release["current"], release["held"])
