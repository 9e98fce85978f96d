"""A program that runs a command on the bastion of the design note: in a new network, with its address and files.

Arguments: the number of an open Unix socket, the path of `ip`, an empty directory for files of its own, the directory
that is `/opt/matchbox`, ports joined by commas, and the command. The descriptors of sockets that listen at those
ports go over the Unix socket first. What the command needs of `/opt` is there as on the machine. What sends frames to
`client` is on the network of `eth0`.
"""

import os
import socket
import subprocess
import sys
from pathlib import Path

ADDRESS = "10.20.13.140"
LINKS = ("link add eth0 type veth peer name client", f"address add {ADDRESS}/24 dev eth0")
CARDS = ("lo", "eth0", "client")


def main() -> None:
    number, ip, own, data, ports, *command = sys.argv[1:]
    for arguments in (*LINKS, *(f"link set {card} up" for card in CARDS)):
        subprocess.run([ip, *arguments.split()], check=True)
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", own], check=True)
    for directory in ("upper", "work"):
        Path(own, directory).mkdir()
    overlay = f"lowerdir=/opt,upperdir={own}/upper,workdir={own}/work"
    subprocess.run(["mount", "-t", "overlay", "-o", overlay, "overlay", "/opt"], check=True)
    Path("/opt/matchbox").mkdir(exist_ok=True)
    subprocess.run(["mount", "--bind", data, "/opt/matchbox"], check=True)
    with socket.socket(fileno=int(number)) as owner:
        listeners = [socket.create_server((ADDRESS, int(port))) for port in ports.split(",") if port]
        socket.send_fds(owner, [b"up"], [listener.fileno() for listener in listeners])
    os.execvp(command[0], command)


if __name__ == "__main__":
    main()
