"""What does a template see of a machine, its group and its request?"""

from collections.abc import Mapping

from matchbox.go_values import StringMap


def template_data(
    metadata: Mapping[str, object], selector: Mapping[str, str], labels: Mapping[str, str], raw_query: str
) -> dict[str, object]:
    """The group's metadata, its selector under lower-case keys over that, and the request over both.

    `request` holds `query`, the labels, and `raw_query`, what stood behind the `?`. Of two selector keys that differ
    in case only the last in order of bytes counts; matchbox leaves that to chance.
    """
    data: dict[str, object] = dict(metadata)
    for key in sorted(selector):
        data[key.lower()] = selector[key]
    data["request"] = {"query": StringMap(labels), "raw_query": raw_query}
    return data
