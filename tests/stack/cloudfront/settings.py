"""The distribution of a stack's template: its behaviours in order, their policies and its origins."""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import unquote

from tests.stack.resolution import Stack, wildcards

_CLOUDFRONT = "AWS::CloudFront::"
_ERROR_TTL = 10.0


class CachePolicy(NamedTuple):
    """What equal requests have in common, and how long a response is kept; `query` is None for the whole query."""

    min_ttl: float
    default_ttl: float
    max_ttl: float
    query: frozenset[str] | None = frozenset()
    headers: frozenset[str] = frozenset()

    @property
    def collapses(self) -> bool:
        """Whether equal requests that arrive together share a response."""
        return self.max_ttl > 0


class OriginRequestPolicy(NamedTuple):
    """What of a request goes to the origin beside what belongs to the cache key."""

    query: bool = False
    all_headers_except: frozenset[str] | None = None


# CloudFront's guide, "Use managed cache policies" and "Use managed origin request policies".
_DAY, _YEAR = 86_400.0, 31_536_000.0
_MANAGED_CACHE = {
    "4135ea2d-6df8-44a3-9df3-4b5a84be39ad": CachePolicy(0, 0, 0),
    "658327ea-f89d-4fab-a63d-7e88639e58f6": CachePolicy(1, _DAY, _YEAR),
}
_MANAGED_REQUEST = {"b689b0a8-53d0-40ab-baf2-68738e2966ac": OriginRequestPolicy(True, frozenset({"host"}))}


class Behavior(NamedTuple):
    """What is done with the paths of a pattern."""

    pattern: re.Pattern[str]
    protocol: str
    methods: frozenset[str]
    origins: tuple[str, ...]
    failover: frozenset[int]
    cache: CachePolicy
    request: OriginRequestPolicy
    function: str | None


class OriginSettings(NamedTuple):
    """An origin; `signs_for` is the kind of service that requests are signed for, if they are."""

    domain: str
    path: str
    https_only: bool
    signs_for: str | None


class Settings:
    """The only distribution of a stack."""

    def __init__(self, stack: Stack) -> None:
        [(self.name, distribution)] = stack.of_type(f"{_CLOUDFRONT}Distribution").items()
        config = distribution["DistributionConfig"]
        assert config["Enabled"]
        self._stack = stack
        groups = {each["Id"]: each for each in config.get("OriginGroups", {}).get("Items", [])}
        self.behaviors = [self._behavior(each, groups) for each in config["CacheBehaviors"]]
        self.behaviors.append(self._behavior({**config["DefaultCacheBehavior"], "PathPattern": "*"}, groups))
        self.origins = {each["Id"]: self._origin(each) for each in config["Origins"]}
        errors = config.get("CustomErrorResponses", [])
        assert not any("ResponsePagePath" in each for each in errors), "custom error pages are not served here"
        self._error_ttls = {each["ErrorCode"]: float(each["ErrorCachingMinTTL"]) for each in errors}
        self.arn = f"arn:aws:cloudfront::123456789012:distribution/<{self.name}>"

    def behavior(self, path: str) -> Behavior:
        """The first one whose pattern matches. CloudFront compares the normal form of a path (RFC 3986)."""
        normal = _normal(path)
        return next(each for each in self.behaviors if each.pattern.fullmatch(normal))

    def error_ttl(self, status: int) -> float:
        """How long an error is kept at least."""
        return self._error_ttls.get(status, _ERROR_TTL)

    def _behavior(self, given: Mapping[str, Any], groups: Mapping[str, Any]) -> Behavior:
        target = given["TargetOriginId"]
        group = groups.get(target)
        associated = [
            each["FunctionARN"]
            for each in given.get("FunctionAssociations", [])
            if each["EventType"] == "viewer-request"
        ]
        assert len(associated) == len(given.get("FunctionAssociations", [])) <= 1
        assert not given["Compress"], "compression is not served here"
        return Behavior(
            # A slash at the beginning may be left out.
            wildcards(re.sub(r"^(?![/*])", "/", given["PathPattern"])),
            given["ViewerProtocolPolicy"],
            frozenset(given["AllowedMethods"]),
            tuple(each["OriginId"] for each in group["Members"]["Items"]) if group else (target,),
            frozenset(group["FailoverCriteria"]["StatusCodes"]["Items"]) if group else frozenset(),
            self._cache_policy(given["CachePolicyId"]),
            _MANAGED_REQUEST[given["OriginRequestPolicyId"]]
            if "OriginRequestPolicyId" in given
            else OriginRequestPolicy(),
            associated[0].strip("<>").partition(".")[0] if associated else None,
        )

    def _cache_policy(self, identity: str) -> CachePolicy:
        if identity in _MANAGED_CACHE:
            return _MANAGED_CACHE[identity]
        config = self._stack.properties(identity.strip("<>"))["CachePolicyConfig"]
        keys = config["ParametersInCacheKeyAndForwardedToOrigin"]
        assert "none" == keys["CookiesConfig"]["CookieBehavior"]
        query, headers = keys["QueryStringsConfig"], keys["HeadersConfig"]
        names = {"none": frozenset[str](), "whitelist": frozenset(query.get("QueryStrings", ())), "all": None}
        return CachePolicy(
            float(config["MinTTL"]),
            float(config["DefaultTTL"]),
            float(config["MaxTTL"]),
            names[query["QueryStringBehavior"]],
            frozenset(each.lower() for each in headers.get("Headers", ())),
        )

    def _origin(self, given: Mapping[str, Any]) -> OriginSettings:
        control = given.get("OriginAccessControlId")
        access = {}
        if control:
            access = self._stack.properties(control.strip("<>").removesuffix(".Id"))["OriginAccessControlConfig"]
            assert ("always", "sigv4") == (access["SigningBehavior"], access["SigningProtocol"])
        custom = given.get("CustomOriginConfig")
        if custom:
            assert "https-only" == custom["OriginProtocolPolicy"]
        return OriginSettings(
            given["DomainName"],
            given.get("OriginPath", ""),
            custom is not None,
            access.get("OriginAccessControlOriginType"),
        )


def _normal(path: str) -> str:
    """The path without dot segments and repeated slashes, and without escapes of characters that need none."""
    escapes = r"%(?:2[DdEe]|3[0-9]|[46][1-9A-Fa-f]|[57][0-9Aa]|5[Ff]|7[Ee])"
    kept: list[str] = []
    parts = re.sub(escapes, lambda found: unquote(found[0]), path).split("/")
    for part in parts:
        if part == "..":
            kept[-1:] = []
        elif part not in ("", "."):
            kept.append(part)
    ends_with_slash = kept and parts[-1] in ("", ".", "..")
    return "/" + "/".join(kept) + ("/" if ends_with_slash else "")
