"""The registry of go-containerregistry, in memory, which has the referrers API; docker-registry lacks it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.rigs.cache import cached
from tests.rigs.go_toolchain import go_build_source
from tests.rigs.oci_registry import OciRegistry, serves
from tests.rigs.program import free_port, running, scratch_directory

VERSION = "v0.21.7"

_SOURCE = """package main

import (
	"log"
	"net/http"
	"os"

	"github.com/google/go-containerregistry/pkg/registry"
)

func main() {
	log.Fatal(http.ListenAndServe(os.Args[1], registry.New(registry.WithReferrersSupport(true))))
}
"""


@contextmanager
def referrers_registry() -> Iterator[OciRegistry]:
    """The registry on a free port of 127.0.0.1, without images and logins."""
    installed = cached(f"referrers-registry-{VERSION}", _install)
    with scratch_directory() as directory:
        host = f"127.0.0.1:{free_port()}"
        with running([installed / "referrers", host], directory, {}) as process:
            process.wait_for(lambda: serves(host), "its response to GET /v2/")
            yield OciRegistry(host, process.pid)


def _install(directory: Path) -> None:
    go_build_source("referrers", _SOURCE, f"github.com/google/go-containerregistry@{VERSION}", directory)
