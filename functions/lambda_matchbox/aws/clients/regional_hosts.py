"""The hosts of a region's services."""

_DEFAULT = "amazonaws.com"
# By the first or second part of a region's name (botocore's partitions.json).
_SUFFIXES = {
    "cn": "amazonaws.com.cn",
    "eusc": "amazonaws.eu",
    "iso": "c2s.ic.gov",
    "isob": "sc2s.sgov.gov",
    "isoe": "cloud.adc-e.uk",
    "isof": "csp.hci.ic.gov",
}


def regional_host(service: str, region: str) -> str:
    """The host of `service` (`dynamodb`, `s3`, `secretsmanager`) in a region of any of AWS's partitions."""
    first, _, rest = region.partition("-")
    suffix = _SUFFIXES.get(first) or _SUFFIXES.get(rest.partition("-")[0]) or _DEFAULT
    return f"{service}.{region}.{suffix}"
