"""matchbox's own gRPC clients, built from their Go modules: bootcmd, and Terraform's provider with OpenTofu."""

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.rigs.cache import cached
from tests.rigs.go_toolchain import go_build, go_platform

MATCHBOX = "v0.11.0"
PROVIDER = "0.5.4"
OPENTOFU = "v1.12.6"
"""Terraform under a free licence: the same language, and the same protocol to providers."""

LIMIT = 240


def bootcmd() -> Path:
    """matchbox's command of that name.

    Raises RigUnavailableError.
    """
    module = f"github.com/poseidon/matchbox@{MATCHBOX}"
    return cached(f"bootcmd-{MATCHBOX}", lambda unfinished: go_build(module, "./cmd/bootcmd", unfinished)) / "bootcmd"


@dataclass(frozen=True)
class Tofu:
    """OpenTofu with the provider at hand, so that `init` asks no registry."""

    program: Path
    mirror: Path

    def run(self, directory: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run `tofu` in a directory of configuration; nothing is asked at the terminal."""
        settings = directory / ".tofurc"
        settings.write_text(f'provider_installation {{\n  filesystem_mirror {{\n    path = "{self.mirror}"\n  }}\n}}\n')
        given = {"PATH": os.environ["PATH"], "HOME": str(directory), "TF_CLI_CONFIG_FILE": str(settings)}
        return subprocess.run(
            [self.program, *words],
            cwd=directory,
            env={**given, **_QUIET, **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=LIMIT,
            check=False,
        )


_QUIET: Mapping[str, str] = {"TF_IN_AUTOMATION": "1", "TF_INPUT": "0", "CHECKPOINT_DISABLE": "1"}


def tofu() -> Tofu:
    """OpenTofu, which takes minutes to build, and terraform-provider-matchbox.

    Raises RigUnavailableError.
    """
    module = f"github.com/opentofu/opentofu@{OPENTOFU}"
    small = "-ldflags=-s -w"
    program = cached(f"opentofu-{OPENTOFU}", lambda unfinished: go_build(module, "./cmd/tofu", unfinished, small))
    return Tofu(program / "tofu", cached(f"terraform-provider-matchbox-{PROVIDER}", _install_provider))


def _install_provider(directory: Path) -> None:
    place = directory / "registry.opentofu.org" / "poseidon" / "matchbox" / PROVIDER / go_platform()
    place.mkdir(parents=True)
    go_build(f"github.com/poseidon/terraform-provider-matchbox@v{PROVIDER}", ".", place)
    program = place / "terraform-provider-matchbox"
    program.rename(program.with_name(f"{program.name}_v{PROVIDER}"))
