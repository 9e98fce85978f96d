"""The Linux that machines boot: Debian's kernel, and an initramfs that prints its configuration and powers off.

With the kernel argument `install=` it writes the image at that address to its disk instead, and starts anew. With
`login` it takes the host name of its configuration and asks for a user's name, as a machine does that is up.

The initramfs holds a static busybox, the modules for virtio's network card and disk, and `/init` (the script `INIT`).
One that passes for Talos also has `talos_client.go`, which requests the configuration by Talos's rules; it may trust
an authority of https.
"""

import gzip
import hashlib
import lzma
import re
import stat
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from tests.rigs.cache import cached
from tests.rigs.debian_packages import Package
from tests.rigs.go_toolchain import go_build_file

CONSOLES = {"amd64": "ttyS0", "arm64": "ttyAMA0"}
_DEVICES = ("virtio_pci", "virtio_net", "virtio_blk", "af_packet")
# Linux on ARM64 knows no date without it, and certificates have dates.
WANTED_MODULES = {"amd64": _DEVICES, "arm64": (*_DEVICES, "rtc_efi")}

BEGIN = "-----BEGIN MACHINE CONFIGURATION-----"
END = "-----END MACHINE CONFIGURATION-----"
FAILED = "-----MACHINE CONFIGURATION FAILED-----"

# The configuration is printed in base64: a terminal changes line ends and drops what it takes for control characters.
# It goes to the serial port, whatever console the profile names: that is one of other hardware.
INIT = f"""\
#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin
set -f
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
dmesg -n 1
for serial in ttyAMA0 ttyS0; do [ -c "/dev/$serial" ] && break; done
exec <"/dev/$serial" >"/dev/$serial" 2>&1

fail() {{
    echo
    echo "{FAILED}"
    echo "$1"
    dmesg | tail -n 20
    poweroff -f
}}

for module in $(cat /modules/order); do
    insmod "/modules/$module" || fail "insmod $module"
done
for argument in $(cat /proc/cmdline); do
    case "$argument" in
    talos.config=*) url=${{argument#talos.config=}} ;;
    install=*) image=${{argument#install=}} ;;
    login) login=yes ;;
    esac
done
[ -n "$url" ] || fail "no talos.config= in: $(cat /proc/cmdline)"

case "$url" in
*"://["*) dhcp_client=udhcpc6 ;;
*) dhcp_client=udhcpc ;;
esac
ip link set lo up
ip link set eth0 up || fail "no network card"
for attempt in 1 2 3 4 5; do
    "$dhcp_client" -q -n -t 4 -T 2 -i eth0 -s /dhcp && break
    [ "$attempt" = 5 ] && fail "no DHCP lease"
    sleep 1
done

if [ -x /talos_client ]; then
    /talos_client >/configuration || fail "talos_client"
else
    for attempt in 1 2 3 4 5; do
        wget -T 20 -O /configuration "$url" && break
        [ "$attempt" = 5 ] && fail "wget $url"
        sleep 2
    done
fi

echo
dmesg | grep secureboot:
echo "{BEGIN}"
base64 /configuration
echo "{END}"
if [ -n "$login" ]; then
    hostname "$(sed -n 's/^hostname: //p' /configuration)"
    while :; do setsid getty -L 115200 "${{serial}}" vt100; done
fi
[ -n "$image" ] || poweroff -f
wget -T 20 -O /dev/vda "$image" || fail "wget $image"
sync
reboot -f
"""

DHCP_SCRIPT = """\
#!/bin/sh
if [ "$1" = bound ]; then
    [ -z "$ip" ] || ip address add "$ip/$mask" dev "$interface"
    [ -z "$ipv6" ] || ip address add "$ipv6/128" dev "$interface"
    [ -z "$router" ] || ip route add default via "${router%% *}"
    [ -z "$dns" ] || echo "nameserver ${dns%% *}" >/etc/resolv.conf
fi
exit 0
"""


def kernel_package(architecture: str) -> Package:
    keep = ("boot", "usr/lib/modules")
    return Package("trixie", architecture, f"linux-image-cloud-{architecture}", keep, metapackage=True)


def kernel(architecture: str) -> Path:
    """The kernel's file. `architecture` is Debian's name: amd64 or arm64. Raises RigUnavailableError."""
    [path] = (kernel_package(architecture).directory / "boot").glob("vmlinuz-*")
    return path


def arguments(architecture: str, initramfs_name: str) -> list[str]:
    """Kernel arguments that a boot needs, to which the profile adds `talos.config=`.

    `initramfs_name` is the last part of the initramfs's address: iPXE before 2021 on UEFI finds it by that name.
    """
    return [f"initrd={initramfs_name}", f"console={CONSOLES[architecture]}", "quiet", "panic=1"]


def talos_client(architecture: str) -> Path:
    """The program that requests a configuration as Talos does. Raises RigUnavailableError."""
    source = Path(__file__).with_name("talos_client.go")
    name = f"talos-client-{architecture}-{hashlib.sha256(source.read_bytes()).hexdigest()[:8]}"
    return cached(name, lambda directory: go_build_file(source, architecture, directory)) / source.stem


@cache
def initramfs(architecture: str, *, talos: bool = False, authority: bytes | None = None) -> bytes:
    """A compressed cpio archive, the same bytes each time, that passes for Talos or not.

    Talos trusts the certificates of `authority`, which is one in PEM. Raises RigUnavailableError.
    """
    busybox = Package("trixie", architecture, "busybox-static", ("usr/bin/busybox",)).directory / "usr/bin/busybox"
    modules = needed_modules(kernel_package(architecture).directory, WANTED_MODULES[architecture])
    archive = [entry(name, stat.S_IFDIR | 0o755) for name in ("bin", "dev", "etc", "modules", "proc", "sys", "tmp")]
    # Without this node the kernel starts /init with no standard output.
    archive.append(entry("dev/console", stat.S_IFCHR | 0o600, device=(5, 1)))
    archive.append(entry("bin/busybox", stat.S_IFREG | 0o755, busybox.read_bytes()))
    archive.append(entry("init", stat.S_IFREG | 0o755, INIT.encode()))
    if talos:
        archive.append(entry("talos_client", stat.S_IFREG | 0o755, talos_client(architecture).read_bytes()))
    if authority:
        archive += [entry(name, stat.S_IFDIR | 0o755) for name in ("etc/ssl", "etc/ssl/certs")]
        archive.append(entry("etc/ssl/certs/ca-certificates.crt", stat.S_IFREG | 0o644, authority))
    archive.append(entry("dhcp", stat.S_IFREG | 0o755, DHCP_SCRIPT.encode()))
    archive.append(entry("modules/order", stat.S_IFREG | 0o644, "\n".join(modules).encode()))
    archive += [entry(f"modules/{name}", stat.S_IFREG | 0o644, module) for name, module in modules.items()]
    archive.append(entry("TRAILER!!!", 0))
    return gzip.compress(b"".join(archive), compresslevel=6, mtime=0)


def needed_modules(kernel_directory: Path, wanted: Sequence[str]) -> dict[str, bytes]:
    """The wanted modules and those they depend on, in the order of loading; what is built in needs none."""
    [modules] = kernel_directory.glob("usr/lib/modules/*")
    files = {module_name(path): path for path in modules.rglob("*.ko*")}
    built_in = {module_name(Path(line)) for line in (modules / "modules.builtin").read_text().splitlines()}
    loaded: dict[str, bytes] = {}

    def load(name: str) -> None:
        if name in built_in or name in loaded:
            return
        packed = files[name].read_bytes()
        module = lzma.decompress(packed) if files[name].suffix == ".xz" else packed
        [depends] = re.findall(rb"\0depends=([^\0]*)\0", module)
        for dependency in filter(None, depends.decode().split(",")):
            load(dependency)
        loaded[name] = module

    for name in wanted:
        load(name)
    return loaded


def module_name(path: Path) -> str:
    return path.name.partition(".")[0].replace("-", "_")


def entry(name: str, mode: int, content: bytes = b"", device: tuple[int, int] = (0, 0)) -> bytes:
    """One member of a cpio archive in the 'newc' format, see Documentation/driver-api/early-userspace of Linux."""
    path = name.encode() + b"\0"
    inode, user, group, links, mtime, check = 0, 0, 0, 1, 0, 0
    numbers = (inode, mode, user, group, links, mtime, len(content), 0, 0, *device, len(path), check)
    header = b"070701" + b"".join(b"%08X" % number for number in numbers)
    return padded(header + path) + padded(content)


def padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)
