"""Talos' own validation of machine configurations, as a program with the interface of `talosctl validate`."""

from pathlib import Path

from tests.rigs.cache import cached
from tests.rigs.go_toolchain import go_build_source

VERSION = "v1.12.0"

_SOURCE = """package main

import (
	"flag"
	"fmt"
	"os"

	"github.com/siderolabs/talos/pkg/machinery/config/configloader"
	"github.com/siderolabs/talos/pkg/machinery/config/validation"
)

type metal struct{}

func (metal) String() string        { return "metal" }
func (metal) RequiresInstall() bool { return true }
func (metal) InContainer() bool     { return false }

func main() {
	flags := flag.NewFlagSet("validate", flag.ExitOnError)
	config := flags.String("config", "", "")
	mode := flags.String("mode", "", "")
	flags.Parse(os.Args[2:])
	loaded, err := configloader.NewFromFile(*config)
	if err == nil && (os.Args[1] != "validate" || *mode != "metal") {
		err = fmt.Errorf("unknown command or mode")
	}
	if err == nil {
		_, err = loaded.Validate(metal{}, validation.WithLocal())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Printf("%s is valid for %s mode\\n", *config, *mode)
}
"""


def talosctl() -> Path:
    """The program. Raises RigUnavailableError."""
    requirement = f"github.com/siderolabs/talos/pkg/machinery@{VERSION}"
    made = cached(f"talosctl-{VERSION}", lambda directory: go_build_source("talosctl", _SOURCE, requirement, directory))
    return made / "talosctl"
