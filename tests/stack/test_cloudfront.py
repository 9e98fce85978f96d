"""The built functions and the bucket behind the template's CloudFront."""

from typing import Any

import pytest

from tests.conformance.http_exchange import exchange
from tests.conformance.recordings import HERE, Recording, Response
from tests.stack.place import BEHIND_CLOUDFRONT

pytestmark = pytest.mark.real


def test_scripts_come_from_the_function_and_files_from_the_bucket(new_place: Any) -> None:
    place = new_place(**BEHIND_CLOUDFRONT)
    place.stores.fill(HERE / "seed" / "data")
    place.stores.put_asset("vmlinuz", b"kernel")
    with place.cloudfront() as door:
        assert [(200, "9"), (200, "132"), (200, "6"), (404, "272"), (403, "89")] == [
            (answer.status, answer.headers["content-length"])
            for target in ("/", "/boot.ipxe", "/assets/vmlinuz", "/assets/absent", "/ignition?arch=arm64")
            if (answer := got(door.port, target))
        ]


def got(port: int, target: str, **headers: str) -> Response:
    return exchange(port, Recording("", "GET", target, headers, Response(0, {}, b"")))
