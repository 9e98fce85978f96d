"""The key of `serve --key-ring-path`, which signs responses."""

from pathlib import Path
from typing import TYPE_CHECKING

from matchboxctl.cli.errors import UsageError

if TYPE_CHECKING:
    from lambda_matchbox.signing.key import SigningKey


def unlocked_key(path: str, passphrase: str) -> "SigningKey":
    """The first key of the ring in that file. Raises UsageError."""
    # Imported here: a server without a key starts without the library.
    from lambda_matchbox.signing.key import LockedKeyError, SigningKeyError, unlock

    what = f"--key-ring-path (MATCHBOX_KEY_RING_PATH) {path!r}"
    try:
        return unlock(Path(path).read_bytes(), passphrase)
    except OSError as error:
        raise UsageError(f"{what} cannot be read: {error.strerror}") from error
    except LockedKeyError as error:
        raise UsageError(f"{what}: {error}; the passphrase is read from MATCHBOX_PASSPHRASE") from error
    except SigningKeyError as error:
        raise UsageError(f"{what}: {error}") from error
