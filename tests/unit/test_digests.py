from dataclasses import replace
from datetime import time

from tests.builders import NOW
from tests.incidents import Looks, bad, good, hour
from vmbackup_core.domain.schedules import Daily, Weekday, Weekly
from vmbackup_core.domain.telling.digest_sheets import write_alive_sheet
from vmbackup_core.domain.telling.digests import (
    Drilled,
    Head,
    Today,
    Waiting,
    digest_due,
    sort_incidents,
    write_alive_digest,
    write_owner_digest,
)
from vmbackup_core.domain.telling.mail_lines import Background
from vmbackup_core.domain.telling.routing import Refused, RoutingChange
from vmbackup_core.domain.verdicts import Count

COUNT = Count(12, 10, 9, {"NO_VAULT": 1}, {"PROTECTED": 9, "NO_VAULT": 1, "OPTED_OUT": 2})


def estate():
    """Return incidents that last, are muted, ended, and healed by themselves."""
    looks = Looks()
    looks.look(1, bad(0, name="lasts"), bad(0, name="muted"), bad(0, name="over"))
    looks.look(2, good(2, name="over"), bad(1, name="healed", quiet=9), good(2, name="healed"))
    by_name = {one.subject.name: Background(one) for one in looks.book.incidents}
    by_name["muted"] = replace(by_name["muted"], muted_until=hour(50))
    return list(by_name.values())


def names(lines):
    return [line.name for line in lines]


def test_each_incident_is_in_one_list_of_a_digest():
    troubled = sort_incidents(estate(), NOW, hour(3))

    assert names(troubled.lasting) == ["lasts"]
    assert names(troubled.muted) == ["muted"]
    assert names(troubled.recovered) == ["over"]
    assert troubled.healed == 1
    assert not troubled.calm


def test_what_ended_before_the_last_digest_is_not_told_again():
    troubled = sort_incidents(estate(), hour(2), hour(3))

    assert (troubled.recovered, troubled.healed) == ((), 0)


def test_an_owner_is_told_how_many_of_his_vms_are_in_trouble():
    assert write_owner_digest("team@example.com", 20, estate(), NOW, hour(3)).subject == (
        "Backups of 20 VMs: 2 in trouble"
    )
    assert write_owner_digest("team@example.com", 1, [], NOW, hour(3)).subject == (
        "Backups of 1 VM: no trouble"
    )


def test_the_operators_digest_says_that_we_are_alive_and_what_waits():
    today = Today(
        COUNT,
        Drilled(passed=3, failed=1),
        opted_out=("vm\r\none",),
        heads=(Head("sweep/2030-01", 7, "ab" * 32),),
        waiting=(Waiting("no vault\nthere", 1),),
        rerouted=(RoutingChange("web", ("a@example.com",), ("b\n@example.com",)),),
        refused=(Refused("evil\n@example.com", "is no e-mail address"),),
        sources=("the log of ws-1 since\nyesterday",),
        stuck=("protect-1 (protect) was to go on\nat noon",),
    )

    told = write_alive_digest(12, today, estate(), NOW, hour(3))

    assert told.subject == "vmbackup is alive, day 12: 9 of 10 VMs protected, 2 in trouble"
    assert (told.coverage, told.escalated, told.number) == (0.9, 0, 12)
    assert told.today == Today(
        COUNT,
        Drilled(passed=3, failed=1),
        opted_out=("vm one",),
        heads=(Head("sweep/2030-01", 7, "ab" * 32),),
        waiting=(Waiting("no vault there", 1),),
        rerouted=(RoutingChange("web", ("a@example.com",), ("b @example.com",)),),
        refused=(Refused("evil @example.com", "is no e-mail address"),),
        sources=("the log of ws-1 since yesterday",),
        stuck=("protect-1 (protect) was to go on at noon",),
    )


def test_the_operators_digest_names_workflows_that_stand_still():
    today = Today(COUNT, stuck=("protect-1 (protect) was to go on at noon",))

    sheet = write_alive_sheet(write_alive_digest(1, today, [], NOW, hour(3)))

    (listing,) = [one for one in sheet.blocks if one.title.startswith("Workflows")]
    assert [row.name for row in listing.rows] == ["protect-1 (protect) was to go on at noon"]


def test_an_empty_estate_is_covered():
    told = write_alive_digest(1, Today(Count(0, 0, 0, {}, {})), [], NOW, hour(3))

    assert told.coverage == 1.0
    assert told.troubled.calm


def test_a_digest_is_due_once_at_its_time_and_the_newest_of_those_left_out():
    seven = Daily(time(7))

    assert digest_due(seven, None, NOW) == NOW
    assert digest_due(seven, hour(-5), hour(18.9)) is None
    assert digest_due(seven, hour(-5), hour(19)) == hour(19)
    assert digest_due(seven, hour(-5), hour(24 * 30)) == hour(24 * 30 - 5)


def test_a_weekly_digest_is_due_on_its_day():
    monday = Weekly(frozenset({Weekday.MONDAY}), time(7))

    assert digest_due(monday, hour(-29), hour(24 * 5)) is None
    assert digest_due(monday, hour(-29), hour(24 * 6)) == hour(24 * 6 - 5)
