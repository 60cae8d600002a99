from datetime import timedelta

import pytest

from vmbackup_core.domain.telling.zone_offsets import ZONE_OFFSETS
from vmbackup_core.settings.time_zones import WINDOWS_ZONES


def test_every_zone_that_a_policy_can_have_is_somewhere():
    assert ZONE_OFFSETS.keys() == WINDOWS_ZONES


@pytest.mark.parametrize(
    ("zone", "hours"),
    [
        ("UTC", (0,)),
        ("W. Europe Standard Time", (1, 2)),
        ("Eastern Standard Time", (-5, -4)),
        ("Newfoundland Standard Time", (-3.5, -2.5)),
        ("India Standard Time", (5.5,)),
        ("Lord Howe Standard Time", (10.5, 11)),
    ],
)
def test_a_zone_has_its_standard_offset_first_and_then_that_of_summer(zone, hours):
    assert ZONE_OFFSETS[zone] == tuple(timedelta(hours=hour) for hour in hours)
