from datetime import date, time, timedelta

import pytest

from tests.builders import NOW, SUB, VAULT, at
from tests.incidents import bad, hour, subject
from vmbackup_core.domain.drill.rules import Dates
from vmbackup_core.domain.schedules import Weekday
from vmbackup_core.domain.telling.incidents import open_incident
from vmbackup_core.domain.telling.maintenance import Maintenance
from vmbackup_core.domain.telling.mutes import Mute, mute_fault, quiet_until
from vmbackup_core.domain.telling.root_causes import RootCause
from vmbackup_core.domain.telling.routing import Selector, VmPlace

# NOW is a Tuesday's noon.
HOUR = timedelta(hours=1)
PLACE = VmPlace(SUB, "rg-app", "gold")
INCIDENT = open_incident(bad(0))
NIGHT = Maintenance("patches", (Weekday.MONDAY,), time(22), 4 * HOUR)


@pytest.mark.parametrize(
    ("hours", "until"), [(-15, None), (-14, -10), (-10.5, -10), (-10, None), (10, None)]
)
def test_a_window_is_open_from_its_beginning_until_just_before_its_end(hours, until):
    assert NIGHT.open_until(hour(hours)) == (None if until is None else hour(until))


def test_a_window_may_be_on_dates():
    window = Maintenance("move", (Dates(date(2030, 1, 15), date(2030, 1, 16)),), time(11), 2 * HOUR)

    assert window.open_until(NOW) == hour(1)
    assert window.open_until(hour(24)) == hour(25)
    assert window.open_until(hour(48)) is None


@pytest.mark.parametrize("lasts", [timedelta(0), 25 * HOUR])
def test_a_window_lasts_up_to_a_day(lasts):
    with pytest.raises(ValueError, match="up to a day"):
        Maintenance("odd", (Weekday.MONDAY,), time(22), lasts)


def test_a_window_is_for_the_vms_that_fit():
    elsewhere = Maintenance(
        "odd", (Weekday.TUESDAY,), time(11), 2 * HOUR, Selector(groups=("rg-db",))
    )

    assert quiet_until(INCIDENT, PLACE, NOW, [elsewhere], []) is None


def test_a_windows_end_is_when_one_may_be_told():
    window = Maintenance("noon", (Weekday.TUESDAY,), time(11), 2 * HOUR)

    assert quiet_until(INCIDENT, PLACE, NOW, [window], []) == hour(1)


def test_no_window_keeps_a_vaults_trouble_from_being_told():
    window = Maintenance("noon", (Weekday.TUESDAY,), time(11), 2 * HOUR)

    assert quiet_until(INCIDENT, None, NOW, [window], []) is None


@pytest.mark.parametrize("about", [INCIDENT.id, str(subject().id), subject().id.upper()])
def test_a_mute_names_an_incident_or_its_subject(about):
    mute = Mute(about, hour(5), "eve", "being rebuilt")

    assert quiet_until(INCIDENT, PLACE, NOW, [], [mute]) == hour(5)


@pytest.mark.parametrize(
    "mute",
    [
        Mute(str(VAULT), hour(5), "eve", "another"),
        Mute(INCIDENT.id, NOW, "eve", "over"),
        Mute(INCIDENT.subject.id, hour(5), "eve", "another cause", RootCause.VSS),
        Mute("", hour(5), "eve", "nothing named, and the incident is in no group"),
    ],
)
def test_a_mute_covers_no_more_than_it_names(mute):
    assert quiet_until(INCIDENT, PLACE, NOW, [], [mute]) is None


def test_the_longest_of_several_quiet_times_counts():
    mutes = [Mute(INCIDENT.id, hour(2), "eve", "x"), Mute(INCIDENT.id, hour(3), "adam", "y")]

    assert quiet_until(INCIDENT, PLACE, NOW, [], mutes) == hour(3)


def test_a_mute_must_end_and_not_too_late():
    assert mute_fault(at(0), NOW) == "ends before it begins"
    assert mute_fault(hour(24 * 91), NOW) == "lasts longer than 90 days"
    assert mute_fault(hour(24 * 90), NOW) == ""
