"""The steps of the release workflow that build, push, sign and tag the images: both are built, into a registry here."""

import base64
import json
import platform
import subprocess
from pathlib import Path

import pytest
import urllib3
import yaml

from tests.real.test_github_example import settings
from tests.rigs.container_base import container_base
from tests.rigs.container_image import build_volumes
from tests.rigs.cosign import cosign_program
from tests.rigs.install import on_path
from tests.rigs.oci_registry import oci_registry
from tests.support.paths import PROJECT

pytestmark = [
    pytest.mark.real,
    pytest.mark.nightly,
    pytest.mark.skipif(platform.machine() != "x86_64", reason="the workflow builds on this processor"),
]

REPOSITORY = "team/lambda-matchbox"

# What the workflow's machine has by itself: bases of a registry, and a Python with pip.
BUILDAH = """#!/bin/sh
program={program}
[ "$1" = build ] || exec "$program" "$@"
shift
for argument; do case $argument in linux/*) processor=${{argument#linux/}} ;; esac; done
exec "$program" build --isolation chroot --pull-never --build-arg "BASE=localhost/base-$processor" \
    --build-arg BUILD_BASE=localhost/base-amd64 {volumes} "$@"
"""

# Signatures by a key in place of those by the workflow's identity. Each call notes the tags of its time.
COSIGN = """#!/bin/sh
skopeo list-tags "docker://{image}" >>tags.log 2>&1
command=$1
shift
exec {program} "$command" --key {directory}/cosign.key --tlog-upload=false "$@"
"""


def test_images_are_signed_and_attested_before_their_tag(tmp_path: Path) -> None:
    steps = yaml.safe_load((PROJECT / ".github/workflows/release.yml").read_text())["jobs"]["images"]["steps"]
    scripts = [step["run"] for step in steps if "run" in step]
    cosign = cosign_program(2)
    with oci_registry(tokens=False, redirect=False) as registry:
        image = f"{registry.host}/{REPOSITORY}"
        environment = settings(tmp_path, registry.host) | {
            "GITHUB_REPOSITORY": "Team/lambda-matchbox",
            "GITHUB_REF_NAME": "v0.3.0",
            "GITHUB_SHA": "0" * 40,
            "GITHUB_SERVER_URL": "https://github.com",
            "GITHUB_ACTOR": "actor",
            "TOKEN": "token",
            "COSIGN_PASSWORD": "",
        }
        storage = Path(environment["CONTAINERS_STORAGE_CONF"])
        stores = [str(container_base(each) / "root") for each in ("amd64", "arm64")]
        storage.write_text(f"{storage.read_text()}[storage.options]\nadditionalimagestores = {json.dumps(stores)}\n")
        on_path("jq", "jq")
        volumes = " ".join(f"--volume {volume}" for volume in build_volumes())
        programs = tmp_path / "programs"
        programs.mkdir()
        for name, script in {
            "buildah": BUILDAH.format(program=on_path("buildah", "buildah"), volumes=volumes),
            "cosign": COSIGN.format(program=cosign, directory=tmp_path, image=image),
        }.items():
            (programs / name).write_text(script)
            (programs / name).chmod(0o755)
        environment["PATH"] = f"{programs}:{environment['PATH']}"
        run([cosign, "generate-key-pair"], environment, tmp_path)
        work = tmp_path / "source"
        work.mkdir()
        # As a checkout has it, with what is not committed yet.
        copy = f"git -C {PROJECT} ls-files --cached --others --exclude-standard | tar -C {PROJECT} -cT - | tar -x"
        run(["bash", "-c", copy], environment, work)
        for script in scripts:
            local = script.replace("ghcr.io", registry.host)
            # As GitHub runs a step with `shell: bash`.
            run(["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", local], environment, work)

        tags = (work / "tags.log").read_text()
        assert "sha256-" in tags
        assert '"0.3.0"' not in tags
        listed = urllib3.request("GET", f"http://{registry.host}/v2/{REPOSITORY}/tags/list").json()["tags"]
        assert ["0.3.0"] == [tag for tag in listed if not tag.startswith("sha256-")]
        by_key = ("--key", tmp_path / "cosign.pub", "--insecure-ignore-tlog")
        run([cosign, "verify", *by_key, f"{image}:0.3.0"], environment, tmp_path)
        manifests = json.loads((work / "image/manifest.json").read_text())["manifests"]
        assert ["amd64", "arm64"] == [each["platform"]["architecture"] for each in manifests]
        bases = set()
        for digest in (each["digest"] for each in manifests):
            run([cosign, "verify", *by_key, f"{image}@{digest}"], environment, tmp_path)
            attested = [cosign, "verify-attestation", *by_key, "--type", "cyclonedx", f"{image}@{digest}"]
            statement = json.loads(base64.b64decode(json.loads(run(attested, environment, tmp_path))["payload"]))
            assert "aiohttp" in {one["name"] for one in statement["predicate"]["components"]}
            manifest = json.loads((work / f"image/{digest.removeprefix('sha256:')}.manifest.json").read_text())
            bases.add(manifest["layers"][0]["digest"])
        assert 2 == len(bases)


def run(command: list[str | Path], environment: dict[str, str], directory: Path) -> str:
    ended = subprocess.run(
        command, env=environment, cwd=directory, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    assert 0 == ended.returncode, ended.stderr
    return ended.stdout
