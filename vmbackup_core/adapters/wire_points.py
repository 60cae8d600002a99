"""Recovery points as Azure writes them."""

from vmbackup_core.adapters.wire import Json, at, entries, needed, text, time_at
from vmbackup_core.domain.drill.points import Consistency, PointFacts, PointTier
from vmbackup_core.domain.errors import Malformed

# `Rehydrated` is a point of the archive that can be read for some days: then its copy in the vault
# is listed as valid beside it, and only that counts here.
_VALID = "valid"
_VM_POINT = "iaasvmrecoverypoint"


def is_vm_point(body: Json) -> bool:
    return text(body, "properties", "objectType").lower() == _VM_POINT


def parse_point(body: Json) -> PointFacts:
    """
    Read one recovery point of a VM, as GET and list answer it.

    An aged-out snapshot stays listed as `InstantRP: Deleted`, so a tier counts only while it is
    valid (AZURE: restore). Raises Malformed for one without a name or a time.
    """
    point = at(body, "properties")
    taken = time_at(point, "recoveryPointTime")
    if taken is None:
        raise Malformed("a recovery point without recoveryPointTime")
    kind = text(point, "recoveryPointType").lower()
    lives = at(point, "recoveryPointProperties")
    return PointFacts(
        id=needed(body, "name"),
        taken=taken,
        consistency=next((one for one in Consistency if one.lower() == kind), Consistency.UNKNOWN),
        valid=frozenset(
            tier
            for listed in entries(point, "recoveryPointTierDetails")
            for tier in PointTier
            if text(listed, "type").lower() == tier.lower()
            and text(listed, "status").lower() == _VALID
        ),
        expires=time_at(lives, "expiryTime"),
        soft_deleted=at(lives, "isSoftDeleted") is True,
        size=text(point, "virtualMachineSize"),
        os_type=text(point, "osType"),
        security=_security(text(point, "securityType")),
    )


def _security(raw: str) -> str:
    """Return a kind of security; the service writes "None" for a machine of the ordinary kind."""
    return "" if raw.lower() in ("none", "standard") else raw
