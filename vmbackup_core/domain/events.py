"""
What happened, as Event Grid tells it: a hint to look at one VM, never a truth about it.

Both schemas (Event Grid's and CloudEvents) reach us as the same few fields. The payload says
neither tags nor location nor whether the VM is new: it is used only for which VM to look at.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vmbackup_core.domain.errors import Malformed
from vmbackup_core.domain.ids import VmId

_TAGS = "/providers/microsoft.resources/tags/"


@dataclass(frozen=True, slots=True)
class VmWritten:
    """A VM was created or changed; which of the two, the event does not say."""

    vm: VmId


@dataclass(frozen=True, slots=True)
class VmTagged:
    """A VM's tags were written through the tags API."""

    vm: VmId


@dataclass(frozen=True, slots=True)
class VmDeleted:
    vm: VmId


@dataclass(frozen=True, slots=True)
class Unrelated:
    """An event about something else, which the subscription's filter let through."""

    operation: str


VmEvent = VmWritten | VmTagged | VmDeleted
Event = VmEvent | Unrelated


def parse_event(event_type: str, subject: str, data: object) -> Event:
    """
    Read one Event Grid event of a subscription's topic.

    The resource is taken from `data.resourceUri`, else from the subject; the operation's name from
    `data.operationName`. Raises Malformed, naming what is wrong, where they make no sense. Whether
    tags name their owner or themselves (`…/providers/Microsoft.Resources/tags/default`) is in no
    recording, so both are read.
    """
    if not isinstance(data, Mapping):
        raise Malformed(f"event data is {type(data).__name__}, not an object")
    resource = _text(data, "resourceUri") or subject
    if not resource:
        raise Malformed("event has neither data.resourceUri nor a subject")
    operation = _text(data, "operationName")
    if not operation:
        raise Malformed(f"event of type {event_type!r} has no data.operationName")
    match operation.lower():
        case "microsoft.resources/tags/write" | "microsoft.resources/tags/delete":
            try:
                return VmTagged(VmId.parse(resource.lower().partition(_TAGS)[0]))
            except Malformed:
                return Unrelated(operation)  # Tags of something else.
        case "microsoft.compute/virtualmachines/write":
            return VmWritten(VmId.parse(resource))
        case "microsoft.compute/virtualmachines/delete":
            return VmDeleted(VmId.parse(resource))
        case _:
            return Unrelated(operation)


def _text(data: Mapping[Any, Any], name: str) -> str:
    value = data.get(name, "")
    if not isinstance(value, str):
        raise Malformed(f"data.{name} is {type(value).__name__}, not a text")
    return value
