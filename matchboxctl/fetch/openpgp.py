"""Detached OpenPGP signatures, by keys that the operator names."""

from pathlib import Path
from typing import NamedTuple

from pysequoia import Cert, Sig, verify

from matchboxctl.cli.errors import UsageError
from matchboxctl.fetch.published import RefusedFileError


class Keys(NamedTuple):
    """The keys in a file, of which each is trusted."""

    file: Path
    certificates: list[Cert]

    def check(self, file: Path, name: str, signature: bytes) -> str:
        """The fingerprint of the key that has signed the file. Raises RefusedFileError if none of these has."""
        named: list[str] = []

        def store(ids: list[str]) -> list[Cert]:
            named.extend(each.upper() for each in ids)
            return self.certificates

        try:
            found = verify(file=str(file), store=store, signature=Sig.from_bytes(signature))
        except RuntimeError as error:
            by = f" (it names the key {', '.join(named)})" if named else ""
            why = f"its signature is not a good one by a key in {self.file}{by}"
            raise RefusedFileError(f"{name} is refused: {why}") from error
        return str(found.valid_sigs[0].certificate).upper()


def read_keys(file: Path) -> Keys:
    """The public keys in a file, armored or not. Raises UsageError."""
    try:
        certificates = Cert.split_bytes(file.read_bytes())
    except OSError as error:
        raise UsageError(f"--key {file}: {error.strerror}") from error
    except RuntimeError:
        certificates = []
    if not certificates:
        raise UsageError(f"--key {file}: no OpenPGP key in this file")
    return Keys(file, certificates)
