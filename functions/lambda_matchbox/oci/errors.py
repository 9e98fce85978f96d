"""What can go wrong between a registry and a file.

OciError
├── RegistryError      the registry cannot be reached, refuses, has no such image, or breaks its own protocol
├── DigestError        bytes that are not those of their digest, or more or fewer than announced
└── ImageError         an image that does not hold what is wanted, or is damaged
"""


class OciError(Exception):
    """What was wrong, and with what, in one line."""


class RegistryError(OciError):
    """The registry cannot be reached, refuses, has no such image, or breaks its own protocol."""


class DigestError(OciError):
    """Bytes that are not those of their digest, or more or fewer than announced."""


class ImageError(OciError):
    """An image that does not hold what is wanted, or is damaged."""
