"""Objects of an S3 bucket."""

import hashlib
import time
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from lambda_matchbox.aws.clients import sigv4
from lambda_matchbox.aws.clients.errors import AWSError, error_in
from lambda_matchbox.aws.clients.http_client import HttpClient
from lambda_matchbox.aws.clients.http_connection import Body, HttpResponse
from lambda_matchbox.aws.clients.regional_hosts import regional_host
from lambda_matchbox.aws.clients.request_deadline import deadline_within
from lambda_matchbox.aws.clients.sigv4 import Credentials
from lambda_matchbox.backoff import Backoff
from lambda_matchbox.errors import StoreUnavailableError
from lambda_matchbox.golang.http import dates

if TYPE_CHECKING:
    from pathlib import Path
    from xml.etree.ElementTree import Element

_NOTHING = hashlib.sha256().hexdigest()
_PIECE = 1 << 18
_REPEATED_COPY = Backoff(first=0.2, longest=5.0)
_COPIES = 5


class Head(NamedTuple):
    """An object's headers; the entity tag is quoted, as in HTTP."""

    size: int
    content_type: str
    etag: str
    last_modified: datetime | None


class ListedObject(NamedTuple):
    """An object in a listing; the entity tag is quoted."""

    key: str
    size: int
    etag: str
    last_modified: datetime


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
        self._bucket = bucket
        self._region = region
        self._credentials = credentials_provider
        self._http = http

    def head(self, key: str, deadline: float) -> Head | None:
        """The object's headers; None without the object or the bucket, which HEAD does not distinguish."""
        try:
            headers = self._call("HEAD", self._url(key), {}, deadline).headers
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
            response = self._call("GET", self._url(key), {"Range": f"bytes={start}-{start + length - 1}"}, deadline)
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
        digest = hashlib.sha256(body).hexdigest()
        self._call("PUT", self._url(key), {"Content-Type": content_type}, deadline, body, digest)

    def put_file(self, key: str, file: "Path", size: int, sha256: str, content_type: str, deadline: float) -> None:
        """Store a file of that size and SHA-256 (in hexadecimal digits) in one request.

        S3 refuses another one, and keeps the SHA-256 as the object's checksum: of a multipart upload it would have only
        those of the parts. Raises OSError where the file cannot be opened, StoreUnavailableError where not read.
        """
        headers = {
            "Content-Type": content_type,
            "Content-Length": str(size),
            "X-Amz-Checksum-SHA256": checksum(sha256),
        }
        with file.open("rb") as opened:
            self._call("PUT", self._url(key), headers, deadline, _Pieces(opened, size), sha256)

    def copy(self, key: str, origin: str, headers: Mapping[str, str], deadline: float) -> str:
        """Copy an object within the bucket, with further headers of CopyObject; its checksum, if S3 returns one.

        S3 may send an error after the head of its response (CopyObject's "Response and special errors").
        """
        given = {"X-Amz-Copy-Source": sigv4.uri_encode(f"/{self._bucket}/{origin}", slashes=False), **headers}
        attempt = 0
        while True:
            response = self._call("PUT", self._url(key), given, deadline)
            if (copied := _xml(response.body)).tag != "Error":
                return copied.findtext("{*}ChecksumSHA256", "")
            attempt += 1
            if attempt == _COPIES or not _REPEATED_COPY.wait(attempt, deadline):
                raise StoreUnavailableError(f"cannot copy {origin!r}: {error_in(response.status, response.body)}")

    def delete(self, key: str, deadline: float) -> None:
        """Delete the object, if there is one."""
        self._call("DELETE", self._url(key), {}, deadline)

    def objects(self, prefix: str, page_timeout: float) -> Iterator[ListedObject]:
        """All objects whose keys start with `prefix`, in order of their keys; each page within so many seconds."""
        for page in self._pages({"prefix": prefix}, lambda: deadline_within(page_timeout)):
            for found in page.root.iterfind("{*}Contents"):
                moment = datetime.fromisoformat(found.findtext("{*}LastModified", ""))
                size, etag = int(found.findtext("{*}Size", "")), found.findtext("{*}ETag", "")
                yield ListedObject(page.decode(found.findtext("{*}Key", "")), size, etag, moment)

    def list(self, prefix: str, deadline: float) -> ObjectListing:
        """All objects whose keys start with `prefix`, those with a slash after it by their common prefixes.

        The deadline is for all pages together.
        """
        keys: list[str] = []
        prefixes: list[str] = []
        for page in self._pages({"prefix": prefix, "delimiter": "/"}, lambda: deadline):
            keys += [page.decode(found.findtext("{*}Key", "")) for found in page.root.iterfind("{*}Contents")]
            prefixes += [
                page.decode(each.findtext("{*}Prefix", "")) for each in page.root.iterfind("{*}CommonPrefixes")
            ]
        return ObjectListing(sorted(keys), sorted(prefixes))

    def _pages(self, wanted: Mapping[str, str], deadline: Callable[[], float]) -> Iterator["_Page"]:
        from urllib.parse import unquote_plus

        parameters = {"encoding-type": "url", "list-type": "2", **wanted}
        while True:
            root = _xml(self._call("GET", self._url("", parameters), {}, deadline()).body)
            # A server that does not encode keys does not name an encoding.
            yield _Page(root, unquote_plus if root.findtext("{*}EncodingType") == "url" else str)
            token = root.findtext("{*}NextContinuationToken")
            if not token:
                return
            parameters["continuation-token"] = token

    def presigned_get(self, key: str, scheme: str, lifetime: int) -> str:
        """A URL for `scheme` (http or https) that allows GET, but not HEAD, for `lifetime` seconds from now.

        It is of http if the endpoint is.

        It expires with the credentials if that is sooner. No call is made: the object may not exist.
        """
        return sigv4.presign_get(
            f"{'http' if self._scheme == 'http' else scheme}://{self._location}/{sigv4.uri_encode(key, slashes=False)}",
            credentials=self._credentials(),
            region=self._region,
            now=time.time(),
            lifetime=lifetime,
        )

    def _url(self, key: str, parameters: Mapping[str, str] | None = None) -> str:
        url = f"{self._scheme}://{self._location}/{sigv4.uri_encode(key, slashes=False)}"
        if parameters is None:
            return url
        return f"{url}?" + "&".join(f"{name}={sigv4.uri_encode(value)}" for name, value in parameters.items())

    def _call(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        deadline: float,
        body: Body | None = None,
        digest: str = _NOTHING,
    ) -> HttpResponse:
        signed = sigv4.sign_headers(
            method,
            url,
            headers,
            digest,
            credentials=self._credentials(),
            region=self._region,
            service="s3",
            now=time.time(),
        )
        return self._http.request(method, url, signed, body, deadline)


class _Page(NamedTuple):
    root: "Element"
    decode: Callable[[str], str]


class _Pieces:
    """The pieces of a file of that size, from its beginning each time. Raises StoreUnavailableError."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file = file
        self._size = size

    def __iter__(self) -> Iterator[bytes]:
        left = self._size
        try:
            self._file.seek(0)
            while left and (piece := self._file.read(min(left, _PIECE))):
                left -= len(piece)
                yield piece
        except OSError as error:
            # It is the file's, which the client would take for the connection's.
            raise StoreUnavailableError(f"{self._file.name} cannot be read: {error.strerror}") from error
        if left:
            raise StoreUnavailableError(f"{self._file.name} is {left} bytes shorter than it was")


def checksum(sha256: str) -> str:
    """The SHA-256 in hexadecimal digits as S3 has it in its headers."""
    return b64encode(bytes.fromhex(sha256)).decode()


def _xml(body: bytes) -> "Element":
    # Imported where it is needed: it costs a tenth of the boot path's imports.
    from xml.etree import ElementTree

    try:
        return ElementTree.fromstring(body)  # noqa: S314 - S3 itself wrote it
    except ElementTree.ParseError as error:
        raise StoreUnavailableError(f"what the bucket sends is not XML: {error}") from error
