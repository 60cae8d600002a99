"""
What happens on the stage besides the app: what was there before, and what people do in the portal.

Also how to look at what the app sent, where the stage's own counts do not tell enough.
"""

from datetime import datetime, timedelta
from typing import Any

from azsim.fault_kinds import Fault, Kind
from azsim.machine import Machine
from azsim.machines import PAST
from azsim.vaults import Vault
from tests.scenario.stage import SUB, TOML, VAULT, VAULT_GROUP, Stage
from vmbackup_core.adapters.wire_policies import policy_body

SECONDS = timedelta(seconds=1)
MINUTES = timedelta(minutes=1)
HOURS = timedelta(hours=1)
JOB = "4f8b1c1e-0d51-4b4c-9a57-7a3f3c1e9d10"  # The restore job that made a disk.

SILVER = """
[policies.silver]
schedule = "daily at 22:00"
keep = { daily = 90 }
"""
# Silver keeps longer than standard, and is of the same kind.
WITH_SILVER = TOML.replace(
    '[[rules]]\ntag = "*"', '[[rules]]\ntag = "silver"\npolicy = "silver"\n\n[[rules]]\ntag = "*"'
).replace("[vaults]", f"{SILVER}\n[vaults]")


def protect_section(key: str, value: str, toml: str = TOML) -> str:
    return f'{toml}\n[protect]\n{key} = "{value}"\n'


def limits_section(key: str, value: int, toml: str = TOML) -> str:
    return f"{toml}\n[limits]\n{key} = {value}\n"


# What was there.


def protected_by_us(stage: Stage, name: str = "web", **more: Any) -> Machine:
    """Let a VM be created and protected by the app, and all be quiet again."""
    if stage.world.vaults.find(SUB, VAULT_GROUP, VAULT) is None:
        stage.create_vault()
    machine = stage.create_vm(name, **more)
    stage.run(10 * MINUTES)
    assert stage.ended(name) == "PROTECTED", "\n".join(stage.journal.lines)
    return machine


def stocked_vault(stage: Stage, name: str = VAULT, group: str = VAULT_GROUP) -> Vault:
    """Let there be a vault that has all policies of the configuration."""
    vault = stage.create_vault(name, group)
    for spec in stage.app.settings.policies:
        stage.world.vaults.set_policy(vault, spec.name, policy_body(spec)["properties"])
    return vault


def protected_by_a_person(
    stage: Stage, policy: str, name: str = "web", vault: str = VAULT, **more: Any
) -> Machine:
    """Let a VM of the past be protected by somebody else."""
    held = stage.world.vaults.find(SUB, VAULT_GROUP, vault) or stocked_vault(stage, vault)
    machine = stage.create_vm(name, created_by=PAST, **more)
    stage.world.vaults.protect(machine.id, held, policy)
    return machine


def settle(stage: Stage) -> None:
    """Let Resource Graph learn of what has just been arranged."""
    stage.run(5 * MINUTES)


# What people do.


def recreate(stage: Stage, name: str = "web", **more: Any) -> Machine:
    """Delete a VM and create another of the same name in its place."""
    stage.world.machines.delete(stage.id(name))
    return stage.create_vm(name, **more)


def restored(machine: Machine) -> Machine:
    """Let a machine boot from a disk that a restore has made."""
    machine.os_disk.tags = {"RSVaultBackup": JOB}
    machine.os_disk.create_option = "Attach"
    return machine


def exclude_disk(stage: Stage, name: str = "web") -> dict[str, Any]:
    """Let somebody take the disk at LUN 1 out of a VM's backup; return what Azure holds of it."""
    item = stage.item(name)
    assert item is not None
    item.exclusion = {"diskLunList": [1], "isInclusionList": False}
    return item.exclusion


# What the app sent.


def item_puts(stage: Stage, name: str = "web") -> list[dict[str, Any]]:
    """Return what the app asked for in its PUTs of a VM's item, in order."""
    return [
        e.request.json["properties"]
        for e in stage.ours
        if e.route == "items.put" and e.request.path.lower().endswith(f";{name}")
    ]


def policies_asked_for(stage: Stage, name: str = "web") -> list[str]:
    return [put["policyId"].rpartition("/")[2] for put in item_puts(stage, name)]


def calls_at(stage: Stage, route: str) -> list[datetime]:
    """Return when the app called a route."""
    return [e.at for e in stage.ours if e.route == route]


def late_failure(stage: Stage, code: str, message: str, name: str = "web") -> None:
    """Let the next operation on a VM's item fail at its end."""
    fault = Fault(Kind.LATE_FAILURE, "items.put", resource=f"/{name}", code=code, message=message)
    stage.world.faults.add(fault)
