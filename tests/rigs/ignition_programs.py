"""Ignition's validator and its client, and Butane, built from their Go modules."""

from pathlib import Path

from tests.rigs.cache import cached
from tests.rigs.debian_packages import unpack
from tests.rigs.go_toolchain import go_build

VERSION = "v2.24.0"
BUTANE = "v0.29.0"

_MODULE = "github.com/coreos/ignition/v2"


def ignition_validate() -> Path:
    """The program that checks the config in a file: it ends with 0 where Ignition would take it.

    Raises RigUnavailableError.
    """
    directory = cached(
        f"ignition-validate-{VERSION}", lambda unfinished: go_build(f"{_MODULE}@{VERSION}", "./validate", unfinished)
    )
    return directory / "validate"


def ignition() -> Path:
    """The program of the initramfs. It takes the file `cmdline` of its working directory for the kernel's.

    Raises RigUnavailableError.
    """
    return cached(f"ignition-{VERSION}", _install) / "internal"


def butane() -> Path:
    """The program that translates the config of its standard input.

    Raises RigUnavailableError.
    """
    module = f"github.com/coreos/butane@{BUTANE}"
    return cached(f"butane-{BUTANE}", lambda unfinished: go_build(module, "./internal", unfinished)) / "internal"


def _install(directory: Path) -> None:
    unpack("bookworm", "libblkid-dev", directory)
    [library] = (directory / "usr" / "lib").glob("*/libblkid.so")
    flags = ["-ldflags", f"-X {_MODULE}/internal/distro.kernelCmdlinePath=cmdline"]
    given = {
        "CGO_ENABLED": "1",
        "CGO_CFLAGS": f"-I{directory / 'usr' / 'include'}",
        "CGO_LDFLAGS": f"-L{library.parent}",
    }
    go_build(f"{_MODULE}@{VERSION}", "./internal", directory, *flags, environment=given)
