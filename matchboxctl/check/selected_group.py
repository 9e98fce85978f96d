"""Whether the labels in an address select the machine's group, as /metadata of the running server tells."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple
from urllib.parse import urlencode, urlsplit

from lambda_matchbox.catalog.labels import read_query
from matchboxctl.check.boot_client import AbsentError, BootClient, DeliveryError, GateError
from matchboxctl.netboot.variables import variable_of

_MAX_BODY = 16 * 1024 * 1024
_OF_REQUEST = b"REQUEST_"
_TELLING = 4  # bytes: a shorter value is found in any configuration
_TEMPLATES = {"/ignition": "ignition_id", "/cloud": "cloud_id", "/generic": "generic_id"}

Seen = tuple[bytes, ...] | None
"""What /metadata tells of the group and its profile, or the group's id; None if no group matches."""


class SelectedGroup:
    """The group of a machine with these labels, of the server at `root`."""

    def __init__(self, root: str, labels: Mapping[str, str], client: BootClient) -> None:
        self._root = root
        self._labels = read_query(urlencode(labels)).labels
        self._client = client
        self._seen: dict[str, Seen] = {}

    def exists(self) -> bool:
        """Whether a group matches the machine. Raises FetchError."""
        return self._of(self._root, self._labels) is not None

    def problem(self, url: str, made_up: Iterable[str] = ()) -> str:
        """Why the request for that configuration is not one of the machine's group; empty if it is.

        `made_up` are labels whose values in the address are none of a group's. Raises FetchError.
        """
        asked = _configuration_request(url)
        if asked is None:
            return ""
        known = {key: value for key, value in asked.labels.items() if key not in made_up}
        own, found = self._of(asked.root, self._labels), self._of(asked.root, known)
        if own is None or own == found:
            return ""
        names = ", ".join(asked.labels) or "none"
        if found is None:
            return f"no group matches the labels of this address ({names}){self._advice(known)}"
        return f"the labels of this address ({names}) select another group than the machine's{self._advice(known)}"

    def is_public(self, url: str, body: bytes) -> bool:
        """Whether the configuration came from the internet without a token, with the group's metadata in it.

        Raises FetchError.
        """
        asked = _configuration_request(url)
        if asked is None or not self._client.is_behind_cloudfront(url) or "token" in asked.labels:
            return False
        values = {line.partition(b"=")[2] for line in self._of(asked.root, asked.labels) or ()}
        # Who asks knows the labels, some of which are the group's selector.
        values -= {value.encode() for value in asked.labels.values()}
        return any(len(value) >= _TELLING and value in body for value in values)

    def reason_of_404(self, url: str) -> str:
        """Why the server has no configuration for a machine of this group, whatever the labels; empty if it has one.

        Raises FetchError.
        """
        asked = _configuration_request(url)
        if asked is None or self._of(asked.root, self._labels) is None:
            return ""
        try:
            self._client.body(f"{asked.root}{asked.route}?{urlencode(self._labels)}", _MAX_BODY)
        except AbsentError:
            return f"the machine's profile has no {_TEMPLATES[asked.route]}, or that template is absent"
        return ""

    def _advice(self, asked: Mapping[str, str]) -> str:
        absent = [key for key in self._labels if key not in asked]
        other = [key for key in self._labels if key in asked and asked[key] != self._labels[key]]
        advice = f": its {' and '.join(other)} is not the machine's" if other else ""
        if absent:
            written = "&".join(f"{key}={variable_of(key) or '…'}" for key in absent)
            advice += f"{', and it' if other else ': it'} lacks {' and '.join(absent)}; add {written}"
        return advice

    def _of(self, root: str, labels: Mapping[str, str]) -> Seen:
        url = f"{root}/metadata?{urlencode(sorted(labels.items()))}"
        if url not in self._seen:
            try:
                body, _ = self._client.body(url, _MAX_BODY)
            except AbsentError:
                self._seen[url] = None
            except (DeliveryError, GateError) as error:
                if not error.group:
                    raise
                self._seen[url] = (error.group.encode(),)
            else:
                # matchbox writes the lines in random order.
                lines = (line for line in body.splitlines() if not line.startswith(_OF_REQUEST))
                self._seen[url] = tuple(sorted(lines))
        return self._seen[url]


class _ConfigurationRequest(NamedTuple):
    """The request for a configuration that a matchbox at `root` renders: its route and labels."""

    root: str
    route: str
    labels: Mapping[str, str]


def _configuration_request(url: str) -> _ConfigurationRequest | None:
    """The request, also to another address of the same server; None for any other address."""
    parts = urlsplit(url)
    prefix, _, name = parts.path.rpartition("/")
    route = f"/{name}"
    if route not in _TEMPLATES:
        return None
    return _ConfigurationRequest(f"{parts.scheme}://{parts.netloc}{prefix}", route, read_query(parts.query).labels)
