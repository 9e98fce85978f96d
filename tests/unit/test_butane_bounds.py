"""What one translation of Butane may take, so that no config keeps a machine waiting or fills the memory."""

from collections.abc import Iterator

import pytest

from matchbox.butane import ButaneError, translate
from matchbox.butane.report import Place
from matchbox.butane.unused_keys import Places
from matchbox.butane.yaml_nodes import Mapping, Node, Scalar

HEAD = "variant: fcos\nversion: 1.5.0\n"
FILES = "storage:\n  files:\n"
NODES = "it takes too long: more than 100000 values, keys, lists and mappings"
VALUES = "it takes too long: more than 100000 values"
TEXT = "it takes too long: more than 16777216 characters of text"
LONG = "x: &x '" + "y" * 1_000_000 + "'\n"
MANY = "x: &x\n  append: [" + "{inline: a}," * 1000 + "]\n"


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        ("x: [" + "a," * 100_000 + "]\n", NODES),
        (LONG + FILES + "".join(f"    - {{path: /{n}, contents: {{inline: *x}}}}\n" for n in range(17)), TEXT),
        (MANY + FILES + "".join(f"    - {{path: /{n}, <<: *x}}\n" for n in range(100)), VALUES),
    ],
    ids=["nodes", "text behind aliases", "values behind merge keys"],
)
def test_too_much(config: str, reason: str) -> None:
    """A config that is too long, also by what repeats, is refused before it is translated."""
    with pytest.raises(ButaneError) as caught:
        translate(HEAD + config)
    assert reason == caught.value.reason


def test_much() -> None:
    """A thousand files, and a text of a million characters in several of them, are translated."""
    files = "".join(f"    - {{path: /{n}, contents: {{inline: '{n}'}}}}\n" for n in range(1000))
    files += "".join(f"    - {{path: /long/{n}, contents: {{inline: *x}}}}\n" for n in range(3))
    ignition, _ = translate(HEAD + LONG + FILES + files)
    storage = ignition["storage"]
    assert isinstance(storage, dict)
    assert 1003 == len(storage["files"])


class Pairs(list[tuple[Node, Node]]):
    """Pairs of a mapping that count how often they are gone through."""

    searches = 0

    def __iter__(self) -> Iterator[tuple[Node, Node]]:
        self.searches += 1
        return super().__iter__()


def test_places() -> None:
    """However many places a report asks for, each mapping is searched once; of a key that repeats the last counts."""

    def scalar(line: int, value: str) -> Scalar:
        return Scalar(Place(line, 1), value, "", plain=True)

    pairs = Pairs([(scalar(n, key), scalar(n, "x")) for n, key in enumerate("aba", 1)])
    places = Places(Mapping(Place(1, 1), pairs))
    found = [places.of((key,)) for key in ("a", "b", "c")]
    assert ([Place(3, 1), Place(2, 1), Place(1, 1)], 1) == (found, pairs.searches)
