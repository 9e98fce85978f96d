"""Errors of registries and images.

OciError
├── RegistryError      the registry is unavailable, denies access, lacks the image, or violates the protocol
│   └── ManifestError  what it has is not the manifest, index or config that it should be, or is too large
├── DigestError        content does not match its digest or announced size
├── ImageError         the image is damaged or lacks the wanted files
└── SignatureError     the image has no good signature
"""


class OciError(Exception):
    """A failure in one line that says what failed."""


class RegistryError(OciError):
    """The registry is unavailable, denies access, lacks the image, or violates the protocol."""


class ManifestError(RegistryError):
    """What the registry has is not the manifest, index or config that it should be, or is too large."""


class DigestError(OciError):
    """Content does not match its digest or announced size."""


class ImageError(OciError):
    """The image is damaged or lacks the wanted files."""


class SignatureError(OciError):
    """The image has no good signature."""
