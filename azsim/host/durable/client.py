"""
What a Durable client may ask of the hub: start, look, raise, terminate, suspend, purge.

Answers follow the extension's HttpApiHandler; refusals are raised as `Refused` with its status.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from azsim.clock import Clock
from azsim.host.durable.asking import unknown_orchestrator
from azsim.host.durable.engine import Engine, already_exists
from azsim.host.durable.history import Event, Kind, event, parsed, stamp
from azsim.host.durable.storage import Instance, Letter, Status

ID_LIMIT = 100  # learn: durable-functions-instance-management, "instance ID rules".
ID_FORBIDDEN = frozenset("/\\#?")


class Refused(Exception):
    """The hub says no; `status` is what the management API answers."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True)
class Orchestration:
    """An orchestration as a test looks at it: payloads decoded, history as the SDK gets it."""

    id: str
    name: str
    status: Status
    input: Any
    output: Any
    custom_status: Any
    created: datetime
    updated: datetime
    parent: str | None = None
    history: tuple[Event, ...] = field(default=(), repr=False)

    @classmethod
    def of(cls, instance: Instance) -> "Orchestration":
        return cls(
            id=instance.id,
            name=instance.name,
            status=instance.status,
            input=decoded_input(instance),
            output=parsed(instance.output),
            custom_status=parsed(instance.custom_status),
            created=instance.created,
            updated=instance.updated,
            parent=instance.parent.instance if instance.parent else None,
            history=tuple(instance.history),
        )


def decoded_input(instance: Instance) -> Any:
    """Return the input as the orchestrator sees it: clients and parents encode it twice."""
    once = parsed(instance.input)
    return parsed(once) if isinstance(once, str) else once


class Client:
    """The operations of a Durable client on one hub."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine, self._clock = engine, clock

    @property
    def instances(self) -> dict[str, Instance]:
        return self._engine.hub.instances

    def start(self, name: str, instance_id: str | None, given: str | None) -> Instance:
        """Start `name` with the JSON text `given`; a running instance of this id refuses it."""
        if name.lower() not in self._engine.known.orchestrators:
            raise Refused(400, unknown_orchestrator(name, self._engine.known))
        instance_id = instance_id or self._engine.new_id()
        _check_id(instance_id)
        existing = self.instances.get(instance_id)
        if existing is not None and not self._may_replace(existing):
            # models durable-start-twice
            raise Refused(409, already_exists(existing))
        return self._engine.create(instance_id, name, given)

    # models durable-racing-starts
    def _may_replace(self, existing: Instance) -> bool:
        return existing.status.is_final or self._engine.settings.any_state_overridable

    def find(self, instance_id: str) -> Instance:
        if instance_id not in self.instances:
            raise Refused(404, f"No instance with ID '{instance_id}' found.")
        return self.instances[instance_id]

    def raise_event(self, instance_id: str, name: str, given: str) -> None:
        """Raise the event `name` with the JSON text `given`."""
        self._post(instance_id, Kind.EVENT_RAISED, Name=name, Input=given)

    def terminate(self, instance_id: str, reason: str) -> None:
        self._post(instance_id, Kind.EXECUTION_TERMINATED, Input=reason)

    def suspend(self, instance_id: str, reason: str) -> None:
        self._post(instance_id, Kind.EXECUTION_SUSPENDED, Reason=reason)

    def resume(self, instance_id: str, reason: str) -> None:
        self._post(instance_id, Kind.EXECUTION_RESUMED, Reason=reason)

    def restart(self, instance_id: str, *, new_id: bool) -> Instance:
        """Start an instance's orchestrator again with its input; raises Refused 409 if it runs."""
        old = self.find(instance_id)
        return self.start(old.name, None if new_id else old.id, old.input)

    # models durable-history-kept
    def purge(self, instance_ids: Iterable[str]) -> int:
        """Delete ended instances; return how many. Raises Refused 412 for one that runs."""
        found = [self.find(instance_id) for instance_id in instance_ids]
        for instance in found:
            if not instance.status.is_final:
                raise Refused(
                    412,
                    "Only orchestrations in a terminal state can be purged, but the orchestration "
                    f"with instance ID {instance.id} has status {instance.status.value}",
                )
        for instance in found:
            del self.instances[instance.id]
        return len(found)

    def query(
        self,
        *,
        created_from: datetime | None = None,
        created_to: datetime | None = None,
        statuses: Sequence[Status] = (),
        prefix: str = "",
    ) -> list[Instance]:
        """Return the instances that match, oldest first."""
        return [
            i
            for i in self.instances.values()
            if (created_from is None or i.created >= created_from)
            and (created_to is None or i.created <= created_to)
            and (not statuses or i.status in statuses)
            and i.id.startswith(prefix)
        ]

    # models durable-management-codes
    def _post(self, instance_id: str, kind: Kind, **fields: Any) -> None:
        instance = self.find(instance_id)
        if instance.status.is_final:
            raise Refused(410, f"Instance {instance_id} is {instance.status.value}.")
        letter = Letter(event(kind, self._clock.now(), **fields))
        self._engine.hub.post(instance_id, letter)


# models durable-instance-ids
def _check_id(instance_id: str) -> None:
    if instance_id.startswith("@"):
        raise Refused(400, "Orchestration instance ids must not start with @.")
    if any(c in ID_FORBIDDEN or not c.isprintable() for c in instance_id):
        raise Refused(
            400, "Orchestration instance ids must not contain /, \\, #, ?, or control characters."
        )
    if len(instance_id) > ID_LIMIT:
        raise Refused(400, f"Instance ID lengths must not exceed {ID_LIMIT} characters.")


def status_payload(
    instance: Instance, *, with_input: bool, history: list[Event] | None
) -> dict[str, Any]:
    """Return the management API's JSON of an instance (StatusResponsePayload)."""
    return {
        "name": instance.name,
        "instanceId": instance.id,
        "runtimeStatus": instance.status.value,
        "input": parsed(instance.input) if with_input else None,
        "customStatus": parsed(instance.custom_status),
        "output": parsed(instance.output),
        "createdTime": stamp(instance.created)[:19] + "Z",
        "lastUpdatedTime": stamp(instance.updated)[:19] + "Z",
        "historyEvents": history,
    }


# models durable-event-encoding
def encoded(value: object) -> str | None:
    """Encode as start_new does: the JSON text of the JSON text; None stays away."""
    return None if value is None else json.dumps(json.dumps(value))
