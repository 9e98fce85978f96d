"""The CloudFront of a stack's template, in front of the built functions and the bucket."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from tests.rigs.lambda_runtime import LambdaFunction, lambda_function
from tests.rigs.stores import Stores
from tests.stack.balancer import artefacts
from tests.stack.cloudfront.bucket import Bucket
from tests.stack.cloudfront.edge import Edge, Origin
from tests.stack.cloudfront.front import Front
from tests.stack.cloudfront.function_urls import FunctionUrl
from tests.stack.cloudfront.settings import Settings
from tests.stack.cloudfront.signatures import Principal
from tests.stack.cloudfront.viewer_functions import viewer_functions
from tests.stack.resolution import Stack
from tests.support.certificates import tls_server
from tests.support.server_threads import in_thread


class CloudFront(NamedTuple):
    """Where it is served on 127.0.0.1, by https with a certificate of `authority`, and what is behind it."""

    port: int
    https_port: int
    authority: Path
    functions: Mapping[str, LambdaFunction]
    origins: Mapping[str, Origin]


@contextmanager
def cloudfront(
    stack: Stack,
    built: Path,
    stores: Stores,
    aws: Mapping[str, str],
    scratch: Path,
    port: int = 0,
    https_port: int = 0,
    domain: str = "d111111abcdef8.cloudfront.net",
) -> Iterator[CloudFront]:
    """The stack's distribution over its built functions; see `in_front_of`."""
    with ExitStack() as kept:
        functions: dict[str, LambdaFunction] = {}
        for each in stack.of_type("AWS::Lambda::Url").values():
            function = each["TargetFunctionArn"].strip("<>")
            functions[function] = kept.enter_context(lambda_function(artefacts(stack, function, built, aws)))
        with in_front_of(functions, stack, stores, scratch, port, https_port, domain) as running:
            yield running


@contextmanager
def in_front_of(
    functions: Mapping[str, Any],
    stack: Stack,
    stores: Stores,
    scratch: Path,
    port: int = 0,
    https_port: int = 0,
    domain: str = "d111111abcdef8.cloudfront.net",
) -> Iterator[CloudFront]:
    """The stack's distribution, called `domain`, on these ports, 0 for free ones; its bucket is on versitygw.

    `functions` have a method `invoke` for events, by their logical ids.
    """
    buckets = stores.buckets
    settings = Settings(stack)
    # What S3 takes for its owner's requests are CloudFront's here: the policy says what those may do.
    principal = Principal("cloudfront.amazonaws.com", settings.arn, buckets.access_key, buckets.secret_key)
    principals = {principal.access_key: principal}
    with ExitStack() as kept:
        bucket = Bucket(stack, stores.name, buckets, principals)
        origins = {"<Bucket.RegionalDomainName>": Origin(bucket.host, buckets.region, bucket.respond)}
        for name, each in stack.of_type("AWS::Lambda::Url").items():
            function = functions[each["TargetFunctionArn"].strip("<>")]
            url = FunctionUrl(stack, name, function.invoke, "eu-central-1", principals)
            origins[f"<{name}.FunctionUrl>"] = Origin(url.host, "eu-central-1", url.respond)
        edge = Edge(settings, kept.enter_context(viewer_functions(stack)), origins, principal, domain)
        context, authority = tls_server(scratch, [domain.partition(":")[0], "127.0.0.1", "localhost", "10.0.2.2"])
        plain = kept.enter_context(in_thread(Front(port, edge.respond)))
        secure = kept.enter_context(in_thread(Front(https_port, edge.respond, context)))
        yield CloudFront(plain.server_address[1], secure.server_address[1], authority, functions, origins)
