"""Objects of an S3 bucket."""

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import NamedTuple
from urllib.parse import quote, unquote_plus

from lambda_matchbox.aws.clients import sigv4
from lambda_matchbox.aws.clients.errors import AWSError
from lambda_matchbox.aws.clients.http_client import HttpClient, HttpResponse
from lambda_matchbox.aws.clients.regional_hosts import regional_host
from lambda_matchbox.aws.clients.sigv4 import Credentials
from lambda_matchbox.golang.http import dates

_UNRESERVED = "-_.~"


class Head(NamedTuple):
    """An object's headers; the entity tag is quoted, as in HTTP."""

    size: int
    content_type: str
    etag: str
    last_modified: datetime | None


class ObjectListing(NamedTuple):
    """The keys of objects, and the common prefixes (which end with a slash) of further ones, each sorted."""

    keys: list[str]
    prefixes: list[str]


class S3:
    """One bucket. `endpoint` is `http[s]://HOST[:PORT]`, or None for the region's own.

    On AWS it is addressed as a host of its region, elsewhere (and if its name has dots, for which no certificate
    exists) as the first part of the path. Only 404 means that a key is missing: without s3:ListBucket S3 responds 403
    instead, so the role needs it. A deadline is a moment of time.monotonic().
    All calls raise StoreUnavailableError without a response in time, and AWSError for a refusal.
    """

    def __init__(
        self,
        endpoint: str | None,
        region: str,
        bucket: str,
        credentials_provider: Callable[[], Credentials],
        http: HttpClient,
    ) -> None:
        own = regional_host("s3", region)
        if endpoint is None and "." not in bucket:
            self._scheme, self._location = "https", f"{bucket}.{own}"
        else:
            self._scheme, _, host = (endpoint or f"https://{own}").rstrip("/").partition("://")
            self._location = f"{host}/{bucket}"
        self._region = region
        self._credentials = credentials_provider
        self._http = http

    def head(self, key: str, deadline: float) -> Head | None:
        """The object's headers; None without the object or the bucket, which HEAD does not distinguish."""
        try:
            headers = self._call("HEAD", self._url(key), {}, b"", deadline).headers
        except AWSError as error:
            if error.status == 404:
                return None
            raise
        modified = dates.parse(headers.get("last-modified", ""))
        return Head(
            size=int(headers["content-length"]),
            content_type=headers.get("content-type", ""),
            etag=headers.get("etag", ""),
            last_modified=None if modified is None else datetime.fromtimestamp(modified, UTC),
        )

    def get(self, key: str, start: int, length: int, deadline: float) -> bytes | None:
        """`length` bytes (at least 1) from `start`, fewer at the object's end; None without the object."""
        if start < 0 or length < 1:
            raise ValueError(f"invalid range: start {start!r}, length {length!r}")
        try:
            response = self._call(
                "GET", self._url(key), {"Range": f"bytes={start}-{start + length - 1}"}, b"", deadline
            )
        except AWSError as error:
            if error.status == 404 and error.code != "NoSuchBucket":
                return None
            if error.status == 416:
                # The object ends before `start`.
                return b""
            raise
        # A server may ignore Range (RFC 9110, section 14.2).
        return response.body if response.status == 206 else response.body[start : start + length]

    def put(self, key: str, body: bytes, content_type: str, deadline: float) -> None:
        """Store an object; its digest is signed, so that S3 refuses a damaged body."""
        self._call("PUT", self._url(key), {"Content-Type": content_type}, body, deadline)

    def list(self, prefix: str, deadline: float) -> ObjectListing:
        """All objects whose keys start with `prefix`, those with a slash after it by their common prefixes.

        The deadline is for all pages together.
        """
        # Imported where it is needed: listings are rare, and it costs a tenth of the boot path's imports.
        from xml.etree import ElementTree

        parameters = {"encoding-type": "url", "list-type": "2", "prefix": prefix, "delimiter": "/"}
        keys: list[str] = []
        prefixes: list[str] = []
        while True:
            response = self._call("GET", self._url("", parameters), {}, b"", deadline)
            page = ElementTree.fromstring(response.body)  # noqa: S314 - S3 itself wrote it
            # A server that does not encode keys does not name an encoding.
            decode = unquote_plus if page.findtext("{*}EncodingType") == "url" else str
            keys += [decode(found.findtext("{*}Key", "")) for found in page.iterfind("{*}Contents")]
            prefixes += [decode(found.findtext("{*}Prefix", "")) for found in page.iterfind("{*}CommonPrefixes")]
            token = page.findtext("{*}NextContinuationToken")
            if not token:
                return ObjectListing(sorted(keys), sorted(prefixes))
            parameters["continuation-token"] = token

    def presigned_get(self, key: str, scheme: str, lifetime: int) -> str:
        """A URL for `scheme` (http or https) that allows GET, but not HEAD, for `lifetime` seconds from now.

        It is of http if the endpoint is.

        It expires with the credentials if that is sooner. No call is made: the object may not exist.
        """
        return sigv4.presign_get(
            f"{'http' if self._scheme == 'http' else scheme}://{self._location}/{quote(key, safe=_UNRESERVED + '/')}",
            credentials=self._credentials(),
            region=self._region,
            now=time.time(),
            lifetime=lifetime,
        )

    def _url(self, key: str, parameters: Mapping[str, str] | None = None) -> str:
        url = f"{self._scheme}://{self._location}/{quote(key, safe=_UNRESERVED + '/')}"
        if parameters is None:
            return url
        return f"{url}?" + "&".join(f"{name}={quote(value, safe=_UNRESERVED)}" for name, value in parameters.items())

    def _call(self, method: str, url: str, headers: Mapping[str, str], body: bytes, deadline: float) -> HttpResponse:
        signed = sigv4.sign_headers(
            method,
            url,
            headers,
            body,
            credentials=self._credentials(),
            region=self._region,
            service="s3",
            now=time.time(),
        )
        return self._http.request(method, url, signed, body if method == "PUT" else None, deadline)
