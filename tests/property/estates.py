"""Any VM with any items, vaults, memory and rules, as Hypothesis draws them."""

from hypothesis import strategies as st

from tests.builders import (
    EXCLUSION,
    FOREIGN_VAULT,
    HERE,
    SECOND_VAULT,
    VAULT,
    WEB,
    book,
    policy,
    spec,
    unreadable,
    vm,
)
from vmbackup_core.domain.facts import (
    Agent,
    ItemFacts,
    ItemState,
    Power,
    Provisioning,
    VaultFacts,
    VmFacts,
)
from vmbackup_core.domain.memory import Memory
from vmbackup_core.domain.policies import PolicyFacts, PolicyKind
from vmbackup_core.domain.protection import Rulebook, Sight
from vmbackup_core.domain.rules import Mode, OnSoftDeleted, OnStopped, Rule
from vmbackup_core.domain.vaults import VaultNaming

NAMES = ("gold", "silver", "platinum")
SPECS = (
    spec("gold", 30),
    spec("silver", 14),
    spec("platinum", 90, kind=PolicyKind.ENHANCED, snapshots=7),
)
VAULT_IDS = (VAULT, SECOND_VAULT, FOREIGN_VAULT)

machines: st.SearchStrategy[VmFacts] = st.builds(
    vm,
    tag=st.sampled_from([*NAMES, *NAMES, "off", "unknown", None]),
    machine=st.sampled_from(["machine-of-web", "another"]),
    provisioning=st.sampled_from([Provisioning.SUCCEEDED, *Provisioning]),
    power=st.sampled_from(Power),
    agent=st.sampled_from(Agent),
    unsupported=st.sampled_from(["", "", "", "32-bit"]),
    needs_enhanced=st.sampled_from(["", "", "", "Ultra disk"]),
    restored_by=st.sampled_from(["", "", "", "job-1"]),
    group=st.sampled_from(["rg-app", "rg-app", "rg-app", "vmbackup-drill-westeurope-1"]),
)

_policies: st.SearchStrategy[PolicyFacts] = st.one_of(
    st.builds(
        policy,
        name=st.sampled_from(NAMES),
        days=st.sampled_from([7, 14, 30, 90]),
        kind=st.sampled_from(PolicyKind),
        snapshots=st.sampled_from([1, 2, 5]),
    ),
    st.builds(unreadable, st.sampled_from(NAMES)),
)


def _vault(index: int) -> st.SearchStrategy[VaultFacts]:
    return st.builds(
        VaultFacts,
        st.just(VAULT_IDS[index]),
        st.just(HERE),
        st.lists(_policies, max_size=3, unique_by=lambda p: p.name).map(tuple),
        st.sampled_from([0, 10, 999, 1000]),
        st.sampled_from([True, True, True, False]),
    )


vaults = st.tuples(*(st.none() | _vault(index) for index in range(3))).map(
    lambda found: tuple(v for v in found if v is not None)
)

memories: st.SearchStrategy[Memory] = st.builds(
    Memory,
    machine=st.sampled_from(["", "machine-of-web", "another"]),
    vault=st.sampled_from(["", *map(str, VAULT_IDS)]),
    policy=st.sampled_from(["", *NAMES]),
    undeleted=st.booleans(),
)

books: st.SearchStrategy[Rulebook] = st.builds(
    lambda copies, stopped, deleted, create: book(
        *SPECS,
        mode=Mode.PROTECT,
        naming=VaultNaming(create=create),
        rules=tuple(Rule(name, values=(name,), restored_copies=copies) for name in NAMES),
        on_stopped=stopped,
        on_soft_deleted=deleted,
    ),
    st.booleans(),
    st.sampled_from(OnStopped),
    st.sampled_from(OnSoftDeleted),
    st.booleans(),
)


@st.composite
def sights(draw: st.DrawFn) -> Sight:
    """Draw one VM with what surrounds it: at most one live item, as the service allows."""
    seen, there = draw(machines), draw(vaults)
    states = st.sampled_from([None, None, *ItemState])
    items: list[ItemFacts] = []
    for place in there:
        state = draw(states)
        live = state in (ItemState.PROTECTED, ItemState.ERROR)
        if state is None or (live and any(i.state in ("protected", "error") for i in items)):
            continue
        names = [p.name for p in place.policies]
        kept = draw(st.sampled_from([*names, "elsewhere"])) if live else ""
        exclusion = draw(st.sampled_from([None, EXCLUSION]))
        items.append(ItemFacts(WEB, place.id, state, kept, exclusion))
    return Sight(
        seen,
        tuple(items),
        there,
        draw(memories),
        frozenset(v.id for v in there[:1] if draw(st.sampled_from([False, False, True]))),
    )
