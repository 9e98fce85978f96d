"""The data that templates and /metadata see of a machine, its group and its request."""

from collections.abc import Mapping

from lambda_matchbox.catalog.groups import SelectorValue
from lambda_matchbox.catalog.stores import Selection
from lambda_matchbox.golang.values import StringMap


def data_of(selection: Selection, labels: Mapping[str, str], raw_query: str) -> dict[str, object]:
    """The data for a machine that was given this selection: the profile's metadata, and `template_data` over that.

    What both profile and group have at the top is the group's alone: maps are not merged.
    """
    group, profile = selection.group, selection.profile
    metadata = {**({} if profile is None else profile.metadata), **group.metadata}
    return template_data(metadata, group.selector, labels, raw_query)


def template_data(
    metadata: Mapping[str, object], selector: Mapping[str, SelectorValue], labels: Mapping[str, str], raw_query: str
) -> dict[str, object]:
    """The group's metadata, its selector under lower-case keys over that, and the request over both.

    Where the selector lists values, the machine's is taken, which is one of them. `request` holds `query`, the labels,
    and `raw_query`, what stood behind the `?`. Of two selector keys that differ in case only the last in order of bytes
    counts; matchbox leaves that to chance.
    """
    data: dict[str, object] = dict(metadata)
    for key in sorted(selector):
        wanted = selector[key]
        data[key.lower()] = wanted if isinstance(wanted, str) else labels.get(key, "")
    data["request"] = {"query": StringMap(labels), "raw_query": raw_query}
    return data
