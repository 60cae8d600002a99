"""Failed and missing backups from Azure to the mailbox, in virtual time, through the triggers."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from azsim.email import Budget
from azsim.email_events import Delivery
from azsim.world import World
from tests.scenario.mail_stage import CHIEF, CODE, DAY, HOUR, OPS, TEAM, MailStage, subject_of
from tests.scenario.stage import opened


@pytest.fixture(scope="module")
def story() -> MailStage:
    """A week of six VMs, each with another fate, over when the tests look at it."""
    with opened(MailStage(World())) as stage:
        dead = stage.protect("dead", **{"backup-owner": TEAM})
        evil = stage.protect("evil", **{"backup-owner": "me@evil.example"})
        blip, halted, gone = (stage.protect(name) for name in ("blip", "halted", "gone"))
        stage.protect("fine")
        stage.nights(1)
        now = stage.world.clock.now()
        stage.world.vaults.fail_backups(dead, CODE, 4)
        stage.world.vaults.fail_backups(evil, CODE, 2)
        stage.world.vaults.fail_backups(blip, CODE, 1)
        stage.world.vaults.halt_schedule(halted, since=now, until=now + 2.5 * DAY)
        stage.world.machines.delete(gone)
        stage.nights(6)
    return stage


def marks_of(stage: MailStage, name: str) -> list[str]:
    return [subject.partition(":")[0] for subject in stage.subjects if name in subject]


def test_an_agent_that_dies_is_one_mail_some_reminders_and_one_recovery(story: MailStage) -> None:
    marks = marks_of(story, "dead")

    assert (marks[0], marks[-1]) == ("Backup trouble", "Over")
    assert set(marks[1:-1]) == {"Still"}
    assert [one.cause.name for one in story.incidents if one.subject.name == "dead"] == ["AGENT"]


def test_one_bad_night_is_told_to_nobody(story: MailStage) -> None:
    assert marks_of(story, "blip") == []
    assert [one.over for one in story.incidents if one.subject.name == "blip"] == [True]


def test_a_vm_without_trouble_is_told_of_to_nobody(story: MailStage) -> None:
    assert marks_of(story, "fine") == []


def test_a_schedule_that_never_ran_is_told_and_its_end_too(story: MailStage) -> None:
    subjects = [subject for subject in story.subjects if "halted" in subject]

    assert "never started" in subjects[0]
    assert subjects[-1].startswith("Over")


def test_a_vm_that_was_deleted_is_told_as_that(story: MailStage) -> None:
    first = next(
        subject for subject in story.subjects if subject.startswith("Backup trouble: gone")
    )

    assert "still billed" in first


def test_an_owner_is_told_with_the_operators(story: MailStage) -> None:
    first = next(one for one in story.mails if "dead" in subject_of(one))

    assert set(first.recipients()) == {OPS, TEAM}


def test_a_tagger_cannot_send_mail_out_of_the_house(story: MailStage) -> None:
    told = {address for one in story.world.email.outbox for address in one.recipients()}

    assert told == {OPS, TEAM, CHIEF}  # The last one once the deleted VM has lasted for days.


def test_every_mail_left_once(story: MailStage) -> None:
    operations = [one.operation_id for one in story.world.email.outbox]

    assert len(operations) == len(set(operations))
    once = [subject for subject in story.subjects if not subject.startswith("Still")]
    assert len(once) == len(set(once))


def test_the_operators_hear_each_day_that_we_are_alive(story: MailStage) -> None:
    alive = [one for one in story.digests if subject_of(one).startswith("vmbackup is alive")]

    assert [subject_of(one).partition(":")[0] for one in alive] == [
        f"vmbackup is alive, day {day}" for day in range(1, 8)
    ]
    assert all(one.recipients() == [OPS] for one in alive)


def test_an_owner_has_a_digest_of_his_own(story: MailStage) -> None:
    assert [OPS] not in [
        one.recipients() for one in story.digests if subject_of(one).startswith("Backups of 1 VM")
    ]
    assert any(one.recipients() == [TEAM] for one in story.digests)


def test_nothing_failed_on_the_way(story: MailStage) -> None:
    assert story.failures() == []
    assert story.world.unknown == []


def test_no_job_is_asked_for_by_itself_while_others_tell_why(story: MailStage) -> None:
    assert "jobs.get" not in story.calls_since(story.world.exchanges[0].at)


@pytest.fixture
def stage(world: World) -> Iterator[MailStage]:
    with opened(MailStage(world)) as stage:
        yield stage


def test_an_outage_of_twelve_vms_with_a_log_that_is_26_hours_late_is_one_mail(
    stage: MailStage,
) -> None:
    begin = stage.world.clock.now()
    late = timedelta(hours=26)
    stage.world.logs.delay(late, since=begin, until=begin + 20 * DAY, vault=stage.vault)
    for number in range(12):
        stage.protect(f"vm-{number}")
    stage.nights(1)
    now = stage.world.clock.now()
    stage.world.vaults.fail_vault(stage.vault, CODE, since=now, until=now + 2 * DAY)

    stage.nights(4)

    marks = [mark for mark in stage.marks if mark != "Still"]
    assert marks == ["Backup trouble", "Over"]
    assert len(stage.incidents) == 12
    assert "12 VMs" in stage.subjects[-1]


def test_mail_that_bounces_and_is_refused_for_a_day_reaches_somebody(stage: MailStage) -> None:
    web = stage.protect()
    stage.world.email.treat(OPS, Delivery.BOUNCED)
    stage.nights(1)
    stage.world.vaults.fail_backups(web, CODE, 3)
    stage.nights(1.6)
    stage.world.email.limits.sends = Budget(1, 1)
    stage.nights(1)
    stage.world.email.limits.sends = Budget(30, 100)

    stage.nights(1.4)

    to_chief = [subject_of(one) for one in stage.mails if one.recipients() == [CHIEF]]
    assert any("agent" in subject for subject in to_chief)
    assert any("did not arrive" in subject for subject in to_chief)
    operations = [one.operation_id for one in stage.world.email.outbox]
    assert len(operations) == len(set(operations))
    assert stage.failures() == []


def test_a_look_costs_four_questions_to_resource_graph_and_one_to_the_log(
    stage: MailStage,
) -> None:
    stage.protect()
    stage.nights(1)
    begin = stage.world.clock.now()

    stage.run(HOUR)

    looks = stage.calls_since(begin)
    assert looks.count("graph.query") == 4
    assert looks.count("logs.query") == 1
