"""The files of deploy/compose and deploy/kubernetes, judged by the programs that read them."""

import json
import os
import re
import subprocess
from pathlib import Path
from shutil import copytree

import pytest
import yaml

from tests.boot.firmware import NEW_IPXE
from tests.rigs.container import Volume, container
from tests.rigs.container_image import container_image
from tests.rigs.deployment_programs import compose_model, kubernetes_findings, kustomized, restricted_findings
from tests.rigs.install import on_path, run
from tests.rigs.program import running, scratch_directory
from tests.support.paths import EXAMPLES, PROJECT

pytestmark = pytest.mark.real

COMPOSE = PROJECT / "deploy" / "compose"
KUBERNETES = PROJECT / "deploy" / "kubernetes"

# Twice, as it finds the leases of the first run at the second one.
SERVE_TFTP = """\
set -e
ip link set lo up
ip tuntap add eth0 mode tap
ip address add 10.20.13.140/24 dev eth0
ip link set eth0 up
for run in first second; do
    setpriv --no-new-privs --inh-caps=-all --bounding-set="$1" "$2" --keep-in-foreground --log-facility=- --pid-file= \
        --conf-file=dnsmasq.conf --dhcp-leasefile=leases 2>>log &
    until grep -c 'TFTP root is' log | grep -q "$(test $run = first && echo 1 || echo 2)"; do
        kill -0 $! || { cat log; exit 1; }
        sleep 0.05
    done
    for file in undionly.kpxe ipxe.efi ipxe-arm64.efi; do
        curl --silent --fail --output $file "tftp://10.20.13.140/$file"
    done
    kill $!
    wait
done
"""


@pytest.mark.parametrize("name", ["dnsmasq.conf", "dnsmasq-proxy.conf"])
def test_dnsmasq_accepts_its_configuration(name: str) -> None:
    run([on_path("dnsmasq", "dnsmasq-base"), "--test", f"--conf-file={COMPOSE / name}"])


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has capabilities to give up")
@pytest.mark.parametrize("name", ["dnsmasq.conf", "dnsmasq-proxy.conf"])
def test_dnsmasq_serves_ipxe_with_the_capabilities_of_its_service(name: str) -> None:
    """As in its container: Debian's package at `tftp-root`, and no privilege but those in compose.yaml."""
    files = NEW_IPXE.directory / "usr" / "lib" / "ipxe"
    configuration = (COMPOSE / name).read_text()
    for file in {*re.findall(r"[\w.-]+\.k?pxe\b|[\w-]+\.efi\b", configuration)} - {"boot.ipxe"}:
        assert (files / file).is_file()
    capabilities = yaml.safe_load((COMPOSE / "compose.yaml").read_text())["services"]["dnsmasq"]["cap_add"]
    bounding = ",".join(["-all", *(f"+{name.lower()}" for name in capabilities)])
    command = [on_path("unshare", "util-linux"), "--net", "sh", "-c", SERVE_TFTP, "sh", bounding]
    with scratch_directory() as scratch:
        # dnsmasq gives up root before it reads a file.
        scratch.chmod(0o755)
        copytree(files, scratch / "tftp")
        (scratch / "dnsmasq.conf").write_text(configuration.replace("/usr/lib/ipxe", str(scratch / "tftp")))
        run([*command, on_path("dnsmasq", "dnsmasq-base")], directory=scratch)
        for file in ("undionly.kpxe", "ipxe.efi", "ipxe-arm64.efi"):
            assert (files / file).read_bytes() == (scratch / file).read_bytes()


@pytest.mark.nightly
def test_compose_reads_its_file(tmp_path: Path) -> None:
    ended = compose_model(COMPOSE / "compose.yaml")
    assert 0 == ended.returncode
    services = json.loads(ended.stdout)["services"]
    assert {"matchbox", "dnsmasq"} == set(services)
    assert "host" == services["dnsmasq"]["network_mode"]
    wrong = copytree(COMPOSE, tmp_path / "compose") / "compose.yaml"
    wrong.write_text(wrong.read_text().replace("cap_drop", "drop_caps"))
    assert "drop_caps" in compose_model(wrong).stderr


@pytest.mark.nightly
def test_image_serves_with_the_settings_of_either(tmp_path: Path) -> None:
    """And has what the pages run in it, as its user."""
    service = yaml.safe_load((COMPOSE / "compose.yaml").read_text())["services"]["matchbox"]
    [pod] = yaml.safe_load((KUBERNETES / "deployment.yaml").read_text())["spec"]["template"]["spec"]["containers"]
    data = copytree(EXAMPLES / "flatcar", tmp_path / "data")
    run(["chown", "-R", "65532:65532", data])
    log = tmp_path / "log"
    with container_image() as image:
        for settings in (service["environment"], {each["name"]: each["value"] for each in pod["env"]}):
            with (
                container(image, volumes=[Volume(data, writable=True)], environment=settings, own_network=True) as made,
                running(made.command, tmp_path, {}) as program,
            ):
                program.wait_for(lambda: "listening on 0.0.0.0:8080\n" in log.read_text() or None, "its address")
                for command in (image.config["Healthcheck"]["Test"][1:], ["matchboxctl", "machine", "list"]):
                    assert 0 == made.execute(*command).returncode
                assert 0 == made.execute("tar", "-cf", "tarred.tar", "groups").returncode
                assert [] == [line for line in log.read_text().splitlines() if '"ERROR"' in line or '"WARNING"' in line]
            (data / "tarred.tar").unlink()


@pytest.mark.nightly
def test_kubernetes_knows_every_field(tmp_path: Path) -> None:
    objects = tmp_path / "objects.yaml"
    objects.write_text(kustomized(KUBERNETES))
    kinds = {document["kind"] for document in yaml.safe_load_all(objects.read_text())}
    assert {"Deployment", "Namespace", "NetworkPolicy", "PersistentVolumeClaim", "Service"} == kinds
    assert [] == kubernetes_findings(objects)
    objects.write_text(objects.read_text().replace("runAsNonRoot", "runAsNoRoot"))
    assert [True] == ["runAsNoRoot" in finding for finding in kubernetes_findings(objects)]


@pytest.mark.nightly
def test_namespace_that_enforces_restricted_admits_the_pod() -> None:
    labels = yaml.safe_load((KUBERNETES / "namespace.yaml").read_text())["metadata"]["labels"]
    assert "restricted" == labels["pod-security.kubernetes.io/enforce"]
    deployment = yaml.safe_load((KUBERNETES / "deployment.yaml").read_text())
    assert "" == restricted_findings(deployment)
    deployment["spec"]["template"]["spec"]["hostNetwork"] = True
    assert "host namespaces hostNetwork=true\n" == restricted_findings(deployment)


@pytest.mark.nightly
def test_checkov_finds_nothing_in_the_manifests() -> None:
    """Who deploys pins a digest, a version's image does not change, and a storm may have the node's whole processor."""
    skipped = "CKV_K8S_43,CKV_K8S_15,CKV_K8S_11"
    command = [PROJECT / ".venv-checkov" / "bin" / "checkov", "--framework", "kubernetes", "--skip-download"]
    report = subprocess.run(
        [*command, "--skip-check", skipped, "--output", "json", "--directory", KUBERNETES],
        capture_output=True,
        text=True,
        check=False,
    )
    summary = json.loads(report.stdout)["summary"]
    assert (0, 0) == (summary["failed"], summary["parsing_errors"])
    assert summary["passed"] > 80
