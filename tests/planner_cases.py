"""One sight for each reason that the planner returns, named for what the case is about."""

from dataclasses import dataclass

from tests.builders import (
    EXCLUSION,
    FOREIGN_VAULT,
    NOW,
    SECOND_VAULT,
    VAULT,
    WEB,
    bare_vault,
    book,
    item,
    ours,
    policy,
    sight,
    spec,
    unreadable,
    vault,
    vm,
)
from vmbackup_core.domain.facts import ItemState, Power, Provisioning
from vmbackup_core.domain.memory import Memory
from vmbackup_core.domain.plans import (
    ChangePolicy,
    ConfirmProtection,
    CreatePolicy,
    CreateVault,
    EnableProtection,
    ResumeProtection,
    Step,
    Undelete,
)
from vmbackup_core.domain.policies import PolicyKind
from vmbackup_core.domain.protection import Rulebook, Sight
from vmbackup_core.domain.reasons import Reason
from vmbackup_core.domain.rules import OnSoftDeleted, OnStopped, Rule
from vmbackup_core.domain.vaults import UseVault, VaultNaming

BOOK = book()


@dataclass(frozen=True, slots=True)
class Case:
    about: str
    sight: Sight
    reason: Reason
    steps: tuple[Step, ...] = ()
    book: Rulebook = BOOK


SILVER = spec("silver", 14)
LONGER = spec("platinum", 90)
ENHANCED = spec("platinum", 90, kind=PolicyKind.ENHANCED)
CREATING = VaultNaming(create=True)
RESUMING = {"on_stopped": OnStopped.RESUME}
UNDELETING = {"on_soft_deleted": OnSoftDeleted.UNDELETE}
STOPPED, DELETED = ItemState.STOPPED, ItemState.SOFT_DELETED
PLATINUM = vm(tag="platinum")
ENABLE = EnableProtection(WEB, VAULT, "gold")

CASES = (
    # The VM.
    Case("a tagged vm in the vault of its region", sight(), Reason.TO_PROTECT, (ENABLE,)),
    Case(
        "a vm that is off is enabled without waiting",
        sight(vm(power=Power.DEALLOCATED)),
        Reason.TO_PROTECT,
        (ENABLE,),
    ),
    Case(
        "a vm in a failed state is tried: Azure knows best",
        sight(vm(provisioning=Provisioning.FAILED)),
        Reason.TO_PROTECT,
        (ENABLE,),
    ),
    Case(
        "a vm that is being created is waited for",
        sight(vm(provisioning=Provisioning.CREATING)),
        Reason.CREATING,
    ),
    Case(
        "a vm that is being deleted",
        sight(vm(provisioning=Provisioning.DELETING)),
        Reason.VM_DELETED,
    ),
    Case("a vm without the tag", sight(vm(tag=None)), Reason.NOT_ASKED),
    Case("a vm whose tag no rule knows", sight(vm(tag="glod")), Reason.NOT_ASKED),
    Case("a vm that opted out", sight(vm(tag="off")), Reason.OPTED_OUT),
    Case(
        "a protected vm that opted out keeps its backup",
        sight(vm(tag="off"), item()),
        Reason.OPTED_OUT,
    ),
    Case("a protected vm that lost its tag", sight(vm(tag=None), item()), Reason.TAG_LOST),
    Case(
        "a stopped vm that lost its tag",
        sight(vm(tag=None), item(STOPPED)),
        Reason.NOT_ASKED,
        book=book(**RESUMING),
    ),
    Case("a vm in a drill slot", sight(vm(group="vmbackup-drill-westeurope-1")), Reason.EXCLUDED),
    Case(
        "a vm in a drill slot that is somehow protected",
        sight(vm(group="vmbackup-drill-westeurope-1"), item()),
        Reason.EXCLUDED,
    ),
    Case("a vm that cannot be protected", sight(vm(unsupported="32-bit")), Reason.UNSUPPORTED),
    Case(
        "a vm that needs enhanced, with a standard policy",
        sight(vm(needs_enhanced="Ultra disk")),
        Reason.NEEDS_ENHANCED,
    ),
    Case(
        "a vm that needs enhanced, whose vault has such a policy of that name",
        sight(
            vm(needs_enhanced="Ultra disk"),
            vaults=(vault(policy(kind=PolicyKind.ENHANCED)),),
        ),
        Reason.TO_PROTECT,
        (ENABLE,),
    ),
    Case("a restored copy", sight(vm(restored_by="job-1")), Reason.RESTORED_COPY),
    Case(
        "a restored copy that a rule asks for",
        sight(vm(restored_by="job-1")),
        Reason.TO_PROTECT,
        (ENABLE,),
        book(rules=(Rule("gold", values=("gold",), restored_copies=True),)),
    ),
    Case(
        "a restored copy does not get the deleted backup of its name back",
        sight(vm(restored_by="job-1"), item(DELETED, policy="")),
        Reason.RESTORED_COPY,
        book=book(**UNDELETING),
    ),
    Case(
        "a vm whose disks were replaced by its own restore",
        sight(vm(restored_by="job-1"), item()),
        Reason.PROTECTED,
    ),
    Case(
        "a vm that is being created over a deleted backup is waited for",
        sight(vm(provisioning=Provisioning.CREATING), item(DELETED, policy="")),
        Reason.CREATING,
        book=book(**UNDELETING),
    ),
    Case(
        "a vm re-created under the same name",
        sight(vm(machine="new"), item(exclusion=EXCLUSION), memory=ours(machine="old")),
        Reason.TO_CONFIRM,
        (ConfirmProtection(WEB, VAULT, "gold", EXCLUSION),),
    ),
    Case(
        "a vm re-created under the same name, before we look at its policy",
        sight(vm(machine="new"), item(policy="silver"), memory=ours("silver", machine="old")),
        Reason.TO_CONFIRM,
        (ConfirmProtection(WEB, VAULT, "silver"),),
        book(SILVER),
    ),
    # The item.
    Case("protected as asked", sight(vm(), item()), Reason.PROTECTED),
    Case("policy names compare without case", sight(vm(), item(policy="GOLD")), Reason.PROTECTED),
    Case("protected as asked by somebody else", sight(vm(), item()), Reason.PROTECTED),
    Case(
        "another policy, which we set, and the new one keeps more",
        sight(
            PLATINUM,
            item(exclusion=EXCLUSION),
            vaults=(vault(policy(), LONGER.as_facts()),),
            memory=ours(),
        ),
        Reason.TO_CHANGE_POLICY,
        (ChangePolicy(WEB, VAULT, "platinum", EXCLUSION),),
        book(LONGER),
    ),
    Case(
        "another policy, which we set, and the vault lacks the new one",
        sight(PLATINUM, item(), memory=ours()),
        Reason.TO_CHANGE_POLICY,
        (CreatePolicy(VAULT, LONGER), ChangePolicy(WEB, VAULT, "platinum")),
        book(LONGER),
    ),
    Case(
        "another policy, which somebody else set",
        sight(PLATINUM, item()),
        Reason.OTHER_POLICY,
        book=book(LONGER),
    ),
    Case(
        "another policy, which somebody else set after us",
        sight(PLATINUM, item(), memory=ours("silver")),
        Reason.OTHER_POLICY,
        book=book(LONGER, SILVER),
    ),
    Case(
        "a policy of the name that we set, in another vault than ours was",
        sight(PLATINUM, item(), memory=ours(vault=str(SECOND_VAULT))),
        Reason.OTHER_POLICY,
        book=book(LONGER),
    ),
    Case(
        "another policy, which we set, and the new one keeps less",
        sight(vm(tag="silver"), item(), memory=ours()),
        Reason.WOULD_WEAKEN,
        book=book(SILVER),
    ),
    Case(
        "another policy, whose name in this vault means less than configured",
        sight(PLATINUM, item(), vaults=(vault(policy(), policy("platinum", 7)),), memory=ours()),
        Reason.WOULD_WEAKEN,
        book=book(LONGER),
    ),
    Case(
        "another policy, and the present one cannot be read",
        sight(PLATINUM, item(), vaults=(vault(unreadable("gold")),), memory=ours()),
        Reason.WOULD_WEAKEN,
        book=book(LONGER),
    ),
    Case(
        "another policy, and the vault does not show the present one",
        sight(PLATINUM, item(), vaults=(bare_vault(),), memory=ours()),
        Reason.WOULD_WEAKEN,
        book=book(LONGER),
    ),
    Case(
        "standard to enhanced",
        sight(PLATINUM, item(), memory=ours()),
        Reason.TO_CHANGE_POLICY,
        (CreatePolicy(VAULT, ENHANCED), ChangePolicy(WEB, VAULT, "platinum")),
        book(ENHANCED),
    ),
    Case(
        "enhanced to standard",
        sight(
            vm(),
            item(policy="platinum"),
            vaults=(vault(policy(), ENHANCED.as_facts()),),
            memory=ours("platinum"),
        ),
        Reason.ENHANCED_TO_STANDARD,
        book=book(ENHANCED),
    ),
    Case(
        "protected in a vault that is not ours",
        sight(vm(), item(vault=FOREIGN_VAULT)),
        Reason.IN_ANOTHER_VAULT,
    ),
    Case(
        "stopped in a vault that is not ours",
        sight(vm(), item(STOPPED, vault=FOREIGN_VAULT)),
        Reason.IN_ANOTHER_VAULT,
        book=book(**RESUMING),
    ),
    Case("stopped", sight(vm(), item(STOPPED, policy="")), Reason.PROTECTION_STOPPED),
    Case(
        "stopped, to be resumed",
        sight(vm(), item(STOPPED, policy="", exclusion=EXCLUSION)),
        Reason.TO_RESUME,
        (ResumeProtection(WEB, VAULT, "gold", EXCLUSION),),
        book(**RESUMING),
    ),
    Case(
        "stopped, because we undeleted it",
        sight(vm(), item(STOPPED, policy=""), memory=Memory(undeleted=True)),
        Reason.TO_RESUME,
        (ResumeProtection(WEB, VAULT, "gold"),),
    ),
    Case(
        "stopped or suspended under a policy that keeps more than the asked one",
        sight(
            vm(tag="silver"),
            item(STOPPED),
            vaults=(vault(policy(), SILVER.as_facts()),),
        ),
        Reason.WOULD_WEAKEN,
        book=book(SILVER, **RESUMING),
    ),
    Case(
        "stopped, and we remember a policy that kept more than the asked one",
        sight(
            vm(tag="silver"),
            item(STOPPED, policy=""),
            vaults=(vault(policy(), SILVER.as_facts()),),
            memory=ours(),
        ),
        Reason.WOULD_WEAKEN,
        book=book(SILVER, **RESUMING),
    ),
    Case(
        "stopped under the asked policy, which we cannot read",
        sight(vm(), item(STOPPED), vaults=(vault(unreadable("gold")),)),
        Reason.TO_RESUME,
        (ResumeProtection(WEB, VAULT, "gold"),),
        book(**RESUMING),
    ),
    Case(
        "suspended under an enhanced policy, asked for a standard one",
        sight(
            vm(), item(STOPPED, policy="platinum"), vaults=(vault(policy(), ENHANCED.as_facts()),)
        ),
        Reason.ENHANCED_TO_STANDARD,
        book=book(ENHANCED, **RESUMING),
    ),
    Case("soft-deleted", sight(vm(), item(DELETED, policy="")), Reason.SOFT_DELETED),
    Case(
        "soft-deleted, to be undeleted",
        sight(vm(), item(DELETED, policy="", exclusion=EXCLUSION)),
        Reason.TO_UNDELETE,
        (Undelete(WEB, VAULT, EXCLUSION), ResumeProtection(WEB, VAULT, "gold", EXCLUSION)),
        book(**UNDELETING),
    ),
    Case(
        "soft-deleted in a vault that we would not choose",
        sight(vm(), item(DELETED, vault=FOREIGN_VAULT)),
        Reason.TO_PROTECT,
        (ENABLE,),
    ),
    Case(
        "soft-deleted in one vault and live in another",
        sight(vm(), item(DELETED), item(vault=SECOND_VAULT)),
        Reason.PROTECTED,
    ),
    Case(
        "in error after it worked",
        sight(vm(), item(ItemState.ERROR, last_backup=NOW)),
        Reason.ITEM_ERROR,
    ),
    Case(
        "in error and never backed up",
        sight(vm(), item(ItemState.ERROR)),
        Reason.TO_PROTECT,
        (ConfirmProtection(WEB, VAULT, "gold"),),
    ),
    Case("in a state nobody knows", sight(vm(), item(ItemState.UNKNOWN)), Reason.ITEM_ERROR),
    # The surroundings.
    Case(
        "the policy is missing",
        sight(vaults=(bare_vault(),)),
        Reason.TO_PROTECT,
        (CreatePolicy(VAULT, spec()), ENABLE),
    ),
    Case(
        "the policy is there and differs from the configured one: it is left alone",
        sight(vaults=(vault(policy(days=7)),)),
        Reason.TO_PROTECT,
        (ENABLE,),
    ),
    Case("the vault is missing", sight(vaults=()), Reason.NO_VAULT),
    Case(
        "the vault is missing and may be made",
        sight(vaults=()),
        Reason.TO_PROTECT,
        (
            CreateVault(VAULT, "westeurope", "GeoRedundant"),
            CreatePolicy(VAULT, spec()),
            ENABLE,
        ),
        book(naming=CREATING),
    ),
    Case(
        "the vault is being created",
        sight(vaults=(vault(ready=False),)),
        Reason.CREATING,
    ),
    Case(
        "the vault has its thousand vms",
        sight(vaults=(vault(items=1000),)),
        Reason.VAULT_FULL,
    ),
    Case(
        "the first vault is full and there is a second",
        sight(vaults=(vault(items=1000), vault(id=SECOND_VAULT))),
        Reason.TO_PROTECT,
        (EnableProtection(WEB, SECOND_VAULT, "gold"),),
    ),
    Case(
        "every vault is full and the next may be made",
        sight(vaults=(vault(items=1000),)),
        Reason.TO_PROTECT,
        (
            CreateVault(SECOND_VAULT, "westeurope", "GeoRedundant"),
            CreatePolicy(SECOND_VAULT, spec()),
            EnableProtection(WEB, SECOND_VAULT, "gold"),
        ),
        book(naming=CREATING),
    ),
    Case(
        "a configured vault goes before the pattern",
        sight(vaults=(vault(), vault(id=FOREIGN_VAULT))),
        Reason.TO_PROTECT,
        (EnableProtection(WEB, FOREIGN_VAULT, "gold"),),
        book(naming=VaultNaming(use=(UseVault(VAULT.subscription, "westeurope", FOREIGN_VAULT),))),
    ),
    Case(
        "the rule names a policy that nobody configured and no vault has",
        sight(),
        Reason.REFUSED,
        book=book(rules=(Rule("ghost", values=("gold",)),)),
    ),
)
