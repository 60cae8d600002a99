"""
What a restore of disks leaves written about its machine: a configuration and a template, as blobs.

The configuration is UTF-16 JSON with NULs at its end and keys such as `properties.storageProfile`
(documented); what else stands in either blob is known from few examples. So what makes no sense is
left out, in whatever way it is odd: that it is missing is then found by who compares the disks.
"""

import json
from collections.abc import Mapping
from dataclasses import fields, replace
from operator import attrgetter

from vmbackup_core.adapters.wire import Json, at, entries, text
from vmbackup_core.domain.drill.facts import Plan, Recipe, RecipeDisk

_MARKS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16", b"\xef\xbb\xbf": "utf-8-sig"}
_DOTTED = "properties."
_MACHINE = "microsoft.compute/virtualmachines"


def parse_recipe(config: bytes | None, template: bytes | None) -> Recipe:
    """Read both blobs: the configuration counts, the template fills what it leaves open."""
    first, second = _recipe(_configured(config)), _recipe(_templated(template))
    gaps = {
        field.name: getattr(second, field.name)
        for field in fields(first)
        if getattr(first, field.name) in ("", None, ())
    }
    told = first.disks_told or second.disks_told
    both = {"disks": _merged(first, second), "disks_told": told}
    return replace(first, **{**gaps, **both})


def _merged(configured: Recipe, templated: Recipe) -> tuple[RecipeDisk, ...]:
    """
    Fill the gaps of the configured disks from those of the template.

    Where none are configured, or not all are told and the template tells all, the template counts.
    """
    first, second = configured.disks, templated.disks
    if not first or (templated.disks_told and not configured.disks_told):
        return second
    by_lun = {disk.lun: disk for disk in second}
    return tuple(
        RecipeDisk(
            lun=disk.lun,
            size_gb=disk.size_gb if disk.size_gb is not None else other.size_gb,
            caching=disk.caching or other.caching,
            disk_id=disk.disk_id or other.disk_id,
            name=disk.name or other.name,
            encryption_set=disk.encryption_set or other.encryption_set,
        )
        for disk in first
        for other in [by_lun.get(disk.lun, disk)]
    )


def _configured(blob: bytes | None) -> Json:
    """Return the machine that the configuration describes, its dotted keys taken apart."""
    flat = _decoded(blob)
    if not isinstance(flat, Mapping):
        return None
    dotted = {key: value for key, value in flat.items() if key.startswith(_DOTTED)}
    properties = {key.removeprefix(_DOTTED): value for key, value in dotted.items()}
    nested = flat.get("properties")
    return {**flat, "properties": {**(nested if isinstance(nested, Mapping) else {}), **properties}}


def _templated(blob: bytes | None) -> Json:
    """Return the one machine among the resources of the template."""
    resources = entries(_decoded(blob), "resources")
    return next((one for one in resources if text(one, "type").lower() == _MACHINE), None)


def _decoded(blob: bytes | None) -> Json:
    """Return a blob's JSON, its keys in lower case, None where it is none in a usual encoding."""
    if not blob:
        return None
    encoding = next((name for mark, name in _MARKS.items() if blob.startswith(mark)), "")
    if not encoding:
        encoding = "utf-16-le" if blob[1:2] == b"\x00" else "utf-8"
    if encoding.startswith("utf-16"):
        blob = blob[: len(blob) // 2 * 2]  # One NUL too many.
    try:
        return _lowered(json.loads(blob.decode(encoding).strip("\x00 \r\n\t")))
    except (ValueError, RecursionError):
        return None


def _lowered(node: Json) -> Json:
    """Return JSON with its keys in lower case: whose case the blobs keep is not known."""
    if isinstance(node, Mapping):
        return {str(key).lower(): _lowered(value) for key, value in node.items()}
    return [_lowered(one) for one in node] if isinstance(node, list) else node


def _recipe(machine: Json) -> Recipe:
    properties = at(machine, "properties")
    storage = at(properties, "storageprofile")
    system = at(storage, "osdisk")
    security = at(properties, "securityprofile")
    secure = at(security, "uefisettings", "securebootenabled")
    return Recipe(
        size=_said(properties, "hardwareprofile", "vmsize"),
        os_type=_said(system, "ostype"),
        os_caching=_said(system, "caching"),
        os_disk_id=_said(system, "manageddisk", "id").lower(),
        os_size_gb=_number(at(system, "disksizegb")),
        os_encryption_set=_encryption_set(system),
        disks=_disks(storage),
        disks_told=_tells_disks(storage),
        generation=_said(properties, "hypervgeneration"),
        security=_known(_said(security, "securitytype")),
        license=_known(_said(properties, "licensetype")),
        plan=_plan(at(machine, "plan")),
        zones=tuple(zone for zone in entries(machine, "zones") if _plain(zone)),
        secure_boot=secure if isinstance(secure, bool) else None,
    )


def _disks(storage: Json) -> tuple[RecipeDisk, ...]:
    found = [
        RecipeDisk(
            lun=lun,
            size_gb=_number(at(disk, "disksizegb")),
            caching=_said(disk, "caching"),
            disk_id=_said(disk, "manageddisk", "id").lower(),
            name=_said(disk, "name"),
            encryption_set=_encryption_set(disk),
        )
        for disk in entries(storage, "datadisks")
        if (lun := _number(at(disk, "lun"))) is not None
    ]
    return tuple(sorted(found, key=attrgetter("lun")))


def _tells_disks(storage: Json) -> bool:
    """Whether the data disks are listed, each with its place; an empty list says that none were."""
    listed = at(storage, "datadisks")
    if not isinstance(listed, list):
        return False
    return all(_number(at(disk, "lun")) is not None for disk in listed)


def _encryption_set(disk: Json) -> str:
    return _said(disk, "manageddisk", "diskencryptionset", "id").lower()


def _said(node: Json, *path: str) -> str:
    """Return the text at `path`, "" where it is an expression of a template."""
    found = text(node, *path)
    return found if _plain(found) else ""


def _plain(node: Json) -> bool:
    return isinstance(node, str) and bool(node) and not node.startswith("[")


def _known(word: str) -> str:
    return "" if word.lower() in ("none", "standard") else word


def _number(node: Json) -> int | None:
    return node if isinstance(node, int) and not isinstance(node, bool) else None


def _plan(node: Json) -> Plan | None:
    parts = [_said(node, name) for name in ("publisher", "product", "name")]
    return Plan(*parts) if all(parts) else None
