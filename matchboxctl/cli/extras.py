"""The optional extras of the distribution, by the third-party modules that they bring."""

_BOTO3 = ("boto3", "aws")
EXTRAS = {
    "boto3": _BOTO3,
    "botocore": _BOTO3,
    "cryptography": ("cryptography", "grpc"),
    "google": ("protobuf", "grpc"),
    "grpc": ("grpcio", "grpc"),
    "jinja2": ("jinja2", "console"),
    "prometheus_client": ("prometheus-client", "metrics"),
    "pysequoia": ("pysequoia", "sign"),
    "sigstore": ("sigstore", "keyless"),
    "urllib3": ("urllib3", "sync"),
    "zlib_ng": ("zlib-ng", "sync"),
    "zstandard": ("zstandard", "sync"),
}
"""A module's distribution and extra. `sign` and `sync` need cryptography as well, but import another module first."""


def missing_extra(error: ModuleNotFoundError) -> str | None:
    """The message about a missing optional module; None for any other module."""
    found = EXTRAS.get((error.name or "").partition(".")[0])
    if found is None:
        return None
    distribution, extra = found
    return f"this command needs {distribution}: pip install 'lambda-matchbox[{extra}]'"
