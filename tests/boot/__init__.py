"""Real network-boot clients in QEMU, booted through an HTTP server on this machine.

A guest loads iPXE scripts (or GRUB configurations), a Linux kernel and an initramfs from that server, fetches the
address in its kernel argument `talos.config=`, prints the response on its serial console and powers off. The modules:

- `fleet`: machines, one for each client, with their groups and profiles as a data directory.
- `example`: `examples/talos` as a data directory.
- `stores`: a data directory in a table and a bucket, and `serve` over them.
- `token_free`: a plain HTTP server over the objects of a bucket.
- `exchanges`: a relay that keeps what clients asked and how they were answered.
- `clients`: the table of clients, each with its virtual hardware. `boot` runs one.
- `networks`: the DHCP and TFTP configuration of each client.
- `segment`, with the program `namespace`: a network of its own for one machine, with real servers.
- `dhcp_network`: one with dnsmasq; `printed_dhcp`: those with what `matchboxctl dhcp` prints.
- `bare_machines`: machines that know nothing, and their boots to a login prompt.
- `compose_machine`: the services of `deploy/compose`, started by Docker Compose.
- `secure_boot`: machines with Secure Boot, and what is signed for them.
- `machine`: one virtual machine: its identity, its run with a time limit, what it printed.
- `guest`: the kernel and the initramfs that are booted.
- `firmware`: files of the boot programs: network ROMs, UEFI, iPXE, GRUB.
"""
