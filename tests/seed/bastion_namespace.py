"""A program that runs a command on the bastion of the design note: in a new network, with its address and files.

Arguments: the number of an open Unix socket, the path of `ip`, the directory that is `/opt/matchbox`, and the command.
The descriptor of a socket that listens at the address goes over the Unix socket first. What the command needs of `/opt`
is there as on the machine. The interface `machine` is the other end of the cable in `eth0`.
"""

import os
import socket
import subprocess
import sys
from pathlib import Path

ADDRESS, PORT = "10.20.13.140", 8080
LINKS = ("link add eth0 type veth peer name machine", f"address add {ADDRESS}/24 dev eth0")
CARDS = ("lo", "eth0", "machine")
OVERLAY = "lowerdir=/opt,upperdir=/mnt/upper,workdir=/mnt/work"


def main() -> None:
    number, ip, data, *command = sys.argv[1:]
    for arguments in (*LINKS, *(f"link set {card} up" for card in CARDS)):
        subprocess.run([ip, *arguments.split()], check=True)
    for card in ("all", "machine"):
        # What arrives there was sent by this machine.
        Path("/proc/sys/net/ipv4/conf", card, "accept_local").write_text("1")
        Path("/proc/sys/net/ipv4/conf", card, "rp_filter").write_text("0")
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "/mnt"], check=True)
    for directory in ("/mnt/upper", "/mnt/work"):
        Path(directory).mkdir()
    subprocess.run(["mount", "-t", "overlay", "-o", OVERLAY, "overlay", "/opt"], check=True)
    Path("/opt/matchbox").mkdir(exist_ok=True)
    subprocess.run(["mount", "--bind", data, "/opt/matchbox"], check=True)
    with socket.create_server((ADDRESS, PORT)) as listener, socket.socket(fileno=int(number)) as owner:
        socket.send_fds(owner, [b"up"], [listener.fileno()])
    os.execvp(command[0], command)


if __name__ == "__main__":
    main()
