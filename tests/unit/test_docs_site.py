"""The documentation as a site: what MkDocs refuses, and the pages that it is not told of."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.support.paths import PROJECT

DECISIONS = PROJECT / "docs" / "decisions"
PAGES = ("docs", "deploy", "events", "examples")


def built(directory: Path, page: str) -> subprocess.CompletedProcess[str]:
    """Build a site of one `page` beside README.md, with the project's own settings."""
    (directory / "pages" / "examples" / "talos").mkdir(parents=True)
    (directory / "pages" / "README.md").write_text(page)
    (directory / "pages" / "dhcp.md").write_text("# DHCP\n\n## UniFi, MikroTik and others: `--flag` — and more\n")
    (directory / "pages" / "examples" / "talos" / "README.md").write_text("# Talos\n")
    settings = f"INHERIT: {PROJECT / 'mkdocs.yml'}\ndocs_dir: pages\nsite_dir: site\nnot_in_nav: dhcp.md\n"
    (directory / "mkdocs.yml").write_text(f"{settings}nav: [README.md, examples/talos/README.md]\n")
    command = [PROJECT / ".venv-docs" / "bin" / "mkdocs", "build", "--strict"]
    return subprocess.run(
        command, cwd=directory, env={"NO_MKDOCS_2_WARNING": "1"}, capture_output=True, text=True, check=False
    )


@pytest.mark.system
def test_links_mean_what_they_mean_on_github(tmp_path: Path) -> None:
    anchor = "dhcp.md#unifi-mikrotik-and-others---flag--and-more"
    ended = built(tmp_path, f"# Overview\n\n[anchor]({anchor}) [example](examples/talos/README.md)\n")
    assert (0, []) == (ended.returncode, re.findall("WARNING.*", ended.stderr))
    assert f'href="{anchor.replace(".md", ".html")}"' in (tmp_path / "site" / "index.html").read_text()


@pytest.mark.system
def test_links_that_lead_nowhere_are_errors(tmp_path: Path) -> None:
    addresses = ["gone.md", "dhcp.md#gone", "#gone", "examples/talos/", "gone.png", "/dhcp.md"]
    ended = built(tmp_path, "\n".join(["# Overview", *(f"\n[a link]({address})" for address in addresses)]))
    assert 1 == ended.returncode
    assert [] == [address for address in addresses if f"'{address}'" not in ended.stderr]


@pytest.mark.system
def test_page_in_no_list_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages" / "forgotten.md").write_text("# Forgotten\n")
    ended = built(tmp_path, "# Overview\n")
    assert (1, True) == (ended.returncode, "forgotten.md" in ended.stderr)


def test_every_decision_is_listed_by_its_title() -> None:
    listed = re.findall(r"^- \[(\d{4})\]\((\1-.*\.md)\): (.*)$", (DECISIONS / "README.md").read_text(), re.MULTILINE)
    titles = {path.name: path.read_text().splitlines()[0] for path in DECISIONS.glob("0*.md")}
    assert sorted(titles) == [name for _, name, _ in listed]
    for number, name, title in listed:
        assert re.fullmatch(rf"# 0*{int(number)}[.:] {re.escape(title)}", titles[name], re.IGNORECASE)


def test_lists_are_written_as_mkdocs_reads_them() -> None:
    """GitHub takes a list without an empty line before it, and blocks of its items with less than four spaces."""
    found = []
    for page in [PROJECT / "README.md", *(path for name in PAGES for path in (PROJECT / name).rglob("*.md"))]:
        fenced, before = False, ""
        for line in page.read_text().splitlines():
            begins = re.match(r"[-*] |1\. ", line) and re.match(r"[^\s\d*-]", before)
            if not fenced and (begins or (not before and re.match(r" {1,3}\S", line))):
                found.append(f"{page.relative_to(PROJECT)}: {line}")
            fenced ^= line.lstrip().startswith("```")
            before = line
    assert [] == found
