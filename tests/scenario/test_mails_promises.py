"""What a vault or a policy promises less than before, from Azure to the mailbox."""

import copy
from dataclasses import replace
from typing import Any

import pytest

from azsim.world import World
from tests.scenario.mail_stage import HOUR, MailStage
from tests.scenario.stage import opened

LOOKS = 4 * HOUR  # Two looks, the half hour that a lone incident of a VM waits, and Graph's lag.
WEAKENED = "less is promised than before"


def with_immutability(stage: MailStage, state: str) -> None:
    fixed = {"immutabilitySettings": {"state": state}}
    stage.vault.settings = {**stage.vault.settings, "securitySettings": fixed}
    stage.world.vaults.changed()


def policy_of(stage: MailStage) -> dict[str, Any]:
    return copy.deepcopy(stage.vault.policy("DefaultPolicy").body)


def set_policy(stage: MailStage, body: dict[str, Any]) -> None:
    stage.world.vaults.set_policy(stage.vault, "DefaultPolicy", body)


@pytest.fixture(scope="module")
def story() -> MailStage:
    """Everything gets worse, one after the other, and is set back at the end."""
    with opened(MailStage(World())) as stage:
        vaults = stage.world.vaults
        vaults.rules = replace(vaults.rules, soft_delete_always_on=False)
        with_immutability(stage, "Unlocked")
        stage.protect("web")
        stage.nights(0.5)
        good = policy_of(stage)
        shorter = policy_of(stage)
        shorter["retentionPolicy"]["dailySchedule"]["retentionDuration"]["count"] = 7
        rarer = policy_of(stage)
        rarer["schedulePolicy"] = {
            **rarer["schedulePolicy"],
            "scheduleRunFrequency": "Weekly",
            "scheduleRunDays": ["Sunday"],
        }
        rarer["retentionPolicy"] = {
            "retentionPolicyType": "LongTermRetentionPolicy",
            "weeklySchedule": {
                "daysOfTheWeek": ["Sunday"],
                "retentionTimes": rarer["schedulePolicy"]["scheduleRunTimes"],
                "retentionDuration": {"count": 30, "durationType": "Weeks"},
            },
        }

        stage.vault.soft_delete = False
        vaults.changed()
        stage.run(LOOKS)
        with_immutability(stage, "Disabled")
        stage.run(LOOKS)
        set_policy(stage, shorter)
        stage.run(LOOKS)
        set_policy(stage, good)
        stage.run(LOOKS)
        set_policy(stage, rarer)
        stage.run(LOOKS)

        stage.vault.soft_delete = True
        set_policy(stage, good)
        with_immutability(stage, "Unlocked")
        stage.run(LOOKS)
    return stage


def told(stage: MailStage, words: str) -> list[str]:
    return [subject.partition(":")[0] for subject in stage.subjects if words in subject]


@pytest.mark.parametrize("words", ["soft delete of the vault", "immutability of the vault"])
def test_a_vault_that_protects_less_is_one_mail(story: MailStage, words: str) -> None:
    assert told(story, words) == ["Backup trouble"]


def test_a_policy_is_told_each_time_that_it_gets_worse(story: MailStage) -> None:
    assert told(story, WEAKENED) == ["Backup trouble", "Backup trouble"]


def test_what_was_set_back_is_over(story: MailStage) -> None:
    over = [subject for subject in story.subjects if subject.startswith("Over")]

    assert len(over) == 4
    assert all(one.over for one in story.incidents)


def test_the_mail_names_what_is_less(story: MailStage) -> None:
    bodies = [str(one.body["content"]["plainText"]) for one in story.mails]

    assert any("soft delete is off, not on" in body for body in bodies)
    assert any("immutability is off, not unlocked" in body for body in bodies)
    assert any("for 7 instead of 30" in body for body in bodies)
    assert any("once a week instead of 7 times" in body for body in bodies)


def test_nothing_else_was_told(story: MailStage) -> None:
    assert len(story.mails) == 8
    assert story.failures() == []
