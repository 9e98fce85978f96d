"""Download of a file that goes on where an earlier one, in this process or another, has ended."""

import re
from contextlib import suppress
from http import HTTPStatus
from pathlib import Path

from lambda_matchbox.oci.distribution.origins import Location
from lambda_matchbox.oci.distribution.registry_http import RegistryResponse
from lambda_matchbox.oci.distribution.retries import Attempts, TransientError
from lambda_matchbox.oci.errors import RegistryError
from matchboxctl.cli.errors import FailedError
from matchboxctl.cli.progress import Progress
from matchboxctl.cli.work import BYTES
from matchboxctl.fetch.server import Server

_PIECE = 1 << 20
_ENOUGH = 4 << 20
"""Bytes after which a broken download has made enough progress to be granted all attempts again."""

_CONTENT_RANGE = re.compile(r"bytes ([0-9]{1,18})-[0-9]{1,18}/([0-9]{1,18})", re.ASCII)


def download(server: Server, location: Location, partial: Path) -> bool:
    """Complete the partial file, which need not exist; whether it had a part of the file before.

    Raises FailedError; what has arrived stays in the partial file.
    """
    attempts = Attempts(server.retry_policy)
    had_part = False
    try:
        while True:
            offset = _size(partial)
            had_part = had_part or offset > 0
            try:
                with server.open(location, offset) as response:
                    _take(response, location, partial, offset)
            except TransientError as error:
                if _size(partial) - offset >= _ENOUGH:
                    attempts.reset()
                attempts.wait_after(error)
            else:
                return had_part
    except RegistryError as error:
        raise FailedError(f"{error}; what has arrived is kept: run the same command again") from error


def _take(response: RegistryResponse, location: Location, partial: Path, offset: int) -> None:
    """Append the response's body to the partial file, or replace it if the body is the whole file."""
    found = _CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", ""))
    if response.status == HTTPStatus.OK:
        begin, total = 0, response.body.length or 0
    elif response.status == HTTPStatus.PARTIAL_CONTENT and found and int(found[1]) == offset:
        begin, total = offset, int(found[2])
    elif response.status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE and offset:
        if response.headers.get("Content-Range") == f"bytes */{offset}":
            # An earlier download was ended between its last byte and the check.
            return
        partial.unlink()
        raise TransientError(f"{location.target}: {response.host} has less than the {offset} bytes that have arrived")
    else:
        raise RegistryError(f"{location.target}: {response.host} answers {response.status}")
    # Without a buffer: a killed process keeps what has arrived.
    with (
        partial.open("ab" if begin else "wb", buffering=0) as file,
        Progress(partial.name, total, BYTES, begin) as seen,
    ):
        while piece := response.body.read(_PIECE):
            file.write(piece)
            seen.add(len(piece))


def _size(file: Path) -> int:
    with suppress(FileNotFoundError):
        return file.stat().st_size
    return 0
