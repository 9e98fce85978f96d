"""A plain HTTP server of a bucket's objects, without signatures.

It is what MATCHBOX_BUCKET_URL names. On AWS that is a distribution that reads the bucket in its own name (CloudFront
with origin access control), or the bucket itself where its policy lets a network read without a signature.
"""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from tests.rigs.service import Service
from tests.support.server_threads import in_thread

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

PIECE = 1 << 16


class TokenFreeServer(ThreadingHTTPServer):
    """Listens on a free port of 127.0.0.1; an address's path is an object's key. `asked` are the paths so far."""

    daemon_threads = True

    def __init__(self, client: "S3Client", bucket: str) -> None:
        super().__init__(("127.0.0.1", 0), _Object)
        self.client = client
        self.bucket = bucket
        self.asked: list[str] = []


class _Object(BaseHTTPRequestHandler):
    server: TokenFreeServer
    # GRUB takes no older version.
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        ranges = {"Range": self.headers["Range"]} if "Range" in self.headers else {}
        try:
            found = self.server.client.get_object(Bucket=self.server.bucket, Key=self.path.lstrip("/"), **ranges)  # type: ignore[arg-type]
        except ClientError as error:
            self.send_error(error.response["ResponseMetadata"]["HTTPStatusCode"])
            return
        self.send_response(found["ResponseMetadata"]["HTTPStatusCode"])
        self.send_header("Content-Type", found["ContentType"])
        self.send_header("Content-Length", str(found["ContentLength"]))
        if "ContentRange" in found:
            self.send_header("Content-Range", found["ContentRange"])
        self.end_headers()
        with closing(found["Body"]) as body:
            for piece in body.iter_chunks(PIECE):
                self.wfile.write(piece)

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
        """Say nothing."""


@contextmanager
def token_free(buckets: Service, bucket: str) -> Iterator[TokenFreeServer]:
    """The server over `bucket`, which it reads with the service's own credentials."""
    with closing(buckets.client("s3")) as client, in_thread(TokenFreeServer(client, bucket)) as server:
        yield server
