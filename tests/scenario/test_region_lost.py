"""
The region of the app is lost, its evidence is not: rehearsed, as the runbook tells it.

A new deployment elsewhere has an empty ledger, a new task hub, and a copy of the evidence.
"""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from azsim.host import DurableStorage
from azsim.world import World
from tests.scenario.drill_stage import DAY, DRILLS, HOUR, PLACE, NightStage
from tests.scenario.mail_stage import CODE, MailStage
from tests.scenario.stage import SUB, TOML, Stage, opened
from vmbackup_cli.simulated import ACCOUNT, ENVIRONMENT, watch
from vmbackup_core.domain.evidence import Kind

ELSEWHERE = "stvmbackupnorth"
SPARSE = {
    **ENVIRONMENT,
    "VMBACKUP_SWEEP_SCHEDULE": "0 0 */4 * * *",
    "VMBACKUP_WATCH_SCHEDULE": "0 0 6 * * *",
    "VMBACKUP_DIGEST_SCHEDULE": "0 0 6 * * *",
}
MINUTE = timedelta(minutes=1)


def lose_region(stage: Stage, away: timedelta = HOUR) -> None:
    """Let app, ledger and task hub be gone for a while, and a new deployment begin elsewhere."""
    assert stage.host is not None
    world = stage.world
    stage.host.crash()
    world.clock.advance(away)
    kept = world.storage.account(ACCOUNT).containers.get("evidence")
    copied = world.storage.ensure_account(ELSEWHERE).create_container("evidence")
    for blob in kept:
        copied.write(blob.name, blob.content, world.clock.now())
    stage.environment = {**stage.environment, "VMBACKUP_STORAGE_ACCOUNT": ELSEWHERE}
    stage.durable = DurableStorage()
    stage.app = stage.build()
    stage.begin()
    watch(world, stage.host, [SUB])


@pytest.fixture
def stage(world: World) -> Iterator[Stage]:
    with opened(Stage(world)) as stage:
        yield stage


def test_nothing_is_protected_twice_and_what_was_missed_is_protected(stage: Stage):
    stage.create_vault()
    for name, tag in (("web", "gold"), ("db", "standard"), ("out", "off")):
        stage.create_vm(name, tag=tag)
    stage.run(HOUR)
    before = {name: stage.policy_of(name) for name in ("web", "db", "out")}
    lose_region(stage, away=30 * MINUTE)
    stage.create_vm("born", tag="gold")
    stage.world.events.lose_next("/born")
    begin = len(stage.arm_writes())

    stage.run(2 * HOUR)

    assert {name: stage.policy_of(name) for name in before} == before
    assert [stage.effective_enables(name) for name in ("web", "db", "born")] == [1, 1, 1]
    assert stage.policy_of("born") == "gold"
    assert stage.arm_writes()[begin:] == ["items.put"]
    assert stage.failures() == []


def test_a_policy_that_vmbackup_set_may_still_be_changed_and_one_of_others_may_not(stage: Stage):
    vault = stage.create_vault()
    stage.create_vm("web", tag="standard")
    stage.create_vm("theirs", tag="standard")
    stage.world.vaults.protect(stage.id("theirs"), vault, "EnhancedPolicy")
    stage.run(HOUR)
    lose_region(stage)

    stage.world.machines.tag(stage.id("web"), {"backup": "gold"})
    stage.world.machines.tag(stage.id("theirs"), {"backup": "gold"})
    stage.run(2 * HOUR)

    assert (stage.policy_of("web"), stage.policy_of("theirs")) == ("gold", "EnhancedPolicy")
    assert stage.reason("theirs") == "OTHER_POLICY"


def test_a_vm_that_was_made_anew_meanwhile_is_confirmed(stage: Stage):
    stage.create_vault()
    stage.create_vm("web")
    stage.run(HOUR)
    assert stage.host is not None
    stage.host.crash()
    stage.world.machines.delete(stage.id("web"))
    stage.create_vm("web")
    lose_region(stage)

    stage.run(2 * HOUR)

    assert any("TO_CONFIRM" in line or "ConfirmProtection" in line for line in stage.journal.lines)
    assert stage.reason("web") == "PROTECTED"


def test_what_was_paused_stays_paused(stage: Stage):
    stage.create_vault()
    stage.app.notebook.set_pause("change freeze")
    stage.app.evidence.append(Kind.CONTROL, "pause", {"did": "paused"})
    lose_region(stage)
    stage.sweep()
    stage.create_vm("web")

    stage.run(HOUR)

    assert stage.policy_of("web") == ""
    assert stage.reason("web") == "PAUSED"


# Restore tests.


@pytest.fixture
def night(world: World) -> Iterator[NightStage]:
    with opened(NightStage(world, TOML + DRILLS, environment=SPARSE)) as stage:
        yield stage  # type: ignore[misc]


def test_what_was_proven_counts_by_its_evidence(night: NightStage):
    night.prepare("web")
    night.run(3 * HOUR)
    lose_region(night)

    night.run(DAY)

    assert night.proven() == ["web"]
    (vm,) = night.app.restore_tests().records.histories(30 * DAY).vms.values()
    assert vm.past.proven is not None


def test_a_slot_that_was_in_use_is_found_told_and_stopped(night: NightStage):
    night.prepare("web")
    night.until(1, 4)
    left = night.in_slots()
    lose_region(night, away=3 * HOUR)

    night.run(HOUR)

    (lease,) = night.app.restore_tests().slots.quarantined()
    assert lease.slot.group == f"{PLACE.group}-1"
    assert night.in_slots() == left
    copies = [m for m in night.world.machines.in_subscription(SUB) if PLACE.group in m.id.lower()]
    assert [copy.power for copy in copies] == ["deallocated"]
    assert any("is quarantined: things lie in it" in line for line in night.journal.lines)
    assert night.failures() == []


# Mails.


@pytest.fixture
def mailing(world: World) -> Iterator[MailStage]:
    with opened(MailStage(world)) as stage:
        yield stage


@pytest.mark.long
def test_what_still_fails_is_told_again_once_for_each_cause(mailing: MailStage):
    for number in range(6):
        failing = mailing.protect(f"vm-{number}")
        mailing.world.vaults.fail_backups(failing, CODE, 9)
    odd = mailing.protect("odd")
    mailing.world.vaults.fail_backups(odd, "ExtensionSnapshotFailedNoNetwork", 9)
    mailing.nights(2)
    before = len(mailing.mails)
    lose_region(mailing)

    mailing.nights(0.8)

    assert mailing.marks[before:] == ["Backup trouble"] * 2
    assert [one for one in mailing.subjects[before:] if "6 VMs" in one] != []
    assert mailing.failures() == []
