"""The lines of an import and an export on their changes."""

from matchboxctl.transfer.differences import Differences

NODES = [f"group node{number:02}" for number in range(30)]
TEMPLATES = ["ignition template a b.yaml", "ignition template c.yaml"]


def test_every_change_has_a_line_where_there_is_no_terminal() -> None:
    shown = Differences("documents", [*NODES, *TEMPLATES], ["profile p"], ["group old"], 3)
    assert [*(f"+ {name}" for name in [*NODES, *TEMPLATES]), "~ profile p", "- group old"] == list(shown.lines())
    assert ["+ asset a/b c"] == list(Differences("assets", ["a/b c"], [], [], 0, prefix="asset ").lines())


def test_many_of_a_kind_share_lines_on_a_terminal() -> None:
    """All are named, and few have lines of their own."""
    lines = list(Differences("documents", [*NODES, *TEMPLATES], [], NODES[:2], 0).lines(80))
    assert "+ group node00, node01, node02, node03, node04, node05, node06, node07, node08," == lines[0]
    assert [f"+ {name}" for name in TEMPLATES] + [f"- {name}" for name in NODES[:2]] == lines[-4:]
    words = " ".join(lines[:-4]).replace(",", "").split()
    assert ["+", "group", *(name.removeprefix("group ") for name in NODES)] == words
    assert all(len(line) <= 80 for line in lines)


def test_files_share_lines_as_they_are() -> None:
    """Those of an export have paths."""
    paths = [f"assets/{number}/vmlinuz" for number in range(25)]
    (first, *_) = Differences("files", paths, [], [], 0).lines(60)
    assert "+ assets/0/vmlinuz, assets/1/vmlinuz, assets/2/vmlinuz," == first
