"""
Azure Policy, as far as it touches machines: it refuses them, changes what was asked for, and adds
things to them afterwards.

Assignments are made by a story, not over the wire. What a policy's rule says is not modelled, only
where it applies and what it does there.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum
from typing import TYPE_CHECKING, Any

from azsim.extensions import Extension
from azsim.http import ArmError
from azsim.machine import KIND as MACHINE
from azsim.machine import gone

if TYPE_CHECKING:
    from azsim.machine import Machine
    from azsim.vaults import Vault
    from azsim.world import World

# models policy-takes
_AFTERWARDS = timedelta(minutes=10)


class Effect(Enum):
    """What an assignment does; the words are those of policy definitions."""

    DENY = "deny"
    MODIFY = "modify"
    DEPLOY = "deployIfNotExists"


@dataclass(frozen=True, slots=True)
class Gift:
    """What an assignment gives a machine; it gives nothing that the machine has already."""

    tags: Mapping[str, str] = field(default_factory=dict)
    identity: bool = False
    extension: Extension | None = None
    vault: "Vault | None" = None
    public_address: bool = False


@dataclass(slots=True)
class Assignment:
    """
    One policy assigned to a scope: the id of a subscription, a group or a resource.

    `after` counts from the end of the write that set it off. `exempt` are scopes inside its own
    where it does nothing.
    """

    name: str
    scope: str
    effect: Effect
    gift: Gift = Gift()
    after: timedelta = _AFTERWARDS
    exempt: set[str] = field(default_factory=set)

    def covers(self, resource_id: str) -> bool:
        return _within(resource_id, self.scope) and not any(
            _within(resource_id, scope) for scope in self.exempt
        )


class Policies:
    """Every assignment of the world."""

    def __init__(self, world: "World") -> None:
        self.world = world
        self.assignments: list[Assignment] = []

    def deny(self, scope: str, name: str = "deny-machines") -> Assignment:
        """Refuse machines that a client would make in a scope."""
        return self._assign(Assignment(name, scope, Effect.DENY))

    def modify(
        self,
        scope: str,
        *,
        tags: Mapping[str, str] | None = None,
        identity: bool = False,
        name: str = "modify-machines",
    ) -> Assignment:
        """Give machines tags or an identity, in the very request that writes them."""
        gift = Gift(dict(tags or {}), identity)
        return self._assign(Assignment(name, scope, Effect.MODIFY, gift))

    def deploy(
        self,
        scope: str,
        *,
        tags: Mapping[str, str] | None = None,
        identity: bool = False,
        extension: Extension | None = None,
        vault: "Vault | None" = None,
        public_address: bool = False,
        after: timedelta = _AFTERWARDS,
        name: str = "deploy-to-machines",
    ) -> Assignment:
        """Give machines things some time after they were written."""
        gift = Gift(dict(tags or {}), identity, extension, vault, public_address)
        return self._assign(Assignment(name, scope, Effect.DEPLOY, gift, after))

    def _assign(self, assignment: Assignment) -> Assignment:
        self.assignments.append(assignment)
        return assignment

    # models policy-deny
    def check(self, resource_id: str) -> None:
        """Refuse a machine that a policy denies."""
        for found in self._covering(resource_id, Effect.DENY):
            raise _refusal(found, resource_id)

    def written(self, machine: "Machine") -> None:
        """Do what policies do to a machine that is being made or changed."""
        # models policy-modify
        for found in self._covering(machine.id, Effect.MODIFY):
            self._give(machine, found.gift)
        # models policy-deploy
        for found in self._covering(machine.id, Effect.DEPLOY):
            self._later(machine, found)

    def _later(self, machine: "Machine", found: Assignment) -> None:
        def give() -> None:
            there = not gone(machine) and self.world.machines.find(machine.id) is machine
            if there and found.covers(machine.id) and self._give(machine, found.gift):
                self.world.machines.changed(machine)

        self.world.clock.at(machine.settled_at + found.after, give)

    def _give(self, machine: "Machine", gift: Gift) -> bool:
        """Return whether there was anything left to give."""
        held = {name.lower() for name in machine.tags}
        missing = {name: value for name, value in gift.tags.items() if name.lower() not in held}
        given = bool(missing)
        machine.tags = {**machine.tags, **missing}
        if gift.identity and not machine.identity:
            machine.identity = {
                "type": "SystemAssigned",
                "principalId": self.world.new_id(),
                "tenantId": self.world.tenant,
            }
            given = True
        if gift.extension is not None and machine.extension(gift.extension.name) is None:
            machine.extensions.append(gift.extension)
            given = True
        if gift.vault is not None and self.world.vaults.item_of(machine.id) is None:
            self.world.vaults.protect(machine.id, gift.vault)
            given = True
        return self._expose(machine) or given if gift.public_address else given

    def _expose(self, machine: "Machine") -> bool:
        given = False
        for nic in self.world.networks.interfaces.every():
            if nic.machine is machine and not nic.public_address:
                self.world.networks.expose(nic)
                given = True
        return given

    def _covering(self, resource_id: str, effect: Effect) -> list[Assignment]:
        return [a for a in self.assignments if a.effect is effect and a.covers(resource_id)]


def _within(resource_id: str, scope: str) -> bool:
    return f"{resource_id}/".lower().startswith(f"{scope}/".lower())


def _refusal(found: Assignment, resource_id: str) -> ArmError:
    """Build ARM's 403 as public reports quote it."""
    name = resource_id.rsplit("/", 1)[-1]
    subscription = "/".join(found.scope.split("/")[:3])
    authorization = "providers/Microsoft.Authorization"
    assignment = f"{found.scope}/{authorization}/policyAssignments/{found.name}"
    definition = f"{subscription}/{authorization}/policyDefinitions/{found.name}"
    identifiers = [
        {
            "policyAssignment": {"name": found.name, "id": assignment},
            "policyDefinition": {"name": found.name, "id": definition},
        }
    ]
    evaluated: dict[str, Any] = {
        "result": "True",
        "expressionKind": "Field",
        "expression": "type",
        "path": "type",
        "expressionValue": MACHINE,
        "targetValue": MACHINE,
        "operator": "Equals",
    }
    return ArmError(
        403,
        "RequestDisallowedByPolicy",
        f"Resource '{name}' was disallowed by policy. Policy identifiers: "
        f"'{json.dumps(identifiers, separators=(',', ':'))}'.",
        target=name,
        additional_info=[
            {
                "type": "PolicyViolation",
                "info": {
                    "evaluationDetails": {"evaluatedExpressions": [evaluated]},
                    "policyDefinitionId": definition,
                    "policyDefinitionName": found.name,
                    "policyDefinitionEffect": found.effect.value,
                    "policyAssignmentId": assignment,
                    "policyAssignmentName": found.name,
                    "policyAssignmentScope": found.scope,
                    "policyAssignmentParameters": {},
                },
            }
        ],
    )
