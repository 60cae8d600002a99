"""
What nobody knows of Azure, both ways: whichever answer is the true one, the VM ends well.

Each test runs under azsim's own answer to a doubt and under the other one. It ends with the VM
protected once as asked, or with a true reason. The pages in docs/azsim name the test that covers
each inferred or guessed behaviour on which the app relies.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from email.utils import format_datetime, parsedate_to_datetime
from typing import Any

import pytest

from azsim.clock import Clock
from azsim.fault_kinds import Fault, Kind
from azsim.groups import RESOURCES_WRITE
from azsim.host import Mishap
from azsim.http import Request, Response
from azsim.machines import PAST
from azsim.recovery.doubts import Doubts
from azsim.recovery.jobs import Failure
from azsim.transport import SimTransport
from azsim.world import World
from tests.scenario.people import (
    HOURS,
    MINUTES,
    SECONDS,
    WITH_SILVER,
    exclude_disk,
    item_puts,
    limits_section,
    protected_by_us,
    recreate,
    stocked_vault,
)
from tests.scenario.stage import SUB, VAULT, WEST, Stage, opened
from vmbackup_cli.simulated import ACCOUNT, CLIENT

SECOND = f"rsv-{SUB[:8]}-{WEST}-2"
NEVER_SEEN = ("UserErrorOfTomorrow", "Something that nobody has seen yet.")
BOTH = [True, False]


def doubt(stage: Stage, **answers: Any) -> None:
    """Let azsim's Azure Backup give these answers to doubts."""
    stage.world.vaults.doubts = Doubts(**answers)


def refused(stage: Stage, status: int, code: str, message: str, **more: Any) -> None:
    """Let Azure Backup refuse items in these words, as long as they are refused."""
    route = more.pop("route", "items.put")
    fault = Fault(Kind.BAD_REQUEST, route, status=status, code=code, message=message, **more)
    stage.world.faults.add(fault)


def ends_as(stage: Stage, reason: str, name: str = "web") -> None:
    """Assert that workflow and sweep say the same, and that nothing broke on the way."""
    assert (stage.ended(name), stage.reason(name)) == (reason, reason)
    assert stage.failures() == []


def protected_once(stage: Stage, policy: str = "gold", name: str = "web") -> None:
    ends_as(stage, "PROTECTED", name)
    assert stage.policy_of(name) == policy
    assert stage.effective_enables(name) == 1


@dataclass
class Retold:
    """A world whose answers are told otherwise."""

    world: World
    tell: Callable[[Request, Response], Response]

    @property
    def clock(self) -> Clock:
        return self.world.clock

    def handle(self, request: Request) -> Response:
        return self.tell(request, self.world.handle(request))


@contextmanager
def retold(world: World, tell: Callable[[Request, Response], Response]) -> Iterator[Stage]:
    transport = SimTransport(Retold(world, tell), client=CLIENT)  # type: ignore[arg-type]
    with opened(Stage(world, transport=transport)) as stage:
        yield stage


# What backupStatus says.


@pytest.mark.parametrize("named", BOTH)
def test_stopped_protection_is_reported_whatever_backup_status_says_of_it(
    stage: Stage, named: bool
):
    doubt(stage, status_names_stopped=named)
    protected_by_us(stage)
    before = stage.arm_writes()
    stage.world.vaults.stop(stage.id())

    stage.run(40 * MINUTES)
    stage.world.machines.tag(stage.id(), {"backup": "gold"})
    stage.run(10 * MINUTES)

    ends_as(stage, "PROTECTION_STOPPED")
    assert stage.arm_writes() == before


@pytest.mark.parametrize("late", BOTH)
@pytest.mark.parametrize("named", BOTH)
def test_a_vm_that_was_stopped_in_a_foreign_vault_is_not_taken_from_there(
    stage: Stage, named: bool, late: bool
):
    doubt(stage, status_names_stopped=named, other_vault_found_out_late=late)
    stocked_vault(stage)
    machine = stage.create_vm("web", created_by=PAST)
    stage.world.vaults.protect(machine.id, stocked_vault(stage, "finance-vault"), "gold")
    stage.world.vaults.stop(machine.id)

    stage.world.machines.update(machine)
    stage.run(40 * MINUTES)

    ends_as(stage, "IN_ANOTHER_VAULT")
    assert stage.vault_of() == "finance-vault"
    assert stage.effective_enables() == 0


@pytest.mark.parametrize("named", BOTH)
def test_a_deleted_backup_in_the_way_is_reported_whatever_backup_status_says_of_it(
    stage: Stage, named: bool
):
    doubt(stage, status_names_soft_deleted=named)
    protected_by_us(stage)
    stage.world.vaults.soft_delete(stage.id())
    stage.world.machines.tag(stage.id(), {"backup": "gold"})

    stage.run(40 * MINUTES)

    ends_as(stage, "SOFT_DELETED")
    assert len(item_puts(stage)) == 1


@pytest.mark.parametrize("named", BOTH)
def test_a_deleted_backup_elsewhere_is_no_hindrance_whatever_backup_status_says_of_it(
    stage: Stage, named: bool
):
    doubt(stage, status_names_soft_deleted=named)
    stocked_vault(stage)
    machine = stage.create_vm("web", created_by=PAST)
    stage.world.vaults.protect(machine.id, stocked_vault(stage, "finance-vault"), "gold")
    stage.world.vaults.soft_delete(machine.id)

    stage.run(40 * MINUTES)

    assert stage.vault_of() == VAULT
    protected_once(stage)


@pytest.mark.parametrize("named", BOTH)
def test_a_vm_that_somebody_is_just_enabling_is_enabled_once(stage: Stage, named: bool):
    doubt(stage, status_names_pending=named)
    vault = stocked_vault(stage)
    stage.world.events.disturb(latency=20 * SECONDS)
    machine = stage.create_vm("web")
    stage.run(15 * SECONDS)

    somebody_enables(stage, machine.id, f"{vault.id}/backupPolicies/gold")
    stage.run(40 * MINUTES)

    protected_once(stage)


def somebody_enables(stage: Stage, vm_id: str, policy_id: str) -> None:
    """Send the PUT that another client would send."""
    vault, names = policy_id.partition("/backupPolicies/")[0], ";rg-web;web"
    path = f"{vault}/backupFabrics/Azure/protectionContainers/iaasvmcontainer;iaasvmcontainerv2"
    path += f"{names}/protectedItems/vm;iaasvmcontainerv2{names}?api-version=2024-04-01"
    kind = "Microsoft.Compute/virtualMachines"
    item = {"protectedItemType": kind, "sourceResourceId": vm_id, "policyId": policy_id}
    headers = {"authorization": "Bearer somebody", "content-type": "application/json"}
    body = json.dumps({"properties": item}).encode()
    url = f"https://management.azure.com{path}"
    assert stage.world.handle(Request("PUT", url, headers, body)).status == 202


@pytest.mark.parametrize("lag", [0 * MINUTES, 20 * MINUTES])
def test_a_vm_is_enabled_once_however_late_backup_status_learns_of_it(stage: Stage, lag: timedelta):
    doubt(stage, status_lag=lag)
    machine = protected_by_us(stage)

    stage.world.machines.update(machine)
    stage.run(40 * MINUTES)

    protected_once(stage)
    assert len(item_puts(stage)) == 1


# What a vault must know before.


@pytest.mark.parametrize("unknown_for", [0 * HOURS, 1 * HOURS])
def test_a_young_vm_is_protected_whether_or_not_its_vault_must_look_for_it_first(
    stage: Stage, unknown_for: timedelta
):
    stage.world.vaults.rules.undiscovered_for = unknown_for
    stage.create_vault()
    stage.create_vm("web")

    stage.run(15 * MINUTES)

    protected_once(stage)


@pytest.mark.parametrize(
    ("status", "code", "message"),
    [
        (400, "BMSUserErrorInvalidConfigureProtectionRequest", "Please ensure that …"),
        (400, "BMSUserErrorContainerObjectNotFound", "The container was not found."),
        (404, "BMSUserErrorContainerObjectNotFound", "The container was not found."),
    ],
)
def test_a_vault_that_does_not_know_the_vm_is_let_look_whatever_it_calls_that(
    stage: Stage, status: int, code: str, message: str
):
    stage.create_vault()
    refused(stage, status, code, message)
    stage.create_vm("web")

    stage.run(15 * MINUTES)

    protected_once(stage)
    assert stage.arm_writes().count("containers.refresh") == 1


# In which words Azure refuses.


@pytest.mark.parametrize(
    ("status", "code", "message"),
    [
        (400, "UserErrorMaxProtectedVMsReached", "The vault protects as many VMs as it can (1000)"),
        (400, "UserErrorOfTomorrow", "The maximum number of items in the vault is reached."),
        (409, "UserErrorOfTomorrow", "The limit of 1000 virtual machines is exceeded."),
    ],
)
def test_a_full_vault_is_followed_by_the_next_whatever_azure_calls_it(
    stage: Stage, status: int, code: str, message: str
):
    protected_by_us(stage, "first")
    refused(stage, status, code, message, resource=f"/{VAULT}/", times=None)
    stage.create_vm("web")

    stage.run(40 * MINUTES)

    assert stage.vault_of() == SECOND
    protected_once(stage)


@pytest.mark.parametrize("summaries", BOTH)
@pytest.mark.parametrize("room", BOTH)
def test_a_vault_full_of_deleted_backups_does_not_hinder(stage: Stage, room: bool, summaries: bool):
    stage.configure(limits_section("vms_per_vault", 2))
    doubt(stage, room_counts_soft_deleted=room, summaries_count_soft_deleted=summaries)
    stage.world.vaults.rules.most_vms = 2
    protected_by_us(stage, "first")
    protected_by_us(stage, "second")
    stage.world.vaults.soft_delete(stage.id("first"))
    stage.run(20 * MINUTES)

    stage.create_vm("web")
    stage.run(40 * MINUTES)

    protected_once(stage)


@pytest.mark.parametrize(
    ("status", "code", "message"),
    [
        (400, "CloudDosAbsoluteLimitReached", "Operation is blocked as you have reached the limit"),
        (409, "CloudDosAbsoluteLimitReached", "Operation is blocked as you have reached the limit"),
        (400, "UserErrorOfTomorrow", "… limit on number of operations permitted in 24 hours."),
        (400, "UserErrorOfTomorrow", "At most 1000 VMs can be configured in a vault in a day."),
    ],
)
def test_azures_daily_limit_ends_by_itself_whatever_azure_calls_it(
    stage: Stage, status: int, code: str, message: str
):
    stage.create_vault()
    refused(stage, status, code, message)
    stage.create_vm("web")

    stage.run(40 * MINUTES)
    today = (stage.ended(), stage.reason(), stage.policy_of())
    stage.run(24 * HOURS)

    assert today == ("DAILY_LIMIT", "DAILY_LIMIT", "")
    protected_once(stage)


@pytest.mark.parametrize("status", [400, 409])
@pytest.mark.parametrize(
    "code", ["BMSUserErrorItemInSoftDeletedState", "UserErrorOfTomorrow", "SoftDeletedOfTomorrow"]
)
def test_a_deleted_item_that_refuses_is_reported_whatever_azure_calls_it(
    stage: Stage, status: int, code: str
):
    stage.create_vault()
    message = "The backup item is in soft deleted state. Undelete it before any other operation."
    refused(stage, status, code, message, times=None)
    stage.create_vm("web")

    stage.run(40 * MINUTES)

    ends_as(stage, "SOFT_DELETED")


OTHER_VAULT = (
    "Virtual machine is already registered\\registering with another recovery services vault. "
    "Please select a different virtual machine for registration."
)


@pytest.mark.parametrize("code", ["UserErrorVmAlreadyRegisteredWithAnotherVault", NEVER_SEEN[0]])
@pytest.mark.parametrize("late", BOTH)
def test_a_vm_of_another_vault_is_reported_however_and_whenever_azure_says_so(
    stage: Stage, late: bool, code: str
):
    doubt(stage, other_vault_found_out_late=late)
    theirs = stocked_vault(stage, "finance-vault")
    stage.create_vault()
    stage.world.faults.add(
        Fault(Kind.LATE_FAILURE, "items.put", code=code, message=OTHER_VAULT, times=None)
    )
    stage.world.events.disturb(latency=5 * SECONDS)
    machine = stage.create_vm("web")
    stage.run(6 * SECONDS)
    stage.world.vaults.protect(machine.id, theirs, "DefaultPolicy")

    stage.run(40 * MINUTES)

    ends_as(stage, "IN_ANOTHER_VAULT")
    assert stage.vault_of() == "finance-vault"


@pytest.mark.parametrize(
    ("status", "code", "message"),
    [
        (409, "BMSUserErrorConflictingProtectionOperation", "Another … is in progress."),
        (409, "BMSUserErrorObjectLocked", "Another operation is in progress on the item."),
        (400, "BMSUserErrorObjectLocked", "Another operation is in progress on the item."),
        (409, "Conflict", "Conflict."),
        (400, "UserErrorOfTomorrow", "Another configure operation is in progress for this item."),
    ],
)
def test_a_busy_item_is_waited_for_whatever_azure_calls_it(
    stage: Stage, status: int, code: str, message: str
):
    stage.create_vault()
    refused(stage, status, code, message, times=2)
    stage.create_vm("web")

    stage.run(40 * MINUTES)

    protected_once(stage)


@pytest.mark.parametrize("code", ["UserErrorStandardPolicyNotSupported", NEVER_SEEN[0]])
def test_a_vm_that_needs_an_enhanced_policy_is_reported_whatever_azure_calls_it(
    stage: Stage, code: str
):
    stage.create_vault()
    message = "This virtual machine can be protected only with an Enhanced policy."
    refused(stage, 400, code, message, times=None)
    stage.create_vm("web", tag="standard")

    stage.run(40 * MINUTES)

    ends_as(stage, "NEEDS_ENHANCED")


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("BMSUserErrorMaxPoliciesReached", "A vault holds at most 200 policies."),
        ("BMSUserErrorMaxPolicyEditsReached", "At most 50 policies can be created in 24 hours."),
        ("BMSUserErrorInvalidPolicyInput", "Input for create policy is not in proper format"),
        NEVER_SEEN,
    ],
)
def test_a_policy_that_azure_refuses_is_reported_in_azures_words(
    stage: Stage, code: str, message: str
):
    stage.create_vault()
    refused(stage, 400, code, message, route="policies.put", times=None)
    stage.create_vm("web")

    stage.run(40 * MINUTES)

    ends_as(stage, "REFUSED")
    assert code in last_words(stage)


@pytest.mark.parametrize(
    ("code", "message"),
    [("UserErrorMaxVaultsReached", "The region holds the most vaults that it can."), NEVER_SEEN],
)
def test_a_vault_that_azure_refuses_is_reported_in_azures_words(
    stage: Stage, code: str, message: str
):
    refused(stage, 409, code, message, route="vaults.put", times=None)
    stage.create_vm("web")

    stage.run(40 * MINUTES)

    ends_as(stage, "REFUSED")
    assert code in last_words(stage)


def last_words(stage: Stage) -> str:
    records = [record["body"] for _, record in stage.app.evidence.chain("protection/")]
    return str(records[-1]["because"])


@pytest.mark.parametrize("registered", BOTH)
def test_a_subscription_that_does_not_know_the_provider_is_reported(stage: Stage, registered: bool):
    words = "The subscription is not registered to use namespace 'Microsoft.RecoveryServices'."
    strikes = None if not registered else 1
    code = "MissingSubscriptionRegistration" if not registered else "InternalServerError"
    status = 409 if not registered else 500
    refused(stage, status, code, words, route="vaults.put", times=strikes)
    stage.create_vm("web")

    stage.run(40 * MINUTES)

    assert stage.ended() == ("PROTECTED" if registered else "REFUSED")
    assert registered or "MissingSubscriptionRegistration" in last_words(stage)


# What tells that a write has ended, and how.


@pytest.mark.parametrize("tells", BOTH)
def test_a_late_failure_is_understood_whether_the_operation_or_only_its_job_tells_it(
    stage: Stage, tells: bool
):
    doubt(stage, operation_tells_failure=tells)
    stage.create_vault()
    stage.create_vm("web", agent_after=None)

    stage.run(3 * HOURS)

    ends_as(stage, "AGENT_NEVER_READY")
    assert len(item_puts(stage)) == 1


SYMBOLIC = "UserErrorGuestAgentStatusUnavailable"


@pytest.mark.parametrize("title", [SYMBOLIC, "VM agent not ready", ""])
def test_a_job_that_alone_tells_of_its_failure_is_understood_by_its_words(world: World, title: str):
    def tell(request: Request, response: Response) -> Response:
        if not request.path.lower().endswith("/backupjobs"):
            return response
        said = json.dumps(response.body).replace(
            f'"errorTitle": "{SYMBOLIC}"', f'"errorTitle": "{title}"'
        )
        return replace(response, body=json.loads(said))

    with retold(world, tell) as stage:
        doubt(stage, operation_tells_failure=False)
        stage.create_vault()
        stage.create_vm("web", agent_after=20 * MINUTES)

        stage.run(60 * MINUTES)

        protected_once(stage)
        assert len(item_puts(stage)) == 2


@pytest.mark.parametrize("late", BOTH)
def test_an_agent_that_is_late_is_waited_for_whenever_azure_finds_out(stage: Stage, late: bool):
    doubt(stage, agent_found_out_late=late)
    stage.create_vault()
    stage.create_vm("web", agent_after=20 * MINUTES)

    stage.run(60 * MINUTES)

    protected_once(stage)
    assert len(item_puts(stage)) == 2


@pytest.mark.parametrize("after", [0 * MINUTES, 5 * MINUTES, 2 * HOURS])
def test_a_vm_is_enabled_once_however_late_its_job_is_listed(stage: Stage, after: timedelta):
    doubt(stage, jobs_listed_after=after)
    stage.create_vault()
    stage.create_vm("web")

    stage.run(60 * MINUTES)

    protected_once(stage)
    assert len(item_puts(stage)) == 1


@pytest.mark.parametrize("after", [0 * MINUTES, 5 * MINUTES])
@pytest.mark.parametrize("kept", [timedelta.max, 0 * MINUTES])
def test_a_vm_is_enabled_once_however_soon_its_operation_is_forgotten(
    stage: Stage, kept: timedelta, after: timedelta
):
    doubt(stage, operations_kept=kept, jobs_listed_after=after)
    stage.create_vault()
    stage.create_vm("web")

    stage.run(60 * MINUTES)

    protected_once(stage)
    assert len(item_puts(stage)) == 1


@pytest.mark.parametrize("lag", [0 * MINUTES, 3 * MINUTES])
def test_a_vm_is_enabled_once_however_late_its_item_shows(stage: Stage, lag: timedelta):
    doubt(stage, item_lag=lag)
    stage.create_vault()
    stage.create_vm("web")

    stage.run(60 * MINUTES)

    protected_once(stage)
    assert len(item_puts(stage)) == 1


@pytest.mark.parametrize("at_once", BOTH)
@pytest.mark.parametrize("agent", [0 * MINUTES, 20 * MINUTES])
def test_an_item_that_shows_before_its_operation_ends_is_not_taken_for_protection(
    stage: Stage, agent: timedelta, at_once: bool
):
    doubt(stage, item_shows_at_once=at_once)
    stage.create_vault()
    stage.create_vm("web", agent_after=agent)

    stage.run(70 * MINUTES)

    protected_once(stage)


@pytest.mark.parametrize("makes_job", BOTH)
def test_a_recreated_vm_is_confirmed_whether_or_not_a_repeated_put_makes_a_job(
    stage: Stage, makes_job: bool
):
    doubt(stage, same_put_makes_job=makes_job)
    protected_by_us(stage)

    machine = recreate(stage)
    stage.run(40 * MINUTES)

    item = stage.item()
    assert item is not None
    assert (item.vm_guid, item.policy) == (machine.vm_id, "gold")
    assert len(item_puts(stage)) == 2
    ends_as(stage, "PROTECTED")


# What an item says and keeps.


@pytest.mark.parametrize(("is_error", "reason"), [(True, "ITEM_ERROR"), (False, "OTHER_POLICY")])
def test_an_item_whose_backup_failed_is_left_alone_whatever_it_says_of_itself(
    stage: Stage, is_error: bool, reason: str
):
    stage.configure(WITH_SILVER)
    doubt(stage, failed_backup_is_protection_error=is_error)
    vault = stocked_vault(stage)
    machine = stage.create_vm("web", tag="silver", created_by=PAST)
    stage.world.vaults.protect(machine.id, vault, "standard")
    failures = Failure("UserErrorFsFreezeFailed", "No freeze.")
    stage.world.vaults.fail_backups(machine.id, failures, times=3)

    stage.run(18 * HOURS)

    assert stage.reason() == reason
    assert stage.policy_of() == "standard"
    assert stage.arm_writes() == []


@pytest.mark.parametrize("drops", BOTH)
def test_an_excluded_disk_stays_excluded_whether_or_not_a_put_drops_it(stage: Stage, drops: bool):
    stage.configure(WITH_SILVER)
    doubt(stage, put_drops_exclusion=drops)
    protected_by_us(stage, tag="standard", data_disks=2)
    excluded = exclude_disk(stage)

    stage.world.machines.tag(stage.id(), {"backup": "silver"})
    stage.run(40 * MINUTES)

    item = stage.item()
    assert item is not None
    assert (item.policy, item.exclusion) == ("silver", excluded)


# What Resource Graph says.


@pytest.mark.parametrize("own", BOTH)
def test_the_sweep_reads_states_in_either_vocabulary(stage: Stage, own: bool):
    doubt(stage, graph_has_states_of_its_own=own)
    protected_by_us(stage, "stopped")
    protected_by_us(stage, "deleted")
    protected_by_us(stage, "live")
    stage.world.vaults.stop(stage.id("stopped"))
    stage.world.vaults.soft_delete(stage.id("deleted"))

    stage.run(40 * MINUTES)

    told = [stage.reason(name) for name in ("live", "stopped", "deleted")]
    assert told == ["PROTECTED", "PROTECTION_STOPPED", "SOFT_DELETED"]


@pytest.mark.parametrize("listed", BOTH)
def test_a_deleted_backup_is_reported_whether_or_not_resource_graph_lists_it(
    stage: Stage, listed: bool
):
    doubt(stage, graph_lists_soft_deleted=listed)
    protected_by_us(stage)
    before = stage.arm_writes()
    stage.world.vaults.soft_delete(stage.id())

    stage.run(70 * MINUTES)

    assert stage.reason() == "SOFT_DELETED"
    assert stage.arm_writes() == before


@pytest.mark.parametrize("lag", [0 * MINUTES, 25 * MINUTES])
def test_a_vm_is_protected_once_however_late_resource_graph_learns_of_it(
    stage: Stage, lag: timedelta
):
    stage.world.graph.lag = lag
    stage.create_vault()
    stage.world.events.lose_next("/web")
    stage.create_vm("web")

    stage.run(100 * MINUTES)

    protected_once(stage)
    assert len(item_puts(stage)) == 1


# In which form Azure says when to come back.


def in_seconds(response: Response) -> dict[str, str]:
    return {}


def as_a_date(response: Response) -> dict[str, str]:
    wait = timedelta(seconds=int(response.headers["Retry-After"]))
    until = parsedate_to_datetime(response.headers["Date"]) + wait
    return {"Retry-After": format_datetime(until, usegmt=True)}


def in_milliseconds(response: Response) -> dict[str, str]:
    return {"Retry-After": "", "x-ms-retry-after-ms": response.headers["Retry-After"] + "000"}


def in_words_alone(response: Response) -> dict[str, str]:
    return {"Retry-After": ""}


@pytest.mark.parametrize("form", [in_seconds, as_a_date, in_milliseconds, in_words_alone])
def test_a_wait_is_kept_in_whatever_form_azure_asks_for_it(
    world: World, form: Callable[[Response], dict[str, str]]
):
    def tell(request: Request, response: Response) -> Response:
        if response.status != 429:
            return response
        headers = {k: v for k, v in {**response.headers, **form(response)}.items() if v}
        return replace(response, headers=headers)

    with retold(world, tell) as stage:
        stage.create_vault()
        wait = timedelta(minutes=10)
        world.faults.add(Fault(Kind.PROVIDER_THROTTLED, "items.put", retry_after=wait))
        stage.create_vm("web")

        stage.run(40 * MINUTES)

        struck = world.faults.struck[0].at
        calls = [e.at for e in stage.ours if e.route == "items.put" and e.at > struck]
        assert min(calls) - struck >= wait
        protected_once(stage)


# What a VM says of its agent.


@pytest.mark.parametrize("shown", BOTH)
def test_a_deallocated_vm_is_protected_whether_or_not_it_shows_an_agent(world: World, shown: bool):
    silent = {"vmAgentVersion": "Unknown", "statuses": [{"code": "ProvisioningState/Unavailable"}]}

    def tell(request: Request, response: Response) -> Response:
        body = response.body
        if (
            not shown
            or not isinstance(body, dict)
            or "virtualmachines/web" not in request.path.lower()
        ):
            return response
        properties = body.get("properties", {})
        if "instanceView" not in properties:
            return response
        view = {**properties["instanceView"], "vmAgent": silent}
        return replace(response, body={**body, "properties": {**properties, "instanceView": view}})

    with retold(world, tell) as stage:
        stage.create_vault()
        stage.create_vm("web", power="deallocated", agent_after=None)

        stage.run(20 * MINUTES)

        protected_once(stage)


# What an event names, and when it comes.


@pytest.mark.parametrize("suffix", ["/providers/Microsoft.Resources/tags/default", ""])
def test_a_tag_that_was_written_is_noticed_whatever_its_event_names(stage: Stage, suffix: str):
    stage.create_vault()
    machine = stage.create_vm("web", tag=None)
    stage.run(5 * MINUTES)

    machine.tags = {"backup": "gold"}
    operation = "Microsoft.Resources/tags/write"
    stage.world.events.publish(SUB, RESOURCES_WRITE, f"{machine.id}{suffix}", operation)
    stage.run(10 * MINUTES)

    protected_once(stage)


@pytest.mark.parametrize("at_once", BOTH)
def test_a_vm_is_protected_whether_its_event_comes_at_the_beginning_or_at_the_end(
    stage: Stage, at_once: bool
):
    stage.create_vault()
    stage.run(2 * MINUTES)
    machine = stage.create_vm("web", provisioning_takes=8 * MINUTES)
    if at_once:
        operation = "Microsoft.Compute/virtualMachines/write"
        stage.world.events.publish(SUB, RESOURCES_WRITE, machine.id, operation)
        stage.world.events.lose_next("/web")

    stage.run(25 * MINUTES)

    protected_once(stage)


# What storage and the Functions host do.


@pytest.mark.parametrize("policy_first", BOTH)
def test_evidence_goes_on_whichever_bar_azure_names_first(stage: Stage, policy_first: bool):
    account = stage.world.storage.ensure_account(ACCOUNT)
    container = account.create_container("evidence", immutable_for=timedelta(days=365))
    container.policy_before_condition = policy_first
    stage.create_vault()
    lost = Fault(Kind.RESET_AFTER, "blobs.put", resource="/evidence/", times=2)
    stage.world.faults.add(lost)
    stage.create_vm("web")
    stage.create_vm("db")

    stage.run(60 * MINUTES)

    protected_once(stage, name="web")
    protected_once(stage, name="db")
    chain = [record for _, record in stage.app.evidence.chain("protection/")]
    assert [record["prev"] for record in chain[1:]] == [record["hash"] for record in chain[:-1]]
    assert stage.world.faults.unused() == []


@pytest.mark.parametrize("mishap", [None, Mishap.TWICE, Mishap.TWICE_LATE])
def test_a_vm_is_protected_once_though_each_turn_runs_twice(stage: Stage, mishap: Mishap | None):
    stage.faults.choose = lambda activity, delivery: mishap
    stage.create_vault()
    stage.create_vm("web")

    stage.run(60 * MINUTES)

    protected_once(stage)
    assert len(item_puts(stage)) == 1
