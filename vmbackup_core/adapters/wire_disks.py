"""Managed disks as Azure shows them (specification DiskRP 2024-03-02)."""

from vmbackup_core.adapters.wire import Json, at, entries, needed, tags, text, time_at
from vmbackup_core.adapters.wire_machines import restored_by
from vmbackup_core.domain.drill.facts import DiskFacts, Plan
from vmbackup_core.domain.errors import Malformed
from vmbackup_core.domain.facts import Tags


def parse_disk(body: Json) -> DiskFacts:
    """Read one disk, as GET and list answer it; raises Malformed for one without a size."""
    disk = at(body, "properties")
    size = at(disk, "diskSizeGB")
    if not isinstance(size, int):
        raise Malformed(f"a disk without a size: {text(body, 'id')}")
    security = text(disk, "securityProfile", "securityType")
    controllers = text(disk, "supportedCapabilities", "diskControllerTypes")
    return DiskFacts(
        id=needed(body, "id").lower(),
        name=needed(body, "name"),
        size_gb=size,
        tags=Tags.of(tags(body)),
        os_type=text(disk, "osType"),
        generation=text(disk, "hyperVGeneration").upper(),
        security="" if security.lower() == "standard" else security,
        encryption=text(disk, "encryption", "type"),
        encryption_set=text(disk, "encryption", "diskEncryptionSetId").lower(),
        ade=at(disk, "encryptionSettingsCollection", "enabled") is True,
        plan=_plan(at(disk, "purchasePlan")),
        architecture=text(disk, "supportedCapabilities", "architecture"),
        controllers=tuple(filter(None, (one.strip() for one in controllers.split(",")))),
        sku=text(body, "sku", "name"),
        zones=tuple(zone for zone in entries(body, "zones") if isinstance(zone, str)),
        restored_by=restored_by(body).lower(),
        created=time_at(disk, "timeCreated"),
        attached_to=text(body, "managedBy").lower(),
    )


def _plan(node: Json) -> Plan | None:
    parts = [text(node, name) for name in ("publisher", "product", "name")]
    return Plan(*parts) if all(parts) else None
