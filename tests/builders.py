"""Values for tests: name only what the test is about."""

from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from typing import Any

from vmbackup_core.domain.facts import (
    DiskExclusion,
    Estate,
    ItemFacts,
    ItemState,
    Tags,
    VaultFacts,
    VmFacts,
)
from vmbackup_core.domain.ids import VaultId, VmId
from vmbackup_core.domain.memory import Memory
from vmbackup_core.domain.policies import PolicyFacts, PolicyKind, PolicySpec, Retention
from vmbackup_core.domain.protection import Rulebook, Sight
from vmbackup_core.domain.rules import Mode, Rule, Rules, Scope
from vmbackup_core.domain.schedules import Daily
from vmbackup_core.domain.vaults import VaultNaming

NOW = datetime(2030, 1, 15, 12, 0, tzinfo=UTC)
SUB = "11111111-2222-3333-4444-555555555555"
OTHER_SUB = "99999999-8888-7777-6666-555555555555"
HERE = "westeurope"
WEB = VmId(SUB, "rg-app", "web")
VAULT = VaultId(SUB, "rg-backup-westeurope", "rsv-11111111-westeurope-1")
SECOND_VAULT = VaultId(SUB, "rg-backup-westeurope", "rsv-11111111-westeurope-2")
FOREIGN_VAULT = VaultId(SUB, "rg-theirs", "their-vault")
EXCLUSION = DiskExclusion((2, 3), including=False)


def at(minutes: float) -> datetime:
    """Return the time `minutes` after the beginning of the test."""
    return NOW + timedelta(minutes=minutes)


def vm(
    name: str = "web", *, group: str = "rg-app", tag: str | None = "gold", **more: Any
) -> VmFacts:
    """Return a VM that asks for the policy `gold`; `tag=None` for one that asks for nothing."""
    tags = {} if tag is None else {"Backup": tag}
    more.setdefault("machine", f"machine-of-{name}")
    more.setdefault("location", HERE)
    more.setdefault("tags", Tags.of(tags))
    return VmFacts(id=VmId(SUB, group, name), name=name, **more)


def item(
    state: ItemState = ItemState.PROTECTED,
    *,
    vm: VmId = WEB,
    vault: VaultId = VAULT,
    policy: str = "gold",
    exclusion: DiskExclusion | None = None,
    last_backup: datetime | None = None,
) -> ItemFacts:
    return ItemFacts(vm, vault, state, policy, exclusion, last_backup)


def retention(days: int = 30, *, snapshots: int = 2, **more: Any) -> Retention:
    return Retention(daily_days=days, snapshot_days=snapshots, **more)


def spec(
    name: str = "gold",
    days: int = 30,
    *,
    kind: PolicyKind = PolicyKind.STANDARD,
    snapshots: int = 2,
) -> PolicySpec:
    """Return a policy as the configuration asks for it: daily, kept for `days`."""
    return PolicySpec(name, kind, Daily(time(22)), retention(days, snapshots=snapshots))


def policy(
    name: str = "gold",
    days: int = 30,
    *,
    kind: PolicyKind = PolicyKind.STANDARD,
    snapshots: int = 2,
) -> PolicyFacts:
    """Return a policy as a vault has it."""
    return spec(name, days, kind=kind, snapshots=snapshots).as_facts()


def unreadable(name: str) -> PolicyFacts:
    """Return a policy that we cannot read, as somebody else made it."""
    return PolicyFacts(name, PolicyKind.STANDARD, None, Retention())


def vault(
    *policies: PolicyFacts,
    id: VaultId = VAULT,
    location: str = HERE,
    items: int = 0,
    ready: bool = True,
) -> VaultFacts:
    """Return a vault that has the policy `gold`, or the `policies` given."""
    return VaultFacts(id, location, policies or (policy(),), items, ready)


def bare_vault(id: VaultId = VAULT) -> VaultFacts:
    """Return a vault without any policy."""
    return VaultFacts(id, HERE)


def scope(mode: Mode = Mode.PROTECT, **more: Any) -> Scope:
    return Scope(subscriptions=(SUB,), mode=mode, **more)


def book(
    *specs: PolicySpec,
    mode: Mode = Mode.PROTECT,
    naming: VaultNaming | None = None,
    rules: tuple[Rule, ...] | None = None,
    **more: Any,
) -> Rulebook:
    """Return a rulebook: the tag's value is the policy's name, for `gold` and each of `specs`."""
    policies: Mapping[str, PolicySpec] = {s.name: s for s in (spec(), *specs)}
    if rules is None:
        rules = tuple(Rule(name, values=(name,)) for name in policies)
    more.setdefault("opt_out", ("off",))
    more.setdefault("scope", scope(mode))
    return Rulebook(
        Rules(tag_name="backup", rules=rules, **more), policies, naming or VaultNaming()
    )


def sight(
    seen: VmFacts | None = None,
    *items: ItemFacts,
    vaults: tuple[VaultFacts, ...] | None = None,
    memory: Memory | None = None,
    full: frozenset[VaultId] = frozenset(),
) -> Sight:
    """Return what one look at a VM saw; without `vaults`, the one vault with the policy `gold`."""
    return Sight(
        seen or vm(), items, (vault(),) if vaults is None else vaults, memory or Memory(), full
    )


def ours(policy: str = "gold", *, machine: str = "machine-of-web", **more: Any) -> Memory:
    """Return the memory of a VM that we protected with `policy`."""
    more.setdefault("vault", str(VAULT))
    return Memory(machine=machine, policy=policy, **more)


def estate(
    *vms: VmFacts,
    items: tuple[ItemFacts, ...] = (),
    vaults: tuple[VaultFacts, ...] | None = None,
    at: datetime = NOW,
) -> Estate:
    return Estate(at, vms, items, (vault(),) if vaults is None else vaults)
