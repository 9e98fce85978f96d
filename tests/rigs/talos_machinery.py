"""Talos' own generation and validation of machine configurations, as a program with the interface of `talosctl`."""

import subprocess
from pathlib import Path

from tests.rigs.cache import cached
from tests.rigs.go_toolchain import go_build_source

VERSION = "v1.12.0"

_SOURCE = """package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/siderolabs/talos/pkg/machinery/config"
	"github.com/siderolabs/talos/pkg/machinery/config/configloader"
	"github.com/siderolabs/talos/pkg/machinery/config/encoder"
	"github.com/siderolabs/talos/pkg/machinery/config/generate"
	"github.com/siderolabs/talos/pkg/machinery/config/generate/secrets"
	"github.com/siderolabs/talos/pkg/machinery/config/machine"
	"github.com/siderolabs/talos/pkg/machinery/config/validation"
)

type metal struct{}

func (metal) String() string        { return "metal" }
func (metal) RequiresInstall() bool { return true }
func (metal) InContainer() bool     { return false }

func validate(arguments []string) error {
	flags := flag.NewFlagSet("validate", flag.ExitOnError)
	file := flags.String("config", "", "")
	mode := flags.String("mode", "", "")
	flags.Parse(arguments)
	if *mode != "metal" {
		return errors.New("unknown mode")
	}
	loaded, err := configloader.NewFromFile(*file)
	if err != nil {
		return err
	}
	if _, err = loaded.Validate(metal{}, validation.WithLocal()); err == nil {
		fmt.Printf("%s is valid for %s mode\\n", *file, *mode)
	}
	return err
}

func genSecrets(arguments []string) error {
	flags := flag.NewFlagSet("gen secrets", flag.ExitOnError)
	output := flags.String("output-file", "secrets.yaml", "")
	version := flags.String("talos-version", "", "")
	flags.Parse(arguments)
	contract, err := config.ParseContractFromVersion(*version)
	if err != nil {
		return err
	}
	bundle, err := secrets.NewBundle(secrets.NewClock(), contract)
	if err != nil {
		return err
	}
	text, err := yaml.Marshal(bundle)
	if err != nil {
		return err
	}
	return os.WriteFile(*output, text, 0o600)
}

func genConfig(arguments []string) error {
	flags := flag.NewFlagSet("gen config", flag.ExitOnError)
	output := flags.String("output", ".", "")
	version := flags.String("talos-version", "", "")
	file := flags.String("with-secrets", "", "")
	flags.Parse(arguments)
	contract, err := config.ParseContractFromVersion(*version)
	if err != nil {
		return err
	}
	bundle, err := secrets.LoadBundle(*file)
	if err != nil {
		return err
	}
	if err = bundle.Validate(); err != nil {
		return err
	}
	bundle.Clock = secrets.NewFixedClock(time.Now())
	input, err := generate.NewInput(flags.Arg(0), flags.Arg(1), "1.34.1",
		generate.WithVersionContract(contract),
		generate.WithSecretsBundle(bundle),
		generate.WithInstallDisk("/dev/sda"),
		generate.WithInstallImage("ghcr.io/siderolabs/installer:"+*version),
	)
	if err != nil {
		return err
	}
	for _, role := range []machine.Type{machine.TypeControlPlane, machine.TypeWorker} {
		made, err := input.Config(role)
		if err != nil {
			return err
		}
		text, err := made.EncodeBytes(encoder.WithComments(encoder.CommentsAll))
		if err != nil {
			return err
		}
		if err = os.WriteFile(filepath.Join(*output, role.String()+".yaml"), text, 0o600); err != nil {
			return err
		}
	}
	return nil
}

func main() {
	var err error
	switch {
	case len(os.Args) > 1 && os.Args[1] == "validate":
		err = validate(os.Args[2:])
	case len(os.Args) > 2 && os.Args[1] == "gen" && os.Args[2] == "secrets":
		err = genSecrets(os.Args[3:])
	case len(os.Args) > 2 && os.Args[1] == "gen" && os.Args[2] == "config":
		err = genConfig(os.Args[3:])
	default:
		err = errors.New("unknown command")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
"""


def talosctl() -> Path:
    """The program. Raises RigUnavailableError."""
    requirement = f"github.com/siderolabs/talos/pkg/machinery@{VERSION}"
    name = f"talosctl-{VERSION}-gen"
    return cached(name, lambda directory: go_build_source("talosctl", _SOURCE, requirement, directory)) / "talosctl"


def gen_secrets(file: Path, version: str) -> None:
    """Write the secrets of a new cluster. Raises subprocess.CalledProcessError."""
    _run("gen", "secrets", "--output-file", str(file), "--talos-version", version)


def gen_config(secrets: Path, directory: Path, version: str, cluster: str = "demo") -> None:
    """Write controlplane.yaml and worker.yaml into the directory. Raises subprocess.CalledProcessError."""
    given = ["--with-secrets", str(secrets), "--output", str(directory), "--talos-version", version]
    _run("gen", "config", *given, cluster, "https://10.0.0.10:6443")


def refusal(config: Path) -> str:
    """Why Talos' loader refuses a configuration; empty if it does not."""
    command = [talosctl(), "validate", "--config", str(config), "--mode", "metal"]
    return subprocess.run(command, capture_output=True, text=True, check=False).stderr


def _run(*arguments: str) -> None:
    subprocess.run([talosctl(), *arguments], check=True, capture_output=True)
