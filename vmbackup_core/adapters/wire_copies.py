"""Machines in slots as Azure reads and writes them: what makes one, and what is seen of it."""

from collections.abc import Iterable
from datetime import datetime

from vmbackup_core.adapters.wire import Json, at, entries, needed, tags, text, time_at
from vmbackup_core.adapters.wire_machines import parse_vm
from vmbackup_core.domain.drill.facts import (
    AttachedDisk,
    CheckFacts,
    CheckProgress,
    CopyFacts,
    CopySpec,
    GuestCheck,
    InterfaceFacts,
    Thing,
)
from vmbackup_core.domain.facts import Tags

# The interface is made with its machine, by this version of the network's API (AZURE: a VM from
# restored disks); the property is required.
NETWORK_API = "2020-11-01"
TRUSTED_LAUNCH = "TrustedLaunch"


def copy_body(spec: CopySpec) -> Json:
    """
    Return what makes a machine of restored disks (AZURE: a VM from restored disks).

    It has no profile of its own inside, no identity, no public address and no extension, and takes
    disks and interface along when it goes. Azure keeps its boot diagnostics: an account of our own
    would be one more thing to reach.
    """
    system = {**_attached(spec.os_disk), "osType": spec.os_type}
    data = [{**_attached(disk), "lun": disk.lun} for disk in spec.data_disks]
    storage = {"osDisk": system, "dataDisks": data}
    machine: dict[str, Json] = {
        "hardwareProfile": {"vmSize": spec.size},
        "storageProfile": storage | _named("diskControllerType", spec.controller),
        "networkProfile": _network(spec),
        "diagnosticsProfile": {"bootDiagnostics": {"enabled": True}},
    }
    machine |= _named("licenseType", spec.license)
    if spec.ultra:
        machine["additionalCapabilities"] = {"ultraSSDEnabled": True}
    if spec.security:
        machine["securityProfile"] = {
            "securityType": spec.security,
            "uefiSettings": {"secureBootEnabled": spec.secure_boot, "vTpmEnabled": True},
        }
    body: dict[str, Json] = {
        "location": spec.location,
        "tags": dict(spec.tags),
        "properties": machine,
    }
    if spec.zones:
        body["zones"] = list(spec.zones)
    if spec.plan is not None:
        plan = spec.plan
        body["plan"] = {
            "publisher": plan.publisher,
            "product": plan.product,
            "name": plan.name,
        }
    return body


def _attached(disk: AttachedDisk) -> dict[str, Json]:
    return {
        "createOption": "Attach",
        "deleteOption": "Delete",
        "managedDisk": {"id": disk.disk_id},
    } | _named("caching", disk.caching)


def _network(spec: CopySpec) -> Json:
    address = {"name": "ip", "properties": {"subnet": {"id": spec.slot.subnet_id}}}
    nic: dict[str, Json] = {
        "primary": True,
        "deleteOption": "Delete",
        "ipConfigurations": [address],
    }
    if spec.network_security_group:
        nic["networkSecurityGroup"] = {"id": spec.network_security_group}
    return {
        "networkApiVersion": NETWORK_API,
        "networkInterfaceConfigurations": [{"name": f"{spec.name}-nic", "properties": nic}],
    }


def _named(name: str, value: str) -> dict[str, Json]:
    return {name: value} if value else {}


def check_body(location: str, check: GuestCheck) -> Json:
    """Return what runs a script; its operation lasts as long as the script (recorded)."""
    return {
        "location": location,
        "properties": {
            "source": {"script": check.script},
            "asyncExecution": False,
            "timeoutInSeconds": int(check.timeout.total_seconds()),
        },
    }


def parse_copy(body: Json, interfaces: Iterable[InterfaceFacts], protected_in: str) -> CopyFacts:
    """Read a machine as `GET …?$expand=instanceView` answers it, with what else was read of it."""
    seen, properties = parse_vm(body), at(body, "properties")
    view = at(properties, "instanceView")
    status = next(iter(_failures(view)), None)
    return CopyFacts(
        id=needed(body, "id").lower(),
        machine=seen.machine,
        provisioning=seen.provisioning,
        power=seen.power,
        agent=seen.agent,
        tags=seen.tags,
        created=time_at(properties, "timeCreated"),
        heartbeat=_heartbeat(view),
        identities=_identities(at(body, "identity")),
        extensions=_extensions(body, view),
        interfaces=tuple(interfaces),
        protected_in=protected_in,
        code=text(status, "code").rpartition("/")[2],
        message=text(status, "message") or text(status, "displayStatus"),
    )


def interface_ids(body: Json) -> tuple[str, ...]:
    """Return the ids of a machine's interfaces, as it names them."""
    listed = entries(body, "properties", "networkProfile", "networkInterfaces")
    return tuple(needed(one, "id") for one in listed)


def parse_interface(body: Json) -> InterfaceFacts:
    """
    Read an interface (specification: network interfaces 2024-03-01).

    It counts as public where anything leads in from outside: an address, or a place behind a load
    balancer or an application gateway.
    """
    nic = at(body, "properties")
    addresses = [at(one, "properties") for one in entries(nic, "ipConfigurations")]
    return InterfaceFacts(
        id=needed(body, "id").lower(),
        subnet_ids=tuple(text(one, "subnet", "id").lower() for one in addresses),
        public=any(at(one, name) for one in addresses for name in _WAYS_IN),
        network_security_group=text(nic, "networkSecurityGroup", "id").lower(),
        forwards=at(nic, "enableIPForwarding") is True,
    )


_WAYS_IN = (
    "publicIPAddress",
    "loadBalancerBackendAddressPools",
    "loadBalancerInboundNatRules",
    "applicationGatewayBackendAddressPools",
)


def parse_thing(body: Json) -> Thing:
    """Read an entry of a group's list of resources."""
    return Thing(
        id=needed(body, "id").lower(),
        type=needed(body, "type").lower(),
        tags=Tags.of(tags(body)),
    )


def _failures(view: Json) -> Iterable[Json]:
    """Return the statuses that tell of a failed provisioning (`ProvisioningState/failed/…`)."""
    statuses = entries(view, "statuses")
    return (s for s in statuses if text(s, "code").lower().startswith("provisioningstate/failed"))


def _heartbeat(view: Json) -> datetime | None:
    ready = (
        time_at(status, "time")
        for status in entries(view, "vmAgent", "statuses")
        if text(status, "displayStatus").lower() == "ready"
    )
    return max(filter(None, ready), default=None)


def _identities(node: Json) -> tuple[str, ...]:
    """Return a machine's identities: the word for its own one, and the ids of those it was lent."""
    kinds = [kind.strip() for kind in text(node, "type").split(",")]
    own = [kind for kind in kinds if kind and kind.lower() not in ("none", "userassigned")]
    lent = at(node, "userAssignedIdentities")
    named = sorted(str(name).lower() for name in lent) if isinstance(lent, dict) else []
    unnamed = ["UserAssigned"] if "userassigned" in map(str.lower, kinds) and not named else []
    return tuple(own + named + unnamed)


def _extensions(body: Json, view: Json) -> tuple[str, ...]:
    """Return the names of a machine's extensions, from both places that tell of them."""
    listed = [*entries(body, "resources"), *entries(view, "extensions")]
    return tuple(sorted({text(one, "name") or text(one, "id") for one in listed}))


_ENDS = {
    "succeeded": CheckProgress.ENDED,
    "failed": CheckProgress.ENDED,
    "timedout": CheckProgress.TIMED_OUT,
    "canceled": CheckProgress.UNREACHABLE,
}
_GIVEN_UP = frozenset({"failed", "canceled"})


def parse_check(body: Json) -> CheckFacts:
    """
    Read a run command as `GET …?$expand=instanceView` answers it.

    A script that failed leaves the command Succeeded: only its exit code tells (recorded). A
    command that itself failed never reached the script, or lost it.
    """
    command = at(body, "properties")
    view = at(command, "instanceView")
    state = text(view, "executionState").lower()
    code = at(view, "exitCode")
    given_up = text(command, "provisioningState").lower() in _GIVEN_UP
    progress = _ENDS.get(state)
    if progress is None:
        progress = CheckProgress.UNREACHABLE if given_up else CheckProgress.RUNNING
    if progress is CheckProgress.ENDED and not isinstance(code, int):
        progress = CheckProgress.UNREACHABLE  # It never came as far as to have a code.
    return CheckFacts(
        progress=progress,
        exit_code=code if isinstance(code, int) else None,
        output=text(view, "output"),
        error=text(view, "error"),
        message=text(view, "executionMessage"),
    )
