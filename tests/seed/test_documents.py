"""The note's documents as printed: what is wrong in them, and what has changed in those of examples/ and deploy/."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest
import yaml

from matchboxctl.serve.arguments import serve as serve_command
from matchboxctl.validate.contents import directory_contents
from matchboxctl.validate.validation import validate
from tests.real.test_container import ENVIRONMENT
from tests.rigs.deployment_programs import compose_model
from tests.rigs.talos_machinery import refusal
from tests.seed.bastion import DOCUMENT, MATCHBOX
from tests.support.paths import EXAMPLES, PROJECT
from tests.support.serving import started

EXAMPLE = EXAMPLES / "talos"
COMPOSE = PROJECT / "deploy" / "compose" / "compose.yaml"
PROFILE = Path("profiles") / "cozystack-arm64.json"
GROUP = Path("groups") / "default.json"
CONFIG = Path("ignition") / "cozystack-config.yaml"
TAINTS = "    registerWithTaints:\n      - node.cozystack.io/arm64:NoSchedule\n"
KEY = "    key: <cluster-ca-key>\n"


def read(file: Path) -> Any:
    """JSON, or YAML in which templates have only strings."""
    return yaml.safe_load(re.sub(r"\{\{.*\}\}", "TEMPLATE", file.read_text()))


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """The paths and values of what is neither a mapping nor a list."""
    if isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves(inner, f"{path}.{key}".removeprefix("."))
    else:
        yield path, value


def changes(file: Path) -> dict[str, tuple[Any, Any]]:
    """What the file of examples/talos has in place of what is printed, by its path."""
    printed, repaired = (dict(leaves(read(root / file))) for root in (MATCHBOX, EXAMPLE))
    paths = [*printed, *repaired]
    return {path: pair for path in paths if len(set(pair := (printed.get(path), repaired.get(path)))) == 2}


def test_validate_names_what_is_wrong_in_the_printed_directory(tmp_path: Path) -> None:
    data = copytree(MATCHBOX, tmp_path / "data")
    found = [finding.message for finding in validate(directory_contents(data)).findings]
    assert [
        "talos.config requests /ignition, for which the profile has no ignition_id",
        "talos.config requests /ignition without arch, by which group default selects",
        "kernel: /assets/talos/arm64/vmlinuz does not exist",
        "initrd: /assets/talos/arm64/initramfs.xz does not exist",
    ] == found
    profile = (data / PROFILE).read_text()
    profile = profile.replace('"boot": {', '"ignition_id": "cozystack-config.yaml", "boot": {')
    (data / PROFILE).write_text(profile.replace("uuid=${uuid}", "uuid=${uuid}&arch=arm64"))
    placeholders = [
        finding.message for finding in validate(directory_contents(data)).findings if "placeholder" in finding.rule
    ]
    shown = "<cluster-join-token>, <cluster-ca-certificate>, ${uuid}, <cluster-id>, <cluster-secret> and 3 more"
    assert [f"placeholders are left: {shown}"] == [message.partition(", for group")[0] for message in placeholders]


@pytest.mark.system
def test_printed_configuration_reaches_no_machine(tmp_path: Path) -> None:
    """Its address lacks the label of the group; with it, the profile names no template; nothing is filled in."""
    data = copytree(MATCHBOX, tmp_path / "data")
    with started("--address", "127.0.0.1:0", "--data-path", str(data)) as serve:
        assert [404, 404] == [serve.get(f"/ignition?uuid=1{more}").status for more in ("", "&arch=arm64")]
        profile = (data / PROFILE).read_text()
        (data / PROFILE).write_text(profile.replace('"boot": {', '"ignition_id": "cozystack-config.yaml", "boot": {'))
        configuration = serve.get("/ignition?uuid=1&arch=arm64").body
        serve.end()
    assert [True, True] == [
        part in configuration for part in (b"hostname: talos-demo-${uuid}\n", b"id: <cluster-id>\n")
    ]


def test_example_has_the_printed_profile_with_a_complete_address() -> None:
    printed, repaired = (json.loads((root / PROFILE).read_text()) for root in (MATCHBOX, EXAMPLE))
    assert "cozystack-config.yaml" == repaired.pop("ignition_id")
    *arguments, configuration = printed["boot"].pop("args")
    first, *others, repaired_configuration = repaired["boot"].pop("args")
    assert printed == repaired
    assert ("initrd=initramfs.xz", arguments) == (first, others)
    assert "talos.config=http://10.20.13.140:8080/ignition?uuid=${uuid}" == configuration
    labels = "uuid=${uuid}&mac=${mac:hexhyp}&token=${token}&arch=arm64"
    assert f"talos.config=${{base}}ignition?{labels}" == repaired_configuration


def test_example_has_the_printed_group_with_a_token() -> None:
    assert {"boot.token": (None, True)} == changes(GROUP)


def test_example_has_the_printed_configuration_with_secrets_and_taints() -> None:
    assert {
        "machine.token": ("<cluster-join-token>", "TEMPLATE"),
        "machine.ca.crt": ("<cluster-ca-certificate>", "TEMPLATE"),
        "machine.kubelet.registerWithTaints.0": ("node.cozystack.io/arm64:NoSchedule", None),
        "machine.nodeTaints.node.cozystack.io/arm64": (None, "NoSchedule"),
        "machine.network.hostname": ("talos-demo-${uuid}", "TEMPLATE"),
        "cluster.id": ("<cluster-id>", "TEMPLATE"),
        "cluster.secret": ("<cluster-secret>", "TEMPLATE"),
        "cluster.token": ("<bootstrap-token>", "TEMPLATE"),
        "cluster.ca.crt": ("<cluster-ca-cert>", "TEMPLATE"),
        "cluster.ca.key": ("<cluster-ca-key>", None),
    } == changes(CONFIG)


@pytest.mark.real
@pytest.mark.system
def test_talos_refuses_the_printed_configuration(tmp_path: Path) -> None:
    """With values for its certificates: a field that it does not know, and a key that no worker may have."""
    config = tmp_path / "config.yaml"
    printed = re.sub("crt: <.*>", "crt: bm9uZQ==", (MATCHBOX / CONFIG).read_text())
    with_key = printed.replace("<cluster-ca-key>", "bm9uZQ==")
    for text, refused in (
        (with_key, "registerWithTaints"),
        (with_key.replace(TAINTS, ""), "cluster CA key is not allowed on non-controlplane nodes"),
    ):
        config.write_text(text)
        assert refused in refusal(config)
    config.write_text(printed.replace(TAINTS, "").replace(KEY, ""))
    assert "" == refusal(config)


def services(file: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(file.read_text())["services"]
    return found


def test_printed_services_share_an_address_and_a_bridge() -> None:
    """Which Docker refuses, and which broadcasts do not reach."""
    printed, repaired = (services(root) for root in (DOCUMENT / "docker-compose.yml", COMPOSE))
    addresses = [service["networks"]["netboot_net"]["ipv4_address"] for service in printed.values()]
    assert ["10.20.13.140"] * 2 == addresses
    assert ("host", None) == (repaired["dnsmasq"]["network_mode"], repaired["matchbox"].get("networks"))


def test_printed_variables_are_known_to_serve() -> None:
    environment = services(DOCUMENT / "docker-compose.yml")["matchbox"]["environment"]
    assert environment.keys() <= {parameter.envvar for parameter in serve_command.params}
    # A test of the image runs it with them, and with the printed volumes.
    assert environment == ENVIRONMENT


def test_stack_takes_the_printed_threshold_as_its_budget() -> None:
    template = (PROJECT / "template.yaml").read_text()
    [pattern] = re.findall(r"^  MonthlyBudget:\n(?:    .*\n)*?    AllowedPattern: (.*)$", template, re.MULTILINE)
    assert re.fullmatch(pattern, "0.10")


@pytest.mark.real
@pytest.mark.system
@pytest.mark.nightly
def test_compose_reads_the_printed_file() -> None:
    """Its faults show when it starts."""
    ended = compose_model(DOCUMENT / "docker-compose.yml")
    assert (0, {"dnsmasq", "matchbox"}) == (ended.returncode, json.loads(ended.stdout)["services"].keys())
