import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_matchbox.ignition.config.systemd_unit import UnitError, sections_of


@pytest.mark.parametrize(
    "contents",
    [
        "",
        "text before any section\n=\n",
        "[Unit]",
        "[Unit]\nA=b\nC=\n\n# d\n; e \\\nf\nG=h \\\n  i\n[Service] \t\nJ=k",
        "[Unit]\r\nA=b\r\n",
        "[Unit]\nA=b\\",
        "[a\nb]\n",
        "[Unit]\nA=" + "\u017c" * 1000,
        "[A]\nB=" + "c\\\n" * 3000,
        "[A]\n" + "B=c\n" * 1000 + "D=" + "x" * 4096,
        "# a \\\n#  " + "x" * 2100 + "\n[Unit]\nA=b",
    ],
)
def test_what_parses_is_accepted(contents: str) -> None:
    sections_of(contents)


@pytest.mark.parametrize(
    ("contents", "reason"),
    [
        ("[Unit", "unable to find end of section"),
        ("[Unit] hunter2\n", "found garbage after section name"),
        ("[Unit]\nhunter2\n", "unexpected newline encountered while parsing option name"),
        ("[Unit]\nhunter2", "unexpected newline encountered while parsing option name"),
        ("[Unit]\nA=" + "x" * 2048, "line too long (max 2048 bytes)"),
        ("#" + "x" * 2048, "line too long (max 2048 bytes)"),
    ],
)
def test_what_does_not_parse_is_refused_without_its_text(contents: str, reason: str) -> None:
    with pytest.raises(UnitError) as caught:
        sections_of(contents)
    assert reason == str(caught.value)


@given(st.text(st.sampled_from("[]=\\\n\r #;a\u017c\u2028")))
def test_text_before_a_section_is_skipped(contents: str) -> None:
    sections_of(contents.replace("[", ""))


@pytest.mark.system
@given(st.dictionaries(st.text("abc", min_size=1), st.text(st.characters(categories=["L", "N"]), max_size=50)))
def test_a_section_with_options_is_found(options: dict[str, str]) -> None:
    assert {"Unit"} >= sections_of("[Unit]\n" + "".join(f"{name}={value}\n" for name, value in options.items()))
