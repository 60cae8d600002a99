"""Machines and disks in slots: the port Copies on ARM."""

from collections.abc import Callable, Mapping

from vmbackup_core.adapters.api_versions import (
    BACKUP,
    DISKS,
    NETWORK_INTERFACES,
    RESOURCES,
    RUN_COMMANDS,
    VIRTUAL_MACHINES,
)
from vmbackup_core.adapters.arm import Arm
from vmbackup_core.adapters.consoles import LINK_LIFE, Consoles
from vmbackup_core.adapters.wire import text
from vmbackup_core.adapters.wire_copies import (
    check_body,
    copy_body,
    interface_ids,
    parse_check,
    parse_copy,
    parse_interface,
    parse_thing,
)
from vmbackup_core.adapters.wire_disks import parse_disk
from vmbackup_core.domain.drill.facts import (
    CheckFacts,
    ConsoleFacts,
    CopyFacts,
    CopySpec,
    DiskFacts,
    GuestCheck,
    Thing,
)
from vmbackup_core.domain.drill.slots import Slot
from vmbackup_core.domain.errors import Denied, Gone, Retryable, Stale
from vmbackup_core.domain.ids import VaultId

_VM = "Microsoft.Compute/virtualMachines"
_DISK = "Microsoft.Compute/disks"
_NIC = "Microsoft.Network/networkInterfaces"
ACTIONS: Mapping[str, tuple[str, ...]] = {
    "list_things": ("Microsoft.Resources/subscriptions/resourceGroups/resources/read",),
    "list_disks": (f"{_DISK}/read",),
    # What Azure asks besides of whoever makes a machine of disks, with an interface on a subnet.
    "create_copy": (
        f"{_VM}/write",
        f"{_DISK}/read",
        f"{_DISK}/write",
        f"{_NIC}/write",
        f"{_NIC}/read",
        f"{_NIC}/join/action",
        "Microsoft.Network/virtualNetworks/subnets/join/action",
        "Microsoft.Network/networkSecurityGroups/join/action",
    ),
    "observe_copy": (
        f"{_VM}/read",
        f"{_VM}/instanceView/read",
        f"{_NIC}/read",
        "Microsoft.RecoveryServices/locations/backupStatus/action",
    ),
    "observe_console": (f"{_VM}/retrieveBootDiagnosticsData/action",),
    "start_check": (f"{_VM}/runCommands/write",),
    "observe_check": (f"{_VM}/runCommands/read",),
    "stop_copy": (f"{_VM}/deallocate/action",),
    "remove": (f"{_VM}/delete", f"{_DISK}/delete", f"{_NIC}/delete"),
}

_REMOVED_WITH: Mapping[str, str] = {
    _VM.lower(): VIRTUAL_MACHINES,
    _DISK.lower(): DISKS,
    _NIC.lower(): NETWORK_INTERFACES,
}
_VIEW = {"$expand": "instanceView"}


class AzureCopies:
    """The port Copies: looks through the reader's eyes, makes and removes as the restorer."""

    def __init__(self, reader: Arm, restorer: Arm, consoles: Consoles) -> None:
        self._reader = reader
        self._restorer = restorer
        self._consoles = consoles

    def list_things(self, slot: Slot) -> tuple[Thing, ...]:
        """List the group's resources, whatever their type; Gone where there is no such group."""
        doing = f"listing what lies in {slot.group}"
        listed = self._reader.pages(f"{slot.id}/resources", RESOURCES, doing)
        return _in_group(slot, lambda: tuple(parse_thing(one) for one in listed))

    def list_disks(self, slot: Slot) -> tuple[DiskFacts, ...]:
        doing = f"listing the disks in {slot.group}"
        listed = self._reader.pages(f"{slot.id}/providers/{_DISK}", DISKS, doing)
        return _in_group(slot, lambda: tuple(parse_disk(one) for one in listed))

    def create_copy(self, spec: CopySpec) -> None:
        """Send the machine once, on condition that none of its name is there."""
        self._restorer.put(
            _machine(spec.slot, spec.name),
            VIRTUAL_MACHINES,
            f"making {spec.name} of restored disks",
            copy_body(spec),
            {"If-None-Match": "*"},
        )

    def observe_copy(self, slot: Slot, name: str, *, closely: bool = True) -> CopyFacts | None:
        """Read the machine and, `closely`, each of its interfaces and where it is backed up."""
        doing = f"reading {name}"
        found = self._reader.find(_machine(slot, name), VIRTUAL_MACHINES, doing, _VIEW)
        if found is None:
            return None
        if not closely:
            return parse_copy(found, (), "")
        interfaces = [
            parse_interface(self._reader.get(nic, NETWORK_INTERFACES, f"{doing}'s interface"))
            for nic in interface_ids(found)
        ]
        return parse_copy(found, interfaces, self._protected_in(slot, name))

    def _protected_in(self, slot: Slot, name: str) -> str:
        path = (
            f"/subscriptions/{slot.place.subscription}/providers/Microsoft.RecoveryServices"
            f"/locations/{slot.place.location}/backupStatus"
        )
        question = {"resourceType": "VM", "resourceId": _machine(slot, name)}
        doing = f"asking where {name} is protected"
        vault = text(self._reader.post(path, BACKUP, doing, question).body, "vaultId")
        return str(VaultId.parse(vault)) if vault else ""

    def observe_console(self, slot: Slot, name: str) -> ConsoleFacts:
        minutes = int(LINK_LIFE.total_seconds()) // 60
        doing = f"asking for the console of {name}"
        links = self._restorer.post(
            f"{_machine(slot, name)}/retrieveBootDiagnosticsData",
            VIRTUAL_MACHINES,
            doing,
            params={"sasUriExpirationTimeInMinutes": str(minutes)},
        ).body
        log = text(links, "serialConsoleLogBlobUri")
        picture = text(links, "consoleScreenshotBlobUri")
        return ConsoleFacts(
            log=self._consoles.read_log(log) if log else None,
            screenshot=self._consoles.read_picture(picture) if picture else None,
        )

    def start_check(self, slot: Slot, name: str, location: str, check: GuestCheck) -> None:
        doing = f"running {check.name} on {name}"
        path = f"{_machine(slot, name)}/runCommands/{check.name}"
        self._restorer.put(path, RUN_COMMANDS, doing, check_body(location, check))

    def observe_check(self, slot: Slot, name: str, check: str) -> CheckFacts | None:
        path = f"{_machine(slot, name)}/runCommands/{check}"
        doing = f"reading what became of {check} on {name}"
        found = self._reader.find(path, RUN_COMMANDS, doing, _VIEW)
        return None if found is None else parse_check(found)

    def stop_copy(self, slot: Slot, name: str) -> None:
        """Deallocate the machine; one that is gone does not run either."""
        path = f"{_machine(slot, name)}/deallocate"
        try:
            self._restorer.act(path, VIRTUAL_MACHINES, f"stopping {name}")
        except Stale as error:
            if error.status != 404:
                raise

    def remove(self, slot: Slot, thing: Thing) -> None:
        """Remove a machine, a disk or an interface of the slot; raises Denied for all else."""
        version = _REMOVED_WITH.get(thing.type.lower())
        inside = f"{slot.id}/providers/{thing.type}/{thing.name}".lower()
        if version is None or thing.id.lower() != inside:
            raise Denied(f"{thing.id} is nothing that a restore test may remove from {slot.group}")
        self._restorer.delete(thing.id, version, f"removing {thing.name}")


def _machine(slot: Slot, name: str) -> str:
    return f"{slot.id}/providers/{_VM}/{name}"


def _in_group[T](slot: Slot, read: Callable[[], T]) -> T:
    """
    Return what is read; raises Gone where the slot's group is not there.

    Only where ARM says just that: whoever takes any other 404 for it, takes a slot for empty.
    """
    try:
        return read()
    except Stale as error:
        if error.status != 404:
            raise
        if error.code != "ResourceGroupNotFound":
            raise Retryable(str(error), code=error.code, status=error.status) from error
        gone = f"there is no resource group {slot.group}"
        raise Gone(gone, code=error.code, status=error.status) from error
