"""Whether the labels in an address select the machine's group, as /metadata of the running server tells."""

from collections.abc import Iterable, Mapping
from urllib.parse import urlencode, urlsplit

from lambda_matchbox.catalog.labels import read_query
from matchboxctl.check.boot_client import AbsentError, BootClient, FetchError
from matchboxctl.netboot.variables import variable_of

_MAX_METADATA = 16 * 1024 * 1024
_OF_REQUEST = b"REQUEST_"
_TEMPLATES = {"/ignition": "ignition_id", "/cloud": "cloud_id", "/generic": "generic_id"}

Seen = tuple[bytes, ...] | None
"""What /metadata tells of the group and its profile; None if no group matches."""


class SelectedGroup:
    """The group of a machine with these labels, of the server at `root`."""

    def __init__(self, root: str, labels: Mapping[str, str], client: BootClient) -> None:
        self._root = root
        self._labels = read_query(urlencode(labels)).labels
        self._client = client
        self._seen: dict[str, Seen] = {}

    def exists(self) -> bool:
        """Whether a group matches the machine. Raises FetchError."""
        return self._of(self._labels) is not None

    def problem(self, url: str, made_up: Iterable[str] = ()) -> str:
        """Why the request for that configuration is not one of the machine's group; empty if it is.

        `made_up` are labels whose values in the address are none of a group's. Raises FetchError.
        """
        asked = self._asked(url)
        if asked is None:
            return ""
        known = {key: value for key, value in asked.items() if key not in made_up}
        own, found = self._of(self._labels), self._of(known)
        if own is None or own == found:
            return ""
        names = ", ".join(asked) or "none"
        if found is None:
            return f"no group matches the labels of this address ({names}){self._advice(known)}"
        return f"the labels of this address ({names}) select another group than the machine's{self._advice(known)}"

    def reason_of_404(self, url: str) -> str:
        """Why the server has no configuration for a machine of this group, whatever the labels; empty if it has one."""
        if self._asked(url) is None:
            return ""
        route = urlsplit(url[len(self._root) :]).path
        try:
            self._client.body(f"{self._root}{route}?{urlencode(self._labels)}", _MAX_METADATA)
        except AbsentError:
            return f"the machine's profile has no {_TEMPLATES[route]}, or that template is absent"
        except FetchError:
            pass
        return ""

    def _asked(self, url: str) -> Mapping[str, str] | None:
        """The labels in the address of a configuration that this server renders; None for any other address."""
        if not url.startswith(f"{self._root}/"):
            return None
        parts = urlsplit(url[len(self._root) :])
        return read_query(parts.query).labels if parts.path in _TEMPLATES else None

    def _advice(self, asked: Mapping[str, str]) -> str:
        absent = [key for key in self._labels if key not in asked]
        other = [key for key in self._labels if key in asked and asked[key] != self._labels[key]]
        advice = f": its {' and '.join(other)} is not the machine's" if other else ""
        if absent:
            written = "&".join(f"{key}={variable_of(key) or '…'}" for key in absent)
            advice += f"{', and it' if other else ': it'} lacks {' and '.join(absent)}; add {written}"
        return advice

    def _of(self, labels: Mapping[str, str]) -> Seen:
        query = urlencode(sorted(labels.items()))
        if query not in self._seen:
            try:
                body, _ = self._client.body(f"{self._root}/metadata?{query}", _MAX_METADATA)
            except AbsentError:
                self._seen[query] = None
            else:
                # matchbox writes the lines in random order.
                self._seen[query] = tuple(
                    sorted(line for line in body.splitlines() if not line.startswith(_OF_REQUEST))
                )
        return self._seen[query]
