"""Failed and missing backups from Azure to the mailbox, in virtual time, through the triggers."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from azsim.email_events import Delivery
from azsim.world import World
from tests.scenario.mail_stage import CHIEF, CODE, DAY, HOUR, OPS, TEAM, MailStage, subject_of
from tests.scenario.stage import opened


@pytest.fixture
def stage(world: World) -> Iterator[MailStage]:
    with opened(MailStage(world)) as stage:
        yield stage


def test_good_nights_tell_only_that_we_are_alive(stage: MailStage) -> None:
    stage.protect()

    stage.nights(3)

    assert stage.mails == []
    assert [subject_of(one).partition(",")[0] for one in stage.digests][:3] == [
        "vmbackup is alive",
        "vmbackup is alive",
        "vmbackup is alive",
    ]
    assert stage.failures() == []


def test_an_agent_that_dies_for_three_nights(stage: MailStage) -> None:
    web = stage.protect()
    stage.nights(1)
    stage.world.vaults.fail_backups(web, CODE, 3)

    stage.nights(6)

    assert stage.marks == ["Backup trouble", "Still", "Over"]
    assert all("web" in subject for subject in stage.subjects)
    assert stage.failures() == []


def test_one_bad_night_is_told_to_nobody(stage: MailStage) -> None:
    web = stage.protect()
    stage.nights(1)
    stage.world.vaults.fail_backups(web, CODE, 1)

    stage.nights(3)

    assert stage.mails == []
    assert [one.over for one in stage.incidents] == [True]


def test_an_outage_of_twelve_vms_is_one_mail(stage: MailStage) -> None:
    for number in range(12):
        stage.protect(f"vm-{number}")
    stage.nights(1)
    now = stage.world.clock.now()
    stage.world.vaults.fail_vault(stage.vault, CODE, since=now, until=now + 2 * DAY)

    stage.nights(5)

    assert stage.marks[0] == "Backup trouble"
    assert stage.marks[-1] == "Over"
    assert set(stage.marks[1:-1]) <= {"Still"}
    assert "12 VMs" in stage.subjects[0]
    assert stage.mails[0].body["attachments"][0]["name"] == "vms.csv"


def test_a_vm_that_was_deleted(stage: MailStage) -> None:
    web = stage.protect()
    stage.nights(1)
    stage.world.machines.delete(web)

    stage.nights(0.5)

    (subject,) = stage.subjects
    assert "gone" in subject
    assert [one.cause.name for one in stage.incidents] == ["VM_GONE"]


def test_a_schedule_that_never_ran(stage: MailStage) -> None:
    web = stage.protect()
    stage.nights(1)
    now = stage.world.clock.now()
    stage.world.vaults.halt_schedule(web, since=now, until=now + 2.5 * DAY)

    stage.nights(5)

    assert stage.marks == ["Backup trouble", "Over"]
    assert "never started" in stage.subjects[0]


def test_a_log_that_is_26_hours_late_changes_nothing(stage: MailStage) -> None:
    web = stage.protect()
    begin = stage.world.clock.now()
    late = timedelta(hours=26)
    stage.world.logs.delay(late, since=begin, until=begin + 20 * DAY, vault=stage.vault)
    stage.nights(1)
    stage.world.vaults.fail_backups(web, CODE, 3)

    stage.nights(6)

    assert stage.marks == ["Backup trouble", "Still", "Over"]
    assert len(stage.incidents) == 1


def test_an_owner_is_told_with_the_operators(stage: MailStage) -> None:
    web = stage.protect("web", **{"backup-owner": TEAM})
    stage.nights(1)
    stage.world.vaults.fail_backups(web, CODE, 2)

    stage.nights(3)

    assert set(stage.mails[0].recipients()) == {OPS, TEAM}


def test_a_tagger_cannot_send_mail_out_of_the_house(stage: MailStage) -> None:
    web = stage.protect("web", **{"backup-owner": "me@evil.example"})
    stage.nights(1)
    stage.world.vaults.fail_backups(web, CODE, 2)

    stage.nights(3)

    told = {address for one in stage.world.email.outbox for address in one.recipients()}
    assert told == {OPS}


def test_a_lasting_incident_is_escalated(stage: MailStage) -> None:
    web = stage.protect()
    stage.nights(1)
    stage.world.vaults.fail_backups(web, CODE, 6)

    stage.nights(6)

    escalated = next(one for one in stage.mails if subject_of(one).startswith("Escalated"))
    assert set(escalated.recipients()) == {OPS, CHIEF}


def test_a_mail_that_bounces_goes_to_others_and_is_an_incident(stage: MailStage) -> None:
    web = stage.protect()
    stage.world.email.treat(OPS, Delivery.BOUNCED)
    stage.nights(1)
    stage.world.vaults.fail_backups(web, CODE, 2)

    stage.nights(3)

    told_chief = [subject_of(one) for one in stage.mails if one.recipients() == [CHIEF]]
    assert any("agent" in subject for subject in told_chief)
    assert any("did not arrive" in subject for subject in told_chief)
    assert stage.failures() == []


def test_mail_refused_for_a_day_comes_once_it_is_taken(stage: MailStage) -> None:
    web = stage.protect()
    stage.nights(1)
    stage.world.vaults.fail_backups(web, CODE, 2)
    stage.world.email.limits.sends = type(stage.world.email.limits.sends)(1, 1)
    stage.nights(3)

    stage.world.email.limits.sends = type(stage.world.email.limits.sends)(30, 100)
    stage.nights(1)

    assert stage.marks == ["Backup trouble", "Over"]


def test_one_look_costs_few_calls(stage: MailStage) -> None:
    for number in range(5):
        stage.protect(f"vm-{number}")
    stage.nights(1)
    begin = stage.world.clock.now()

    stage.run(HOUR)

    assert stage.calls_since(begin).count("graph.query") == 4
    assert stage.calls_since(begin).count("logs.query") == 1
