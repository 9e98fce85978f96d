"""The configuration of GRUB, which shim loads with Secure Boot."""

from urllib.parse import urlsplit

from matchboxctl.cli.errors import UsageError
from matchboxctl.dhcp.network import Network

_TEXT = """\
# GRUB 2.12 has no linuxefi, with which the response of /grub begins.
function linuxefi {{ linux "$@"; }}
function initrdefi {{ initrd "$@"; }}
smbios --type 1 --get-uuid 8 --set uuid
export uuid
set root=(http,{host})
configfile "{path}/grub?uuid=${{uuid}}&mac=${{net_default_mac}}"
"""


def configuration(network: Network) -> str:
    """The text of grub.cfg."""
    url = urlsplit(network.url)
    if url.scheme != "http" or network.version == 6:
        raise UsageError(f"GRUB does not reach {network.url}: give it an http address of IPv4")
    return _TEXT.format(host=url.netloc, path=url.path)
