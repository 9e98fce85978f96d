"""The data that templates and /metadata see of a machine, its group and its request."""

from collections.abc import Mapping

from lambda_matchbox.catalog.groups import SelectorValue
from lambda_matchbox.catalog.labels import CLIENT_IP
from lambda_matchbox.catalog.stores import Selection
from lambda_matchbox.golang.values import StringMap


def data_of(selection: Selection, labels: Mapping[str, str], raw_query: str) -> dict[str, object]:
    """The data for a machine with this selection: the profile's metadata, overridden by `template_data`.

    A top-level key of both profile and group has the group's value: maps are not merged.
    """
    group, profile = selection.group, selection.profile
    metadata = {**({} if profile is None else profile.metadata), **group.metadata}
    return template_data(metadata, group.selector, labels, raw_query)


def template_data(
    metadata: Mapping[str, object], selector: Mapping[str, SelectorValue], labels: Mapping[str, str], raw_query: str
) -> dict[str, object]:
    """The group's metadata, overridden by its selector under lower-case keys, overridden by the request.

    For a selector with several values the machine's own is used. `request` holds `query`, the labels, and `raw_query`,
    the part behind the `?`. Of two selector keys that differ in case, the last in byte order counts; with matchbox any
    of them.
    """
    data: dict[str, object] = dict(metadata)
    for key in sorted(selector):
        wanted = selector[key]
        if key == CLIENT_IP:
            continue
        data[key.lower()] = wanted if isinstance(wanted, str) else labels.get(key, "")
    data["request"] = {"query": StringMap(labels), "raw_query": raw_query}
    return data
