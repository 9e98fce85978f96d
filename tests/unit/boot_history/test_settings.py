"""The function's settings."""

import pytest

from boot_history.settings import Settings
from lambda_matchbox.environment import MissingSettingError


def test_settings_name_what_is_missing_or_wrong() -> None:
    good = {"MATCHBOX_HISTORY_TABLE": "t", "AWS_REGION": "eu-west-1"}
    assert Settings("t", "eu-west-1", 30, True, None) == Settings.from_environment(good)
    assert 7 == Settings.from_environment({**good, "MATCHBOX_HISTORY_DAYS": "7"}).days
    assert not Settings.from_environment({**good, "MATCHBOX_HISTORY_ASSETS": "false"}).has_assets
    with pytest.raises(MissingSettingError, match="MATCHBOX_HISTORY_TABLE"):
        Settings.from_environment({"AWS_REGION": "eu-west-1"})
    for days in ("0", "x", "3651", "-1"):
        with pytest.raises(ValueError, match="is not a number of days from 1 to 3650"):
            Settings.from_environment({**good, "MATCHBOX_HISTORY_DAYS": days})
