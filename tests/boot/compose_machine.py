"""The machine of deploy/compose, where Docker Compose has started its services."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from shutil import copytree

import yaml

from tests.boot.machine import Machine
from tests.boot.networks import Network, Servers
from tests.boot.printed_dhcp import flagged_dnsmasq
from tests.boot.segment import NetworkError, on_own_host, segment
from tests.rigs.container_image import Image
from tests.rigs.docker import BEGIN, docker_environment
from tests.rigs.docker_images import import_dnsmasq, import_matchbox
from tests.rigs.install import on_path, run
from tests.rigs.program import START_TIMEOUT, scratch_directory
from tests.support.paths import PROJECT

COMPOSE = PROJECT / "deploy" / "compose"
ROUTER, ADDRESS = "10.20.13.1/24", "10.20.13.140/24"
OWN_PROCESSES = "mount -t proc proc /proc\n"
START = """\
mount -t tmpfs tmpfs /opt
mkdir /opt/matchbox
mount --bind "$1" /opt/matchbox
cd "$2"
exec docker compose up --no-build
"""
STARTED = ("listening on 0.0.0.0:8080", "TFTP root is /usr/lib/ipxe")


@contextmanager
def by_compose(
    image: Image, data: Path, configuration: str, _: Machine, __: Servers, scratch: Path
) -> Iterator[Network]:
    """A network segment with a router and this machine, whose `/opt/matchbox` is `data`.

    `configuration` is the file that dnsmasq gets; beside a proxy, the router gives addresses. What the services
    print is kept in `network.log` of `scratch`. Raises NetworkError and RigUnavailableError.
    """
    file = copytree(COMPOSE, scratch / "compose") / "compose.yaml"
    text = file.read_text().replace("OWNER", "owner").replace("./dnsmasq.conf:", f"./{configuration}:")
    file.write_text(text)
    names = {name: service["image"] for name, service in yaml.safe_load(text)["services"].items()}
    run(["chown", "-R", image.config["User"], data])
    images = import_dnsmasq(names["dnsmasq"]) + import_matchbox(image, names["matchbox"])
    script = f"{OWN_PROCESSES}{BEGIN}{images}{START}"
    with scratch_directory() as daemon:
        environment = [f"{name}={value}" for name, value in docker_environment(daemon).items()]
        services = in_own_namespaces("bash", "-e", "-c", script, "bash", data, file.parent)
        commands = [on_own_host("machine", ADDRESS, ["env", *environment, *services])]
        if "proxy" in configuration:
            commands.append([*flagged_dnsmasq(scratch), "--dhcp-range=10.20.13.50,10.20.13.99"])
        with segment([ROUTER], commands, {}, scratch) as tap:
            wait_for(STARTED, scratch / "network.log")
            yield Network(f"tap,fd={tap}", (tap,))


def in_own_namespaces(*command: str | Path) -> list[str | Path]:
    """The command in namespaces of processes and mounts, with which all that it has started ends.

    A shell starts it: unshare that does so itself is not ended by SIGTERM.
    """
    unshare, setpriv = on_path("unshare", "util-linux"), on_path("setpriv", "util-linux")
    return [unshare, "--mount", "--pid", "sh", "-c", '"$@" & wait', "sh", setpriv, "--pdeathsig", "KILL", *command]


def wait_for(texts: Sequence[str], log: Path) -> None:
    end = time.monotonic() + 5 * START_TIMEOUT
    while not all(text in log.read_text(errors="replace") for text in texts):
        if time.monotonic() > end:
            raise NetworkError(f"the services did not start: {log.read_text(errors='replace')[-2000:]}")
        time.sleep(0.1)
