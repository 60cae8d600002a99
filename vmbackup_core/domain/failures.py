"""
What a refusal of Azure Backup means for the one who asked: a table from code to reaction.

Codes are the service's own words. Where a code is not known for sure (AZURE: not confirmed), the
text decides as well, and what matches nothing is REFUSED with Azure's words passed through.
"""

import re
from enum import Enum, auto

from vmbackup_core.domain.reasons import Reason


class Reaction(Enum):
    """What to do next, where it is not simply to report."""

    WAIT_FOR_AGENT = auto()
    REFRESH = auto()  # The vault does not know the VM yet: let it look, once.
    WAIT = auto()  # Busy: the same request will do later.
    NEXT_VAULT = auto()  # This vault is full: plan without it.


_BY_CODE: dict[str, Reaction | Reason] = {
    "UserErrorGuestAgentStatusUnavailable": Reaction.WAIT_FOR_AGENT,
    "BMSUserErrorInvalidConfigureProtectionRequest": Reaction.REFRESH,
    "BMSUserErrorContainerObjectNotFound": Reaction.REFRESH,
    "BMSUserErrorObjectLocked": Reaction.WAIT,
    "BMSUserErrorConflictingProtectionOperation": Reaction.WAIT,
    "UserErrorBackupOperationInProgress": Reaction.WAIT,
    "DiscoveryInProgress": Reaction.WAIT,
    "CloudInternalError": Reaction.WAIT,
    "InternalServerError": Reaction.WAIT,
    "UserErrorVmProvisioningStateFailed": Reason.VM_FAILED,
    "UserErrorVmNotInDesirableState": Reason.VM_FAILED,
    "VirtualMachineAlreadyProtected": Reason.IN_ANOTHER_VAULT,
    "UserErrorMigrationFromTrustedLaunchVMToNonTrustedVMNotAllowed": Reason.RECREATED_IN_THE_WAY,
    "ScopeLocked": Reason.LOCKED,
    "RequestDisallowedByPolicy": Reason.POLICY_DENIES,
    "UserErrorRequestDisallowedByPolicy": Reason.POLICY_DENIES,
    "AuthorizationFailed": Reason.NO_PERMISSION,
    "LinkedAuthorizationFailed": Reason.NO_PERMISSION,
    "BCMV2VMNotFound": Reason.VM_DELETED,
    "ResourceNotFound": Reason.VM_DELETED,
    "BMSUserErrorDatasourceSoftDeleted": Reason.SOFT_DELETED,
    "CloudDosAbsoluteLimitReached": Reason.DAILY_LIMIT,  # Documented for databases in VMs.
    "CloudDosAbsoluteLimitReachedWithRetry": Reason.DAILY_LIMIT,
}

_MOST = r"(maximum|limit|capacity|as many|no more)"
_THINGS = r"(virtual machines|VMs|items|datasources)"

# Where the code is not confirmed, the words are: first match counts.
_BY_TEXT: tuple[tuple[re.Pattern[str], Reaction | Reason], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), answer)
    for pattern, answer in (
        (r"resource ?guard", Reason.GUARDED),
        (
            r"another recovery services vault|already (registered|protected)",
            Reason.IN_ANOTHER_VAULT,
        ),
        (r"(?<!not )soft.?deleted", Reason.SOFT_DELETED),
        (
            r"(configur\w+|limit|operations) .*(per|in|in a|in the) ?(last )?(day|24)",
            Reason.DAILY_LIMIT,
        ),
        (rf"{_MOST}.*{_THINGS}|{_THINGS}.*{_MOST}", Reaction.NEXT_VAULT),
        (r"another .*operation is (currently )?in progress", Reaction.WAIT),
        (r"VM agent is unable to communicate", Reaction.WAIT_FOR_AGENT),
        (r"enhanced policy|policy.*(V2|enhanced)", Reason.NEEDS_ENHANCED),
    )
)


def classify_refusal(code: str, message: str) -> Reaction | Reason:
    """Return what to do about a refusal, or the reason to report; REFUSED where we cannot tell."""
    if (known := _BY_CODE.get(code)) is not None:
        return known
    return next((answer for words, answer in _BY_TEXT if words.search(message)), Reason.REFUSED)
