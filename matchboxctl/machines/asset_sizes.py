"""The sizes of files that machines requested, as they are now."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from lambda_matchbox.assets.released import ReleasedAssets
from lambda_matchbox.errors import MatchboxError
from lambda_matchbox.machines.boots import Boot

if TYPE_CHECKING:
    from lambda_matchbox.web.routes import Stores

_ASSETS = "/assets/"
_ERRORS = 400


def asset_sizes(stores: "Stores", boots: Iterable[Boot]) -> Mapping[str, int]:
    """The sizes by path of the files that these boots got; none of those that cannot be read."""
    paths = {event.what for boot in boots for event in boot.events if event.kind == "asset" and event.status < _ERRORS}
    if not paths:
        return {}
    try:
        served = ReleasedAssets(stores.assets, stores.releases, stores.releases.pointers(), release=None)
        found = {path: served.file(path.removeprefix(_ASSETS)) for path in paths}
    except MatchboxError:
        return {}
    return {path: file.size for path, file in found.items() if file is not None}
