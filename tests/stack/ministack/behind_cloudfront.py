"""Requests of viewers to a distribution, and what the tests change where the emulator lacks something.

Here the emulator's CloudFront and the local one of `tests/stack/cloudfront` disagree. The local one does what AWS's
documentation says, in brackets:

- Requests to function URLs are not signed, and so refused; once a URL takes unsigned ones, no permission is asked for.
  They are signed, and need two permissions (Lambda's guide, "Control access to Lambda function URLs").
- Groups of origins are not known: 502. For the listed statuses the second origin is asked (CloudFront's guide, "Request
  and response behavior for origin groups").
- Nothing is cached, equal requests share nothing, and addresses have no limit (CloudFront's guide, "Request and
  response behavior for custom origins", "Quotas").
- A missing object is a 403. With `s3:ListBucket` it is a 404 (S3's API, GetObject).
- `aws:SecureTransport` is no condition of reads by CloudFront. They have the viewer's protocol (CloudFront's guide,
  "Use HTTPS between CloudFront and your Amazon S3 origin").
- `..` is a part of the path that behaviors are compared with. They are compared with the path without dot segments,
  and the path as sent goes to the origin (CloudFront's guide, "Cache behavior settings", path normalization).
- The function URL decodes a query, groups equal names, and encodes it again, `#` too. As long as the function at the
  edge leaves it alone, a query is passed on as received (CloudFront's guide, "Restrictions on all edge functions").
- A `+` of a query is signed as a space. AWS's text says how a space is written, `%20` and not `+`, but not what a `+`
  is (IAM's guide, "Create a signed AWS API request"); the local one signs it as `%2B`. Which of both CloudFront and
  function URLs do is not known, only that they have to do the same; a check of deployed stacks asks with it.
- Bytes of a query that are no UTF-8 are signed as another character, and refused where they are not encoded. Every byte
  is encoded (ibid.).
- A request by http that says `X-Forwarded-Proto: https` counts as one by https. That header is removed (CloudFront's
  guide, "Request and response behavior for custom origins").
"""

import http.client
import ssl
from collections.abc import Mapping
from contextlib import closing
from urllib.parse import urlsplit

from botocore.config import Config

from tests.conformance.recordings import Response
from tests.stack.ministack.deployment import Deployed

LOCALHOST = "127.0.0.1"


def asked(
    stack: Deployed,
    target: str,
    headers: Mapping[str, str] = {},
    *,
    method: str = "GET",
    tls: bool = False,
    host: str | None = None,
    viewer: str = LOCALHOST,
) -> Response:
    """What a viewer with that address gets from the distribution, or from another host of the emulator's."""
    account, source = stack.account, (viewer, 0)
    connection = http.client.HTTPConnection(LOCALHOST, account.plain_port, timeout=30, source_address=source)
    if tls:
        context = ssl.create_default_context(cafile=account.authority)
        port = urlsplit(account.endpoint).port
        connection = http.client.HTTPSConnection(LOCALHOST, port, timeout=30, source_address=source, context=context)
    with closing(connection):
        connection.request(method, target, headers={"Host": host or stack.host, **headers})
        response = connection.getresponse()
        fields = {name.lower(): value for name, value in response.getheaders()}
        return Response(response.status, fields, response.read())


def let_everybody_ask_the_functions(stack: Deployed) -> None:
    """The emulator's CloudFront does not sign what it asks function URLs."""
    with closing(stack.account.client("lambda")) as client:
        for url in stack.resources.keys() & {"BootApiUrl", "SignedApiUrl"}:
            name, _, alias = stack.resources[url].partition(":")
            client.update_function_url_config(FunctionName=name, Qualifier=alias, AuthType="NONE")


def serve_assets_from(stack: Deployed, origin: str) -> None:
    """The emulator does not know groups of origins: one of the group's in its place."""
    # The emulator leaves out ports of origins, which boto3 asks for.
    with closing(stack.account.client("cloudfront", Config(parameter_validation=False))) as client:
        found = client.get_distribution_config(Id=stack.resources["Distribution"])
        config = found["DistributionConfig"]
        [behavior] = [each for each in config["CacheBehaviors"]["Items"] if each["PathPattern"] == "/assets/*"]
        behavior["TargetOriginId"] = origin
        client.update_distribution(Id=stack.resources["Distribution"], IfMatch=found["ETag"], DistributionConfig=config)
