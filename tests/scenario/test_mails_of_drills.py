"""What restore tests find, from a night of them to the mailbox, through the triggers."""

import pytest

from azsim.guests import Boot, Conduct
from azsim.world import World
from tests.scenario.drill_stage import DRILLS, PLACE, STAGING
from tests.scenario.mail_stage import OPS, TEAM, TOML, MailStage, subject_of
from tests.scenario.stage import SUB, WEST, opened
from vmbackup_cli.simulated import found_place
from vmbackup_core.domain.drill.slots import Slot

TESTED = TOML.replace("[scope]", '[scope]\nmode = "protect"') + DRILLS
SLOT = Slot(PLACE, 1)


@pytest.fixture(scope="module")
def story() -> MailStage:
    """A VM whose points do not boot for a while, and a disk that somebody left in the slot."""
    with opened(MailStage(World(), TESTED)) as stage:
        web = stage.protect("web", **{"backup-owner": TEAM})
        found_place(stage.world, PLACE, 1, staging=STAGING)
        stage.nights(0.6)  # From morning to the evening, with a backup in between.
        stage.world.vaults.spoil_points(web, Conduct(boot=Boot.PANIC))
        stage.nights(2)
        left = stage.world.machines.disks.create(
            subscription=SUB, group=SLOT.group, name="left", location=WEST
        )
        stage.nights(1)
        stage.world.machines.disks.delete(left.id)
        stage.nights(1)
    return stage


def test_a_restore_test_that_fails_is_one_mail_and_its_end_another(story: MailStage) -> None:
    subjects = [subject for subject in story.subjects if "web" in subject]

    assert subjects[0] == "Backup trouble: web: a restore test failed"
    assert subjects[-1] == "Over: web was restored in a test that passed, after 3 days"
    between = {subject.partition(":")[0] for subject in subjects[1:-1]}
    assert between == {"Still", "Escalated"}


def test_it_says_what_failed_and_what_to_look_at(story: MailStage) -> None:
    first = next(one for one in story.mails if "restore test" in subject_of(one))
    plain = str(first.body["content"]["plainText"])

    assert set(first.recipients()) == {OPS, TEAM}
    assert "KERNEL_PANIC" in plain
    assert "vmbackup drill show drill-" in " ".join(plain.split())
    assert "RPO" not in plain


def test_what_lies_in_a_slot_is_told_to_the_operators_until_it_is_gone(story: MailStage) -> None:
    mails = [one for one in story.mails if "slot vmbackup-drill" in subject_of(one)]

    assert subject_of(mails[0]).startswith("Backup trouble: slot vmbackup-drill-westeurope-1")
    assert subject_of(mails[-1]).startswith("Over: slot vmbackup-drill-westeurope-1")
    assert {address for one in mails for address in one.recipients()} == {OPS}


def test_the_daily_mail_counts_tests_and_lists_what_failed(story: MailStage) -> None:
    alive = [one for one in story.digests if subject_of(one).startswith("vmbackup is alive")]
    plain = " ".join(str(alive[0].body["content"]["plainText"]).split())

    assert "failed: 1" in plain
    assert "web a restore test failed" in plain


def test_nothing_failed_on_the_way(story: MailStage) -> None:
    assert story.failures() == []
    assert [one for one in story.incidents if not one.over] == []
