"""How is a group written in its item, and where is it found? See `aws.catalog.layout`."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from lambda_matchbox.aws.catalog.layout import (
    LARGEST_ITEM,
    Far,
    Record,
    UnwritableError,
    far_in,
    group_key,
    item_of,
    json_text,
    long_part,
    selector_hash,
    selector_text,
    text_hash,
)
from lambda_matchbox.catalog.groups import Group, SelectorValue
from lambda_matchbox.catalog.selection import (
    MAX_COMBINATIONS,
    Selector,
    combinations,
    keys_of,
    selectors_of,
    stands_for,
)


def group_hash(selector: Mapping[str, SelectorValue]) -> str:
    """The hash of a group's selector, which is its entry's where it has no lists."""
    return text_hash(json_text([(key, selector[key]) for key in keys_of(selector)]))


def group_record(group: Group, rev: str) -> Record:
    """The group's item. Raises UnwritableError."""
    what = f"group {group.id!r}"
    _check_selector(what, group.selector)
    fields: dict[str, Any] = {**group._asdict(), "selector": dict(group.selector)}
    metadata = json_text(fields.pop("metadata")).encode()
    far, objects = long_part(f"the metadata of {what}", metadata)
    if not far:
        fields["metadata"] = dict(group.metadata)
    item = item_of(
        what,
        group_key(group.id),
        doc=json_text(fields),
        sel=group_hash(group.selector),
        profile=group.profile,
        rev=rev,
        **far,
    )
    return Record(item, objects)


def group_in(item: Mapping[str, Any], read: Callable[[Far], bytes]) -> Group:
    """The group in its item; `read` gets the bytes of an object."""
    fields = json.loads(item["doc"])
    fields["selector"] = {key: one if isinstance(one, str) else tuple(one) for key, one in fields["selector"].items()}
    far = far_in(item)
    if far is not None:
        fields["metadata"] = json.loads(read(far))
    return Group(**fields)


def selectors_in(item: Mapping[str, Any]) -> list[Selector]:
    """All that the selector of the group in its item stands for."""
    return selectors_of(json.loads(item["doc"])["selector"])


def has_selector(item: Mapping[str, Any], selector: Selector) -> bool:
    """Whether the selector of the group in its item stands for this one."""
    # Without lists the hash tells, and the document need not be read for this.
    return item["sel"] == selector_hash(selector) or stands_for(json.loads(item["doc"])["selector"], selector)


def _check_selector(what: str, selector: Mapping[str, SelectorValue]) -> None:
    """Raises UnwritableError where its entries are more, or larger, than one transaction takes."""
    number = combinations(selector)
    if not 1 <= number <= MAX_COMBINATIONS:
        raise UnwritableError(f"{what}: its selector's lists have {number} combinations, not 1 to {MAX_COMBINATIONS}")
    size = sum(len(selector_text(one)) for one in selectors_of(selector))
    if number > 1 and size > LARGEST_ITEM:
        raise UnwritableError(
            f"{what}: the {number} combinations of its selector's lists have {size} bytes together, and {LARGEST_ITEM} "
            "(400 KB) are taken"
        )
