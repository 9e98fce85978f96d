"""Patches of single nodes, merged into a configuration as Talos merges strategic-merge patches."""

from collections.abc import Iterator, Mapping, Sequence

import yaml

from matchboxctl.talos.machine_config import Document, Path, at, value_of

# Talos replaces these, and merges members of lists by these keys; it appends to all other lists.
_REPLACED = frozenset({"podSubnets", "serviceSubnets", "auditPolicy", "ingress", "ports"})
_MERGED_BY = {
    "interfaces": ("interface", "deviceSelector"),
    "vlans": ("vlanId",),
    "admissionControl": ("name",),
}


def merged(own: object, patch: object, key: str = "") -> object:
    """The file's own value under a key, with a patch."""
    if key in _REPLACED:
        return patch
    if isinstance(own, dict) and isinstance(patch, dict):
        return merged_mappings(own, patch)
    if isinstance(own, list) and isinstance(patch, list):
        return _merged_lists(own, patch, _MERGED_BY.get(key, ()))
    return patch


def merged_mappings(own: Mapping[str, object], patch: Mapping[str, object]) -> dict[str, object]:
    """A mapping with a patch."""
    return {**own, **{key: merged(own[key], value, key) if key in own else value for key, value in patch.items()}}


def _merged_lists(own: list[object], patch: list[object], keys: Sequence[str]) -> list[object]:
    found = [*own]
    for member in patch:
        same = next((index for index, one in enumerate(found) if _are_same(one, member, keys)), None)
        if same is None:
            found.append(member)
        else:
            found[same] = merged(found[same], member)
    return found


def _are_same(own: object, member: object, keys: Sequence[str]) -> bool:
    if not isinstance(own, dict) or not isinstance(member, dict):
        return False
    return any(key in own and own[key] and own.get(key) == member.get(key) for key in keys)


def values_for(document: Document, patch: Mapping[str, object]) -> Iterator[tuple[Path, object]]:
    """The paths at which a patch changes a document, and the values that they get. Raises ConfigError."""
    yield from _below(document.node, (), patch)


def _below(node: yaml.MappingNode, above: Path, patch: Mapping[str, object]) -> Iterator[tuple[Path, object]]:
    for key, value in patch.items():
        found, path = at(node, (key,)), (*above, key)
        if isinstance(found, yaml.MappingNode) and isinstance(value, dict) and key not in _REPLACED:
            yield from _below(found, path, value)
        elif isinstance(found, yaml.SequenceNode) and isinstance(value, list):
            yield path, merged(value_of(found), value, key)
        else:
            yield path, value
