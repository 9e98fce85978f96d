"""What one translation of Butane may take, so that no config keeps a machine waiting or fills the memory."""

import pytest

from matchbox.butane import ButaneError, translate

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
