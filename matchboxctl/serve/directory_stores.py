"""The app's stores over a data directory, which `serve` and `render` share."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

from lambda_matchbox.web.routes import Stores
from matchboxctl.cli.arguments import check_data_path
from matchboxctl.cli.errors import UsageError
from matchboxctl.directory.assets import AssetDirectory
from matchboxctl.directory.catalog import DirectoryCatalog
from matchboxctl.directory.machine_states import DirectoryMachines
from matchboxctl.directory.private_files import is_private
from matchboxctl.directory.secrets import DirectorySecrets
from matchboxctl.directory.served_releases import DirectoryReleases


class DirectoryStores(NamedTuple):
    """The stores over a data directory."""

    catalog: DirectoryCatalog
    assets: AssetDirectory
    releases: DirectoryReleases
    machines: DirectoryMachines
    secrets: DirectorySecrets

    @property
    def stores(self) -> Stores:
        """The stores as the routes take them."""
        return Stores(self.catalog, self.assets, self.releases, None, self.machines, self.secrets)

    def close(self) -> None:
        """Close what is open."""
        self.catalog.close()
        self.machines.close()


def directory_stores(
    data_path: Path, assets_path: Path, warn: Callable[[str], None], *, keeps_index: bool = False
) -> DirectoryStores:
    """The stores over the directories. Raises UsageError.

    `warn` gets one line for each file that does not parse or cannot be read. With `keeps_index` a start
    that finds many changed groups writes an index for the next one.
    """
    releases = DirectoryReleases(data_path / "releases")
    try:
        check_data_path(data_path)
        for part in (data_path / "groups", data_path / "profiles"):
            if part.exists() and not part.is_dir():
                raise UsageError(f"{part} is not a directory: it holds one .json file for each of them")
        machines = DirectoryMachines(data_path)
        catalog = DirectoryCatalog(data_path, warn, releases.pointers, machines.read_all, keeps_index=keeps_index)
    except OSError as error:
        raise UsageError(f"{error.filename}: {error.strerror}") from error
    return DirectoryStores(
        catalog,
        AssetDirectory(assets_path, hidden=partial(is_private, data_path)),
        releases,
        machines,
        DirectorySecrets(data_path),
    )
