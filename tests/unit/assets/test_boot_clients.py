"""Redirects that boot clients follow."""

import pytest

from lambda_matchbox.assets.boot_clients import Redirects, redirects


@pytest.mark.parametrize(
    ("user_agent", "expected"),
    [
        ("GRUB 2.06", Redirects.NONE),
        ("GRUB 2.06-13+deb12u1", Redirects.NONE),
        ("UefiHttpBoot/1.0", Redirects.NONE),
        ("U-Boot/2024.01", Redirects.NONE),
        ("iPXE/1.0.0+git-20190125.36a4c85-5.1", Redirects.UNSIGNED),
        ("iPXE/1.0.0", Redirects.UNSIGNED),
        ("iPXE/1.20.1+ (g4bd0)", Redirects.UNSIGNED),
        ("iPXE/1.21.1", Redirects.UNSIGNED),
        ("iPXE/1.21.1 (g988d2)", Redirects.UNSIGNED),
        ("iPXE/1.21.1+ (g1234)", Redirects.UNSIGNED_PREFERRED),
        ("iPXE/1.21.1+", Redirects.UNSIGNED_PREFERRED),
        ("iPXE/1.21.10", Redirects.ANY),
        ("iPXE/1.22.0", Redirects.ANY),
        ("iPXE/2.0.0", Redirects.ANY),
        ("iPXE/" + "9" * 5000, Redirects.ANY),
        (f"iPXE/{'9' * 5000}.1.1", Redirects.ANY),
        (f"iPXE/1.21.{'9' * 5000}", Redirects.ANY),
        ("iPXE/2.0.0+ (g1)", Redirects.ANY),
        ("iPXE", Redirects.ANY),
        ("iPXE/master", Redirects.ANY),
        ("curl/8.5.0", Redirects.ANY),
        ("Wget/1.21 (not GRUB)", Redirects.ANY),
        ("Ignition/2.19.0", Redirects.ANY),
        ("", Redirects.ANY),
    ],
)
def test_redirects_by_user_agent(user_agent: str, expected: Redirects) -> None:
    """Only clients known to break a redirect do not get it."""
    assert expected is redirects(user_agent)
