import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_matchbox.ignition.config.systemd_unit import UnitError, check_unit


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
    ],
)
def test_accepted(contents: str) -> None:
    """What parses is accepted."""
    check_unit(contents)


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
def test_refused(contents: str, reason: str) -> None:
    """What does not parse is refused, without its text."""
    with pytest.raises(UnitError) as caught:
        check_unit(contents)
    assert reason == str(caught.value)


@given(st.text(st.sampled_from("[]=\\\n\r #;a\u017c\u2028")))
def test_text_before_a_section(contents: str) -> None:
    """Without a section everything but a comment and the beginning of a section is skipped."""
    check_unit(contents.replace("[", ""))


@given(st.dictionaries(st.text("abc", min_size=1), st.text(st.characters(categories=["L", "N"]), max_size=50)))
def test_options(options: dict[str, str]) -> None:
    """A section with short options is accepted."""
    check_unit("[Unit]\n" + "".join(f"{name}={value}\n" for name, value in options.items()))
