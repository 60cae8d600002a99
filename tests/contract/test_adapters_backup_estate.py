"""Protected items, unfinished jobs and the log, as the look for troubles reads them."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from azsim.log_analytics import Workspace
from azsim.transport import SimTransport
from azsim.world import World
from tests.contract.azure_desk import SUB, VAULT, WEB, WEST, Desk
from tests.credentials import StaticCredential
from vmbackup_core.adapters.arm import Arm
from vmbackup_core.adapters.backup_estate import AzureBackupEstate
from vmbackup_core.adapters.deed_forms import Host, Identity
from vmbackup_core.adapters.job_log import AzureJobLog
from vmbackup_core.domain.errors import Rejected
from vmbackup_core.domain.facts import ItemState
from vmbackup_core.domain.rules import Scope
from vmbackup_core.domain.telling.backup_runs import RunStatus, Source, merge_runs

HERE = Scope(subscriptions=(SUB,))
LOGS = "https://api.loganalytics.io"
CODE = "UserErrorGuestAgentStatusUnavailable"
DAY = timedelta(days=1)


class Watcher(Desk):
    """A protected VM in a vault that writes into a workspace, from its first minute on."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.vault = world.vaults.create(SUB, VAULT.group, VAULT.name, WEST)
        self.web = self.protect("web", tags={"backup-owner": "team@x.example"})
        self.workspaces = [self.add_workspace("law")]
        world.logs.connect(self.vault, self.workspaces[0], first_push=timedelta())
        self.estate = AzureBackupEstate(self.arm(Identity.READER), self.clock)

    def protect(self, name: str, **more: Any) -> str:
        made = self.world.machines.create(
            subscription=SUB, group="RG-App", name=name, location=WEST, **more
        )
        self.world.vaults.protect(made.id, self.vault)
        return made.id

    def add_workspace(self, name: str) -> Workspace:
        return self.world.logs.add_workspace(SUB, "rg-ops", name)

    def log(self) -> AzureJobLog:
        arm = Arm(
            endpoint=LOGS,
            scope=f"{LOGS}/.default",
            credential=StaticCredential(),
            clock=self.clock,
            transport=SimTransport(self.world),
            host=Host.LOGS,
        )
        return AzureJobLog(arm, tuple(one.customer_id for one in self.workspaces))


@pytest.fixture
def desk(world: World) -> Watcher:
    return Watcher(world)


def test_an_item_comes_with_its_vm_its_policy_and_its_newest_point(desk: Watcher) -> None:
    desk.later(days=2)

    (item,) = desk.estate.observe_backups(HERE).items

    assert (item.vm, item.vault, item.state) == (WEB, VAULT, ItemState.PROTECTED)
    assert (item.name, item.there, item.policy) == ("web", True, "DefaultPolicy")
    assert item.tags.get("Backup-Owner") == "team@x.example"
    assert item.last_point is not None
    assert desk.clock.now() - item.last_point < DAY


def test_a_failed_backup_is_no_newer_point(desk: Watcher) -> None:
    desk.later(days=2)
    before = desk.estate.observe_backups(HERE).items[0].last_point
    desk.world.vaults.fail_backups(desk.web, CODE)

    desk.later(days=1)

    assert desk.estate.observe_backups(HERE).items[0].last_point == before


def test_an_item_stays_when_its_vm_is_gone(desk: Watcher) -> None:
    desk.later(days=1)
    desk.world.machines.delete(desk.web)
    desk.later(minutes=30)

    (item,) = desk.estate.observe_backups(HERE).items

    assert (item.name, item.there) == ("web", False)


def test_vaults_come_with_their_policies(desk: Watcher) -> None:
    (vault,) = desk.estate.observe_backups(HERE).vaults

    assert (vault.vault, vault.location) == (VAULT, WEST)
    assert [policy.name for policy in vault.policies] == ["DefaultPolicy", "EnhancedPolicy"]


def test_graph_tells_only_of_backups_that_did_not_go_well(desk: Watcher) -> None:
    desk.world.vaults.fail_backups(desk.web, CODE)
    began = desk.clock.now()

    desk.later(days=3)
    (run,) = desk.estate.observe_unfinished(HERE, began)

    assert (run.vm, run.vault, run.status) == (WEB, VAULT, RunStatus.FAILED)
    assert desk.estate.observe_unfinished(HERE, run.started + DAY) == ()


def test_a_failed_job_tells_its_words_by_one_call(desk: Watcher) -> None:
    desk.world.vaults.fail_backups(desk.web, CODE)
    began = desk.clock.now()
    desk.later(days=1)
    (run,) = desk.estate.observe_unfinished(HERE, began)
    so_far = len(desk.calls())

    told = desk.estate.observe_failure(replace(run, code="", number=0, message=""))

    assert told.code == CODE
    assert told.message.startswith("VM agent is unable")
    assert told.sources == {Source.GRAPH, Source.VAULT}
    assert desk.calls()[so_far:] == ["jobs.get"]


def test_a_job_that_the_vault_does_not_know_is_refused(desk: Watcher) -> None:
    desk.world.vaults.fail_backups(desk.web, CODE)
    began = desk.clock.now()
    desk.later(days=1)
    (run,) = desk.estate.observe_unfinished(HERE, began)

    with pytest.raises(Rejected):
        desk.estate.observe_failure(replace(run, id="00000000-0000-4000-8000-000000000000"))


def test_the_log_tells_of_good_and_bad_ones_with_the_names_of_errors(desk: Watcher) -> None:
    desk.world.vaults.fail_backups(desk.web, CODE)
    began = desk.clock.now()

    desk.later(days=3)
    bad, good, *_ = merge_runs(desk.log().observe_ingested(began))

    assert (bad.vm, bad.status, bad.code) == (WEB, RunStatus.FAILED, CODE)
    assert (good.vm, good.status, good.code) == (WEB, RunStatus.COMPLETED, "")
    assert good.ended is not None
    assert good.ingested is not None
    assert good.ingested > good.ended


def test_the_log_tells_what_it_took_in_since(desk: Watcher) -> None:
    began = desk.clock.now()
    desk.later(days=3)
    runs = desk.log().observe_ingested(began)
    newest = max(run.ingested for run in runs if run.ingested)

    assert desk.log().observe_ingested(newest) == ()


def test_several_workspaces_are_one_call(desk: Watcher) -> None:
    other = desk.world.vaults.create(SUB, VAULT.group, "rsv-2", WEST)
    desk.workspaces.insert(0, desk.add_workspace("second"))
    desk.world.logs.connect(other, desk.workspaces[0], first_push=timedelta())
    began = desk.clock.now()
    desk.later(days=2)
    so_far = len(desk.calls())

    assert desk.log().observe_ingested(began)
    assert desk.calls()[so_far:] == ["logs.query"]


def test_both_sources_tell_of_one_job(desk: Watcher) -> None:
    desk.world.vaults.fail_backups(desk.web, CODE)
    began = desk.clock.now()
    desk.later(days=2)

    found = merge_runs(
        desk.log().observe_ingested(began), desk.estate.observe_unfinished(HERE, began)
    )

    assert [run.sources for run in found if run.failed] == [{Source.LOG, Source.GRAPH}]


def test_looking_at_many_items_costs_a_call_for_each_thousand(desk: Watcher) -> None:
    for number in range(30):
        desk.protect(f"vm-{number}")
    so_far = len(desk.calls())

    assert len(desk.estate.observe_backups(HERE).items) == 31
    assert desk.calls()[so_far:] == ["graph.query"] * 3
