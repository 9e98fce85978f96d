"""The program that `swift_s3` starts in Swift's own virtual environment.

Account, container and object server and the proxy with s3api in front of them, all in one process on 127.0.0.1.
One replica on one device, which is a directory below the one given as argument. Prints `PORT n` once the proxy
listens on n, and ends when its standard input does, so that it never outlives the one who started it.
"""

# mypy: disable-error-code="import-not-found"

import os
import sys
import warnings
from pathlib import Path

# Swift still runs on eventlet, whose own deprecation warning says nothing about a test.
warnings.simplefilter("ignore")

import eventlet  # noqa: E402
from swift.common.utils import eventlet_monkey_patch, set_swift_dir  # noqa: E402

eventlet_monkey_patch()

from eventlet import wsgi  # noqa: E402
from swift.account.server import AccountController  # noqa: E402
from swift.common.ring import RingData  # noqa: E402
from swift.common.storage_policy import reload_storage_policies  # noqa: E402
from swift.common.utils import NullLogger  # noqa: E402
from swift.common.wsgi import SwiftHttpProtocol, loadapp  # noqa: E402
from swift.container.server import ContainerController  # noqa: E402
from swift.obj.server import ObjectController  # noqa: E402

LOOPBACK = "127.0.0.1"
DEVICE = "device"
PARTITION_POWER = 4

PROXY_CONF = """
[DEFAULT]
swift_dir = {directory}
log_address = {directory}/no-syslog

[pipeline:main]
pipeline = catch_errors gatekeeper s3api tempauth slo proxy-server

[filter:catch_errors]
use = egg:swift#catch_errors

[filter:gatekeeper]
use = egg:swift#gatekeeper

[filter:s3api]
use = egg:swift#s3api
location = {region}

[filter:tempauth]
use = egg:swift#tempauth
user_{user} = {secret} .admin

[filter:slo]
use = egg:swift#slo

[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
"""


def serve(app: object) -> int:
    """Serve `app` on a free port of 127.0.0.1 in a green thread; the port."""
    listener = eventlet.listen((LOOPBACK, 0), backlog=128)
    # Swift answers with 'ETag', which eventlet would otherwise rewrite to 'Etag'.
    eventlet.spawn(
        wsgi.server, listener, app, NullLogger(), protocol=SwiftHttpProtocol, capitalize_response_headers=False
    )
    return int(listener.getsockname()[1])


def write_ring(directory: Path, name: str, port: int) -> None:
    """Write the ring that puts every partition on the one device, served on `port`."""
    device = {"id": 0, "zone": 0, "region": 1, "weight": 1.0, "device": DEVICE, "ip": LOOPBACK, "port": port}
    ring = RingData([[0] * 2**PARTITION_POWER], [device], 32 - PARTITION_POWER)
    ring.save(str(directory / f"{name}.ring.gz"))


def main() -> None:
    """Start the four servers below `sys.argv[1]`; the user, secret and region come from the environment."""
    directory = Path(sys.argv[1])
    (directory / "devices" / DEVICE).mkdir(parents=True)
    (directory / "swift.conf").write_text("[swift-hash]\nswift_hash_path_suffix = rig\n")
    set_swift_dir(str(directory))
    reload_storage_policies()
    conf = {
        "swift_dir": str(directory),
        "devices": str(directory / "devices"),
        "mount_check": "false",
        "log_address": str(directory / "no-syslog"),
    }
    write_ring(directory, "account", serve(AccountController(conf)))
    write_ring(directory, "container", serve(ContainerController(conf)))
    write_ring(directory, "object", serve(ObjectController(conf)))
    proxy_conf = directory / "proxy-server.conf"
    proxy_conf.write_text(
        PROXY_CONF.format(
            directory=directory,
            user=os.environ["SWIFT_USER"].replace(":", "_"),
            secret=os.environ["SWIFT_SECRET"],
            region=os.environ["SWIFT_REGION"],
        )
    )
    print("PORT", serve(loadapp(str(proxy_conf))), flush=True)
    stdin = sys.stdin.fileno()
    eventlet.hubs.trampoline(stdin, read=True)  # nothing is ever written to it, so this is its end


if __name__ == "__main__":
    main()
