"""`serve --key-ring-path`: the key that signs, unlocked at the start."""

from pathlib import Path
from typing import TYPE_CHECKING

from matchboxctl.cli.errors import UsageError

if TYPE_CHECKING:
    from lambda_matchbox.signing.key import SigningKey


def key_of_ring(path: str, passphrase: str) -> "SigningKey":
    """The first key of the ring in that file. Raises UsageError."""
    # Imported where it is needed: a server without a key starts without the library.
    from lambda_matchbox.signing.key import LockedKeyError, SigningKeyError, unlocked

    what = f"--key-ring-path (MATCHBOX_KEY_RING_PATH) {path!r}"
    try:
        return unlocked(Path(path).read_bytes(), passphrase)
    except OSError as error:
        raise UsageError(f"{what} cannot be read: {error.strerror}") from error
    except LockedKeyError as error:
        raise UsageError(f"{what}: {error}; MATCHBOX_PASSPHRASE is where it is read from") from error
    except SigningKeyError as error:
        raise UsageError(f"{what}: {error}") from error
