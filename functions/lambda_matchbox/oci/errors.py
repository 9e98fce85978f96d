"""Errors of registries and images.

OciError
├── RegistryError      the registry is unavailable, denies access, lacks the image, or violates the protocol
├── DigestError        content does not match its digest or announced size
├── ImageError         the image is damaged or lacks the wanted files
└── SignatureError     the image has no good signature
"""


class OciError(Exception):
    """A failure in one line that says what failed."""


class RegistryError(OciError):
    """The registry is unavailable, denies access, lacks the image, or violates the protocol."""


class DigestError(OciError):
    """Content does not match its digest or announced size."""


class ImageError(OciError):
    """The image is damaged or lacks the wanted files."""


class SignatureError(OciError):
    """The image has no good signature."""
