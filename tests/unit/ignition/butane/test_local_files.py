import pytest

from lambda_matchbox.ignition.butane.report import ButaneError
from tests.support.butane_form import translate

REASON = "local file paths are relative to a files directory that must be specified with -d/--files-dir"


@pytest.mark.parametrize(
    ("config", "path"),
    [
        ("ignition: {config: {merge: [{local: a}]}}", "ignition.config.merge.0.local"),
        ("passwd: {users: [{name: a, ssh_authorized_keys_local: [a, b]}]}", "passwd.users.0.ssh_authorized_keys_local"),
        ("storage: {trees: [{local: a}, {local: b}]}", "storage.trees.0"),
        ("storage: {luks: [{name: a, device: /a, key_file: {local: a}}]}", "storage.luks.0.key_file.local"),
        ("systemd: {units: [{name: a.service, contents_local: a}]}", "systemd.units.0.contents_local"),
    ],
)
def test_a_local_file_is_one_error(config: str, path: str) -> None:
    with pytest.raises(ButaneError) as caught:
        translate(f"variant: fcos\nversion: 1.5.0\n{config}")
    found = [(".".join(map(str, entry.path or ())), entry.message) for entry in caught.value.report]
    assert [(path, REASON)] == found
