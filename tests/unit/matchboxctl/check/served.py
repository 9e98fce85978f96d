"""A data directory served in this process."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from lambda_matchbox.assets.file_server import Delivery
from lambda_matchbox.web.app import App
from lambda_matchbox.web.json_log import JsonLog
from lambda_matchbox.web.routes import Routes
from matchboxctl.serve.directory_stores import directory_stores
from tests.support.http_serving import http_serving


@contextmanager
def served(data: Path) -> Iterator[str]:
    """The address at which `serve`'s HTTP server serves the directory."""
    opened = directory_stores(data, data / "assets", print)
    app = App(Routes(opened.stores, Delivery(direct_limit=1 << 20, boundary="-")), JsonLog("critical"))
    with closing(opened.catalog), http_serving(app) as port:
        yield f"http://127.0.0.1:{port}"
