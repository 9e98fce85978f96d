"""Talos' own generation and validation of machine configurations, as a program with the interface of `talosctl`."""

import hashlib
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
	"reflect"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/siderolabs/talos/pkg/machinery/config"
	"github.com/siderolabs/talos/pkg/machinery/config/configloader"
	"github.com/siderolabs/talos/pkg/machinery/config/configpatcher"
	"github.com/siderolabs/talos/pkg/machinery/config/encoder"
	"github.com/siderolabs/talos/pkg/machinery/config/generate"
	"github.com/siderolabs/talos/pkg/machinery/config/generate/secrets"
	"github.com/siderolabs/talos/pkg/machinery/config/machine"
	"github.com/siderolabs/talos/pkg/machinery/config/types/v1alpha1"
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
	kubernetes := flags.String("kubernetes-version", "1.34.1", "")
	comments := flags.Bool("with-docs", true, "")
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
	input, err := generate.NewInput(flags.Arg(0), flags.Arg(1), *kubernetes,
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
		shown := encoder.CommentsDisabled
		if *comments {
			shown = encoder.CommentsAll
		}
		text, err := made.EncodeBytes(encoder.WithComments(shown))
		if err != nil {
			return err
		}
		if err = os.WriteFile(filepath.Join(*output, role.String()+".yaml"), text, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// patch writes a configuration as Talos encodes it, patched where a patch is given.
func patch(arguments []string) error {
	flags := flag.NewFlagSet("machineconfig patch", flag.ExitOnError)
	given := flags.String("patch", "", "")
	output := flags.String("output", "", "")
	flags.Parse(arguments)
	text, err := os.ReadFile(flags.Arg(0))
	if err != nil {
		return err
	}
	var patches []configpatcher.Patch
	if *given != "" {
		if patches, err = configpatcher.LoadPatches([]string{*given}); err != nil {
			return err
		}
	}
	patched, err := configpatcher.Apply(configpatcher.WithBytes(text), patches)
	if err != nil {
		return err
	}
	made, err := patched.Config()
	if err != nil {
		return err
	}
	if text, err = made.EncodeBytes(encoder.WithComments(encoder.CommentsDisabled)); err != nil {
		return err
	}
	return os.WriteFile(*output, text, 0o600)
}

// redact prints a configuration with Talos' own masks.
func redact(file string) error {
	loaded, err := configloader.NewFromFile(file)
	if err != nil {
		return err
	}
	text, err := loaded.RedactSecrets("******").EncodeBytes(encoder.WithComments(encoder.CommentsDisabled))
	if err == nil {
		_, err = os.Stdout.Write(text)
	}
	return err
}

// keys prints the keys of structs, a line for each, with their path.
func keys(of reflect.Type, path string) {
	for of.Kind() == reflect.Pointer {
		of = of.Elem()
	}
	if of.Kind() != reflect.Struct || !strings.HasSuffix(of.PkgPath(), "/v1alpha1") {
		return
	}
	fmt.Print(path, ":")
	for i := range of.NumField() {
		if key, _, _ := strings.Cut(of.Field(i).Tag.Get("yaml"), ","); key != "" && key != "-" {
			fmt.Print(" ", key)
		}
	}
	fmt.Println()
	for i := range of.NumField() {
		if key, _, _ := strings.Cut(of.Field(i).Tag.Get("yaml"), ","); key != "" && key != "-" {
			keys(of.Field(i).Type, strings.TrimPrefix(path+"."+key, "."))
		}
	}
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
	case len(os.Args) > 2 && os.Args[1] == "machineconfig" && os.Args[2] == "patch":
		err = patch(os.Args[3:])
	case len(os.Args) > 2 && os.Args[1] == "redact":
		err = redact(os.Args[2])
	case len(os.Args) > 1 && os.Args[1] == "keys":
		keys(reflect.TypeFor[v1alpha1.Config](), "")
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
    name = f"talosctl-{VERSION}-{hashlib.sha256(_SOURCE.encode()).hexdigest()[:8]}"
    return cached(name, lambda directory: go_build_source("talosctl", _SOURCE, requirement, directory)) / "talosctl"


def gen_secrets(file: Path, version: str) -> None:
    """Write the secrets of a new cluster."""
    _run("gen", "secrets", "--output-file", str(file), "--talos-version", version)


def gen_config(
    secrets: Path,
    directory: Path,
    version: str,
    *flags: str,
    cluster: str = "demo",
    endpoint: str = "https://10.0.0.10:6443",
) -> None:
    """Write controlplane.yaml and worker.yaml into the directory."""
    given = ["--with-secrets", str(secrets), "--output", str(directory), "--talos-version", version]
    _run("gen", "config", *given, *flags, cluster, endpoint)


def patched(config: Path, patch: str = "") -> str:
    """A configuration, patched if a patch is given, as Talos encodes it."""
    output = config.with_suffix(".patched")
    _run("machineconfig", "patch", "--patch", patch, "--output", str(output), str(config))
    return output.read_text()


def redacted(config: Path) -> str:
    """A configuration in which Talos masks secrets by `******`."""
    return _run("redact", str(config))


def known_keys() -> dict[str, frozenset[str]]:
    """The keys of the main document's mappings by their paths."""
    lines = (line.partition(":") for line in _run("keys").splitlines())
    return {path: frozenset(keys.split()) for path, _, keys in lines}


def refusal(config: Path) -> str:
    """Why Talos' loader refuses a configuration; empty if it does not."""
    command = [talosctl(), "validate", "--config", str(config), "--mode", "metal"]
    return subprocess.run(command, capture_output=True, text=True, check=False).stderr


def _run(*arguments: str) -> str:
    ended = subprocess.run([talosctl(), *arguments], capture_output=True, text=True, check=False)
    assert 0 == ended.returncode, ended.stderr
    return ended.stdout
