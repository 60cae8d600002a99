"""Restores of disks into slots: the port Restoring on ARM."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from vmbackup_core.adapters.api_versions import BACKUP
from vmbackup_core.adapters.arm import Arm, Reply
from vmbackup_core.adapters.wire_restores import (
    RESTORE,
    is_restore,
    item_path,
    operation_id,
    parse_restore,
    parse_validation,
    restore_body,
    validation_body,
)
from vmbackup_core.adapters.wire_work import jobs_filter
from vmbackup_core.domain.drill.facts import RestoreFacts, RestoreOrder, ValidationFacts
from vmbackup_core.domain.drill.slots import Slot
from vmbackup_core.domain.errors import Denied, Malformed, Retryable
from vmbackup_core.domain.ids import VaultId

if TYPE_CHECKING:
    from vmbackup_core.ports import Clock

_RS = "Microsoft.RecoveryServices/vaults"
_ITEMS = f"{_RS}/backupFabrics/protectionContainers/protectedItems"
ACTIONS: Mapping[str, tuple[str, ...]] = {
    "validate_restore": (f"{_RS}/backupTriggerValidateOperation/action",),
    "observe_validation": (f"{_RS}/backupValidateOperationsStatuses/read",),
    # Azure wants the rights to write and to read the source VM of whoever restores it, as well as
    # those to write the target group and the staging account; the last gate lets no such write
    # through.
    "start_restore": (
        f"{_ITEMS}/recoveryPoints/restore/action",
        "Microsoft.Compute/virtualMachines/write",
        "Microsoft.Compute/virtualMachines/read",
        "Microsoft.Resources/subscriptions/resourceGroups/write",
        "Microsoft.Storage/storageAccounts/write",
    ),
    "observe_restores": (f"{_RS}/backupJobs/read",),
    "observe_restore": (f"{_RS}/backupJobs/read",),
    "cancel_restore": (f"{_RS}/backupJobs/read", f"{_RS}/backupJobs/cancel/action"),
}

AHEAD = timedelta(days=1)  # A job list's range wants an end; nothing began after it.


class AzureRestoring:
    """The port Restoring: looks through the reader's eyes, asks and restores as the restorer."""

    def __init__(self, reader: Arm, restorer: Arm, clock: "Clock") -> None:
        self._reader = reader
        self._restorer = restorer
        self._clock = clock

    def validate_restore(self, order: RestoreOrder) -> str:
        doing = f"asking whether {order.vm.name} can be restored"
        path = f"{order.vault}/backupTriggerValidateOperation"
        reply = self._restorer.post(path, BACKUP, doing, validation_body(order))
        return _operation(reply, doing)

    def observe_validation(self, operation: str) -> ValidationFacts:
        """Read the validation at its URL, as it was given; Malformed for one elsewhere."""
        if not self._restorer.ours(operation):
            raise Malformed("an operation's URL that leads to another host than ARM's")
        return parse_validation(self._restorer.send("GET", operation, "reading a validation").body)

    def start_restore(self, order: RestoreOrder) -> str:
        """Send the restore once; where its answer names no job, it may run all the same."""
        doing = f"restoring the disks of {order.vm.name}"
        item = item_path(order).replace(";", "%3B")  # As recorded.
        path = f"{item}/recoveryPoints/{order.point}/restore"
        reply = self._restorer.act(path, BACKUP, doing, restore_body(order))
        return operation_id(_operation(reply, doing))

    def observe_restores(self, vault: VaultId, since: datetime) -> tuple[RestoreFacts, ...]:
        condition = {"$filter": jobs_filter(since, self._clock.now() + AHEAD, RESTORE)}
        doing = f"listing the restore jobs of {vault.name}"
        listed = self._reader.pages(f"{vault}/backupJobs", BACKUP, doing, condition)
        jobs = (parse_restore(job) for job in listed if is_restore(job))
        return tuple(job for job in jobs if job.started >= since)

    def observe_restore(self, vault: VaultId, job: str) -> RestoreFacts:
        return self._read(self._reader, vault, job)

    def cancel_restore(self, vault: VaultId, job: str) -> None:
        """
        Ask for the cancellation of a restore into a slot; raises Denied for any other job.

        The gate cannot tell one job from another by its id, so it is looked at first.
        """
        target = self._read(self._restorer, vault, job).target_group
        try:
            Slot.parse(f"/subscriptions/{vault.subscription}/resourcegroups/{target}")
        except Malformed:
            raise Denied(f"job {job} restores to {target or 'nowhere'}, which is no slot") from None
        doing = f"cancelling the restore {job}"
        self._restorer.act(f"{vault}/backupJobs/{job}/cancel", BACKUP, doing)

    def _read(self, arm: Arm, vault: VaultId, job: str) -> RestoreFacts:
        found = arm.get(f"{vault}/backupJobs/{job}", BACKUP, f"reading the restore {job}")
        if not is_restore(found):
            raise Denied(f"job {job} of {vault.name} is no restore")
        return parse_restore(found)


def _operation(reply: Reply, doing: str) -> str:
    """Return the URL of the operation that an answer started."""
    if not (url := reply.headers.get("azure-asyncoperation", "")):
        raise Retryable(
            f"{doing}: the answer names no operation", status=reply.status, maybe_done=True
        )
    return url
