import pytest

from vmbackup_core.domain.failures import Reaction, classify_refusal
from vmbackup_core.domain.reasons import Reason

# Messages are Azure's own where AZURE_FACTS has them.
REGISTERED = (
    "Virtual machine is already registered\\registering with another recovery services vault."
    " Please select a different virtual machine for registration."
)


@pytest.mark.parametrize(
    ("code", "message", "answer"),
    [
        (
            "UserErrorGuestAgentStatusUnavailable",
            "VM agent is unable to communicate with the Azure Backup Service.",
            Reaction.WAIT_FOR_AGENT,
        ),
        (
            "BMSUserErrorInvalidConfigureProtectionRequest",
            "Input for configure protection is not in proper format",
            Reaction.REFRESH,
        ),
        (
            "BMSUserErrorObjectLocked",
            "Another operation is in progress on the selected item.",
            Reaction.WAIT,
        ),
        ("", "Another configure protection operation is in progress.", Reaction.WAIT),
        ("DiscoveryInProgress", "", Reaction.WAIT),
        ("UnknownCode", REGISTERED, Reason.IN_ANOTHER_VAULT),
        (
            "VirtualMachineAlreadyProtected",
            "Virtual machine with same name and same resource group is already protected.",
            Reason.IN_ANOTHER_VAULT,
        ),
        (
            "UserErrorMigrationFromTrustedLaunchVMToNonTrustedVMNotAllowed",
            "",
            Reason.RECREATED_IN_THE_WAY,
        ),
        ("UserErrorVmProvisioningStateFailed", "", Reason.VM_FAILED),
        ("ScopeLocked", "", Reason.LOCKED),
        ("RequestDisallowedByPolicy", "", Reason.POLICY_DENIES),
        ("AuthorizationFailed", "", Reason.NO_PERMISSION),
        (
            "SomeCode",
            "ResourceGuard Operation requestid is either null or empty",
            Reason.GUARDED,
        ),
        ("BCMV2VMNotFound", "The virtual machine doesn't exist", Reason.VM_DELETED),
        ("SomeCode", "The item is already in soft-deleted state", Reason.SOFT_DELETED),
        ("SomeCode", "The item is not soft deleted", Reason.REFUSED),
        (
            "SomeCode",
            "The vault has reached the maximum number of virtual machines",
            Reaction.NEXT_VAULT,
        ),
        (
            "SomeCode",
            "The vault protects as many virtual machines as it can",
            Reaction.NEXT_VAULT,
        ),
        ("SomeCode", "The number of items exceeds the vault's capacity", Reaction.NEXT_VAULT),
        (
            "SomeCode",
            "You have reached the limit of 1000 configure protection operations per day",
            Reason.DAILY_LIMIT,
        ),
        (
            "SomeCode",
            "At most 1000 virtual machines can be configured in a vault in a day.",
            Reason.DAILY_LIMIT,
        ),
        (
            "SomeCode",
            "Operation is blocked as you have reached the limit on number of operations permitted"
            " in 24 hours.",
            Reason.DAILY_LIMIT,
        ),
        ("CloudDosAbsoluteLimitReached", "", Reason.DAILY_LIMIT),
        ("SomeCode", "Use an enhanced policy for this virtual machine", Reason.NEEDS_ENHANCED),
        ("SomeCode", "something new", Reason.REFUSED),
        ("", "", Reason.REFUSED),
    ],
)
def test_a_refusal_has_its_meaning(code: str, message: str, answer: Reaction | Reason) -> None:
    assert classify_refusal(code, message) == answer


def test_a_known_code_goes_before_the_words() -> None:
    words = "Another operation is in progress: a resource guard holds it"

    assert classify_refusal("ScopeLocked", words) is Reason.LOCKED
