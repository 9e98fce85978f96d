"""A catalog that selects once, so that a report and the answer in it are of the same group."""

from collections.abc import Mapping

from lambda_matchbox.catalog.profiles import Profile
from lambda_matchbox.catalog.stores import Catalog, Selection


class OneSelection:
    """The catalog, which is asked once for one machine's group: others may edit it meanwhile.

    A selection that fails is not kept.
    """

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._selected: list[tuple[Mapping[str, str] | None, Selection | None]] = []

    def select(self, labels: Mapping[str, str] | None) -> Selection | None:
        """The selection for these labels, the first one where they are asked for again."""
        for asked, selection in self._selected:
            if asked == labels:
                return selection
        found = self._catalog.select(labels)
        self._selected.append((labels, found))
        return found

    def profile(self, profile_id: str) -> Profile | None:
        """The catalog's."""
        return self._catalog.profile(profile_id)

    def template(self, kind: str, template_id: str) -> bytes | None:
        """The catalog's."""
        return self._catalog.template(kind, template_id)
