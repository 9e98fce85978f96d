"""The boot of one machine: its scripts, and then each file and address in them."""

import time
from collections.abc import Iterator, Mapping
from typing import NamedTuple
from urllib.parse import urlencode, urlsplit

from lambda_matchbox.machines.identities import Identities
from matchboxctl.check.boot_client import (
    AbsentError,
    BootClient,
    DeliveryError,
    FetchError,
    GateError,
    origin,
    resolve,
)
from matchboxctl.check.contents import Contents, Target
from matchboxctl.check.downloads import Downloads
from matchboxctl.check.result import Result, Status
from matchboxctl.check.selected_group import SelectedGroup
from matchboxctl.netboot.addresses import DIRECTORY, Address, Reader, addresses_in
from matchboxctl.netboot.placeholders import Placeholder, in_value
from matchboxctl.netboot.script import ScriptFile, script_files, variables
from matchboxctl.netboot.variables import STAND_INS, fill_ipxe, fill_talos, label_of, labels_in

_MAX_SCRIPT = 1 << 20
_NOT_MATCHBOX = "this server is not a matchbox"


class Clients(NamedTuple):
    """A client that acts as firmware and one that acts as installers, each with its downloads."""

    firmware: BootClient
    firmware_downloads: Downloads
    installer: BootClient
    installer_downloads: Downloads


def boot_script(root: str, client: BootClient) -> str:
    """The query that the script of /boot.ipxe sends to /ipxe. Raises FetchError."""
    try:
        script, _ = _ipxe_script(f"{root}/boot.ipxe", client)
    except AbsentError as error:
        raise FetchError(f"{error}: {_NOT_MATCHBOX}") from error
    _, chain, query = script.partition("ipxe?")
    if not chain:
        raise FetchError(f"the script does not chain to /ipxe: {_NOT_MATCHBOX}")
    return query.partition("\n")[0]


def _ipxe_script(url: str, client: BootClient) -> tuple[str, str]:
    """An iPXE script and its final address. Raises FetchError."""
    body, end = client.body(url, _MAX_SCRIPT)
    if origin(end) != origin(url):
        # Its relative addresses would refer to another host, and boot firmware lacks TLS.
        raise FetchError(f"redirected to {origin(end)}, which most machines cannot follow")
    if not body.startswith(b"#!ipxe"):
        raise FetchError(f"not an iPXE script: {_NOT_MATCHBOX}")
    return body.decode("utf-8", "replace"), end


class Boot:
    """The boot of a machine with these labels from the server at `root`."""

    def __init__(self, root: str, labels: Mapping[str, str], clients: Clients) -> None:
        self._root = root
        self._given = labels
        self._labels = {**STAND_INS, **labels}
        self._firmware = clients.firmware
        self._downloads = clients.firmware_downloads
        self._group = SelectedGroup(root, labels, clients.installer)
        self._contents = Contents(root, self._group, clients.installer, clients.installer_downloads)

    def results(self) -> Iterator[Result]:
        """The results in the order in which the machine makes the requests."""
        start = time.perf_counter()
        for result in self._results():
            yield result._replace(seconds=time.perf_counter() - start)
            start = time.perf_counter()

    def _results(self) -> Iterator[Result]:
        query = urlencode(self._given)
        address = f"/ipxe?{query}" if query else "/ipxe"
        try:
            script, url = self._script(self._root + address)
        except GateError as error:
            yield self._stopped(error, address)
            return
        except FetchError as error:
            yield Result(Status.FAILED, "", address, str(error))
            return
        files = script_files(script)
        kernels = [file for file in files if file.command == "kernel"]
        if not any(kernel.address for kernel in kernels):
            yield Result(Status.FAILED, "", address, "the script names no kernel")
            return
        yield Result(Status.OK, "", address, f"names {len(kernels)} kernel and {len(files) - len(kernels)} initrd")
        directory = url.partition("?")[0].rpartition("/")[0] + "/"
        self._labels |= variables(script)
        if "token" in self._labels:
            # It is of the machine that requested the script, and of none with more identities.
            self._labels |= {name: self._given.get(name, "") for name in Identities._fields}
        for file in files:
            yield self._script_file(file, url, directory)
        args = [arg for kernel in kernels for arg in kernel.args]
        left = [Placeholder(text, arg.partition("=")[0]) for arg in args for text in in_value(arg, has_braces=False)]
        if left:
            yield Result(Status.WARNING, "kernel arguments", "", "", placeholders=left)
        for argument in addresses_in(args):
            yield from self._argument(argument, url, directory)

    def _stopped(self, error: GateError, address: str) -> Result:
        """What the boot policy has in place of a script with a kernel."""
        named = next((self._given[label] for label in ("mac", "uuid", "serial") if label in self._given), "ID")
        command = f"matchboxctl machine {{}} {named.replace(':', '-')}"
        match error.verdict:
            case "wait":
                found = f"this machine waits for approval: {command.format('approve')}"
            case "disk":
                found = (
                    f"this machine is installed and boots from its disk; {command.format('arm')} lets it install again"
                )
                return Result(Status.OK, "", address, found)
            case _:
                found = f"this machine is refused: {error.reason}"
        return Result(Status.FAILED, "", address, found)

    def _script(self, url: str) -> tuple[str, str]:
        try:
            return _ipxe_script(url, self._firmware)
        except AbsentError as error:
            if self._group.exists():
                raise FetchError(f"{error}: the machine's profile is absent, or it has no boot section") from error
            labels = "these labels" if self._given else "a machine without labels (--label mac=…)"
            raise FetchError(f"{error}: no group matches {labels}") from error

    def _script_file(self, file: ScriptFile, script: str, directory: str) -> Result:
        if not file.address:
            return Result(Status.FAILED, file.command, "", "the profile has an empty address")
        filled = fill_ipxe(file.address, self._labels, directory=directory)
        if filled.missing:
            return _unknown(file.command, file.address, filled.missing)
        try:
            url = resolve(script, filled.text)
            if urlsplit(url).scheme not in ("http", "https"):
                return Result(Status.SKIPPED, file.command, file.address, "not fetched: it is not on a web server")
            download = self._downloads.file(url)
        except DeliveryError as error:
            return Result(Status.OK, file.command, file.address, str(error))
        except FetchError as error:
            return Result(Status.FAILED, file.command, file.address, str(error))
        return Result(Status.OK, file.command, file.address, download.note, download.size, download.sha256)

    def _argument(self, address: Address, script: str, directory: str) -> Iterator[Result]:
        """Follow the address in a kernel argument."""
        filled = fill_ipxe(address.text, self._labels, directory=directory)
        url, missing = filled.text, filled.missing
        if address.reader is Reader.TALOS:
            url, more = fill_talos(url, self._labels)
            missing = (*missing, *more)
        if missing:
            yield _unknown(address.argument, address.text, missing)
            return
        try:
            resolve(script, url)
            if not url.lower().startswith(("http://", "https://")):
                raise FetchError(f"not a whole address: begin it with {DIRECTORY} or http://")
        except FetchError as error:
            yield Result(Status.FAILED, address.argument, url, str(error))
            return
        labels = [label for label in labels_in(address.text) if label not in self._given and self._labels.get(label)]
        if address.reader is Reader.TALOS and "uuid" not in self._given and STAND_INS["uuid"] in url:
            labels = list(dict.fromkeys([*labels, "uuid"]))
        yield from self._contents.results(address, Target(address.argument, url, tuple(labels)))


def _unknown(what: str, address: str, missing: tuple[str, ...]) -> Result:
    variables = " and ".join(dict.fromkeys(missing))
    labels = " ".join(f"--label {label}=…" for label in dict.fromkeys(map(label_of, missing)))
    return Result(Status.WARNING, what, address, f"not fetched: only the machine knows {variables}; give {labels}")
