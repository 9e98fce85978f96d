"""The workflow of examples/github: its step that pushes is run, and the server publishes what it has pushed."""

import gzip
import json
import os
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.real.source_commands import SourceCommands, fetch
from tests.real.test_sync_real import EFI, INITRAMFS, KERNEL, factory
from tests.rigs.install import on_path
from tests.rigs.oci_programs import skopeo
from tests.rigs.oci_registry import oci_registry
from tests.support.images.layers import Entry, tar
from tests.support.images.manifests import Image, digest_of
from tests.support.paths import EXAMPLES

pytestmark = [pytest.mark.real, pytest.mark.nightly]

REPOSITORY = "Team/Boot"


def settings(directory: Path, host: str) -> dict[str, str]:
    """For buildah and skopeo: storage in the directory, and a registry over HTTP whose images nobody has signed."""
    containers = directory / ".config" / "containers"
    containers.mkdir(parents=True)
    (containers / "registries.conf").write_text(f'[[registry]]\nlocation = "{host}"\ninsecure = true\n')
    (containers / "policy.json").write_text('{"default": [{"type": "insecureAcceptAnything"}]}')
    (containers / "storage.conf").write_text(
        f'[storage]\ndriver = "vfs"\ngraphroot = "{directory}/storage"\nrunroot = "{directory}/running"\n'
    )
    programs = [str(Path(program).parent) for program in (skopeo(), on_path("buildah", "buildah"))]
    return {
        "PATH": ":".join([*programs, os.environ["PATH"]]),
        "HOME": str(directory),
        # Root's is another file.
        "CONTAINERS_STORAGE_CONF": str(containers / "storage.conf"),
        "GITHUB_REPOSITORY": REPOSITORY,
        "GITHUB_OUTPUT": str(directory / "outputs"),
    }


def archive(image: Image, digest: str) -> bytes:
    """One image of an index, as `docker save` and Talos's imager write it."""
    manifest = json.loads(image.manifests[digest][1])
    layers = [image.blobs[layer["digest"]] for layer in manifest["layers"]]
    config = json.loads(image.blobs[manifest["config"]["digest"]])
    config["rootfs"]["diff_ids"] = [digest_of(gzip.decompress(layer)) for layer in layers]
    named = {f"{number}.tar.gz": layer for number, layer in enumerate(layers)}
    listed = [{"Config": "config.json", "RepoTags": ["ghcr.io/siderolabs/installer:v1.13.0"], "Layers": [*named]}]
    files = {"config.json": json.dumps(config).encode(), **named, "manifest.json": json.dumps(listed).encode()}
    return tar(Entry(name, body) for name, body in files.items())


def test_pushed_image_is_published_for_either_processor(tmp_path: Path) -> None:
    workflow = yaml.safe_load((EXAMPLES / "github" / "talos.yml").read_text())
    scripts = {step["name"]: step["run"] for step in workflow["jobs"]["image"]["steps"] if "run" in step}
    (tmp_path / "out").mkdir()
    made = factory()
    for entry in made.document["manifests"]:
        file = tmp_path / "out" / f"installer-{entry['platform']['architecture']}.tar"
        file.write_bytes(archive(made, entry["digest"]))
    with oci_registry(tokens=False, redirect=False) as registry:
        environment = settings(tmp_path, registry.host) | workflow["env"]

        def step(name: str) -> None:
            script = scripts[name].replace("ghcr.io", registry.host)
            # As GitHub runs a step with `shell: bash`.
            shell = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script]
            subprocess.run(shell, env=environment, cwd=tmp_path, stdin=subprocess.DEVNULL, check=True)

        step("Push")
        outputs = dict(line.split("=") for line in (tmp_path / "outputs").read_text().splitlines())
        assert f"{registry.host}/team/boot/talos" == outputs["image"]
        environment |= {"IMAGE": outputs["image"], "DIGEST": outputs["digest"]}
        step("Tag")
        commands = SourceCommands(tmp_path / "synced")
        for architecture in ("amd64", "arm64"):
            for tag in (workflow["env"]["TAG"], "v1.13.0"):
                source_id = f"{architecture}-{tag.replace('.', '-')}"
                commands.add(source_id, f"{outputs['image']}:{tag}", platform=f"linux/{architecture}")
        assert [] == [line for line in commands.run("sync").splitlines() if ": published " not in line]
        assert commands.digests("arm64-demo-stable") == commands.digests("arm64-v1-13-0")
        assert commands.digests("arm64-demo-stable") != commands.digests("amd64-demo-stable")
        with commands.serve() as serve:
            for name, content in {"vmlinuz.efi": EFI, "vmlinuz": KERNEL, "initramfs.xz": INITRAMFS}.items():
                assert content == fetch(serve, f"/assets/arm64-demo-stable/{name}")
            serve.end()
        assert "TALOS_VERSION=v1.13.0\n" in commands.run("releases", "arm64-demo-stable", "--output", "env")
