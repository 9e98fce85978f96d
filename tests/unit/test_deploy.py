"""The files of deploy/: what they have in common with the program, its documentation and each other."""

from typing import Any

import pytest
import yaml

from matchboxctl import __version__
from matchboxctl.serve.arguments import serve
from tests.support.paths import EXAMPLES, PROJECT

DEPLOY = PROJECT / "deploy"
RELEASE = EXAMPLES / "flux" / "release.yaml"
USER = 65532
"""The user of the container image."""


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    return yaml.safe_load((DEPLOY / "compose" / "compose.yaml").read_text())["services"]


@pytest.fixture(scope="module")
def pod() -> dict[str, Any]:
    return yaml.safe_load((DEPLOY / "kubernetes" / "deployment.yaml").read_text())["spec"]["template"]["spec"]


def test_variables_are_those_of_serve(compose: dict[str, Any], pod: dict[str, Any]) -> None:
    known = {parameter.envvar for parameter in serve.params}
    lines = (DEPLOY / "systemd" / "matchbox.env").read_text().splitlines()
    in_systemd = {line.partition("=")[0] for line in lines if not line.startswith("#")}
    in_kubernetes = {variable["name"] for container in pod["containers"] for variable in container["env"]}
    for names in (set(compose["matchbox"]["environment"]), in_systemd, in_kubernetes):
        assert "MATCHBOX_ADDRESS" in names
        assert names <= known


def test_image_is_that_of_this_version(compose: dict[str, Any], pod: dict[str, Any]) -> None:
    [job] = [each for each in yaml.safe_load_all(RELEASE.read_text()) if each["kind"] == "CronJob"]
    containers = [*pod["containers"], *job["spec"]["jobTemplate"]["spec"]["template"]["spec"]["initContainers"]]
    images = {compose["matchbox"]["image"], *(container["image"] for container in containers)}
    assert {f"ghcr.io/OWNER/lambda-matchbox:{__version__}"} == images


def test_data_belongs_to_the_images_user(pod: dict[str, Any]) -> None:
    context = pod["securityContext"]
    assert {USER} == {context[name] for name in ("runAsUser", "runAsGroup", "fsGroup")}
    assert f"chown -R {USER}:{USER} /opt/matchbox\n" in (DEPLOY / "compose" / "README.md").read_text()
    assert f"\nUSER {USER}:{USER}\n" in (PROJECT / "Containerfile").read_text()
