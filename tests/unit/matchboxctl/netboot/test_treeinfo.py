"""`.treeinfo`."""

from matchboxctl.netboot.treeinfo import TreeInfo, read_treeinfo

DIGEST = "Ab" * 32


def test_main_image_and_its_checksum_are_read() -> None:
    text = f"[checksums]\nimages/install.img = sha256:{DIGEST}\n\n[stage2]\nmainimage = images/install.img\n"
    assert TreeInfo("images/install.img", DIGEST.lower()) == read_treeinfo(text)


def test_file_without_a_main_image_says_nothing() -> None:
    for text in ("", "[stage2]\n", "no sections", "[stage2]\nmainimage\n"):
        assert TreeInfo("", "") == read_treeinfo(text)
    assert TreeInfo("x.img", "") == read_treeinfo("[stage2]\nmainimage = x.img\n[checksums]\nx.img = md5:0\n")
