"""
Entities as the Table service writes and reads them: JSON, with types where it would lose them.

Source: "Payload format for Table service operations" of the REST reference.
"""

import base64
import binascii
import math
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from azsim.http import ArmError, Request
from azsim.table_filter import Comparable, Edm, Value, read_datetime
from azsim.tables import Entity
from azsim.ticks import iso

MINIMAL_METADATA = "application/json;odata=minimalmetadata;streaming=true;charset=utf-8"
NO_METADATA = "application/json;odata=nometadata;streaming=true;charset=utf-8"


def no_metadata(request: Request) -> bool:
    return "odata=nometadata" in (request.header("accept") or "")


def json_type(request: Request) -> dict[str, str]:
    return {"Content-Type": NO_METADATA if no_metadata(request) else MINIMAL_METADATA}


# models table-payload
def entity_out(request: Request, entity: Entity, metadata: str | None) -> dict[str, Any]:
    plain = no_metadata(request)
    out: dict[str, Any] = {}
    if not plain:
        if metadata:
            out["odata.metadata"] = metadata
        out["odata.etag"] = entity.etag
    out |= {
        "PartitionKey": entity.key[0],
        "RowKey": entity.key[1],
        "Timestamp": iso(entity.ticks),
    }
    for name, value in entity.properties.items():
        wire, annotated = _value_out(value)
        if annotated and not plain:
            out[f"{name}@odata.type"] = value.edm.value
        out[name] = wire
    if wanted := request.query.get("$select"):
        names = {name.strip() for name in wanted.split(",")}
        out = {
            name: value
            for name, value in out.items()
            if name.startswith("odata.") or name.removesuffix("@odata.type") in names
        }
    return out


def _value_out(value: Value) -> tuple[Any, bool]:
    """Return the JSON of a value and whether its type must be said beside it."""
    match value.value:
        case bytes(content):
            return base64.b64encode(content).decode(), True
        case datetime() as when:
            return f"{when:%Y-%m-%dT%H:%M:%S.%f}".rstrip("0").rstrip(".") + "Z", True
        case UUID() as guid:
            return str(guid), True
        case float(number) if not math.isfinite(number):
            return _DOUBLE_NAMES[str(number)], True
        case int(number) if value.edm is Edm.INT64:
            return str(number), True
    return value.value, False


_DOUBLE_NAMES = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}


def properties_in(sent: Mapping[str, Any]) -> Iterator[tuple[str, Value]]:
    """Yield what is stored: null is not, keys and Timestamp are the service's own."""
    for name, wire in sent.items():
        system = name in ("PartitionKey", "RowKey", "Timestamp") or name.startswith("odata.")
        if system or name.endswith("@odata.type") or wire is None:
            continue
        said = sent.get(f"{name}@odata.type")
        yield name, _value_in(Edm(said) if said else _natural(wire), wire)


def _natural(wire: Any) -> Edm:
    for kind, edm in (
        (bool, Edm.BOOLEAN),
        (int, Edm.INT32),
        (float, Edm.DOUBLE),
        (str, Edm.STRING),
    ):
        if isinstance(wire, kind):
            return edm
    raise invalid_input()


def _value_in(edm: Edm, wire: Any) -> Value:
    try:
        value: Comparable = _READERS[edm](wire)
    except (ValueError, TypeError, binascii.Error):
        raise invalid_input() from None
    if (
        edm in _INTEGER_BITS
        and not -(1 << _INTEGER_BITS[edm]) <= int(wire) < 1 << _INTEGER_BITS[edm]
    ):
        raise invalid_input()
    return Value(edm, value)


_INTEGER_BITS = {Edm.INT32: 31, Edm.INT64: 63}
_READERS: Mapping[Edm, Any] = {
    Edm.STRING: str,
    Edm.INT32: int,
    Edm.INT64: int,
    Edm.DOUBLE: float,
    Edm.BOOLEAN: bool,
    Edm.DATETIME: read_datetime,
    Edm.GUID: UUID,
    Edm.BINARY: base64.b64decode,
}


def invalid_input() -> ArmError:
    return ArmError(400, "InvalidInput", "One of the request inputs is not valid.")
