"""`matchboxctl dhcp`: configurations of DHCP servers that lead machines to the boot server."""
