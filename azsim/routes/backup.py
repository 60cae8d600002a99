"""Policies, containers and protected items on the wire."""

from datetime import timedelta

from azsim.http import ArmError, Response
from azsim.recovery import errors
from azsim.recovery.configure import delete_item, put_item
from azsim.recovery.filters import parse_filter, same
from azsim.recovery.guards import Critical, allow
from azsim.recovery.policies import MOST_EDITS_A_DAY, MOST_POLICIES, checked
from azsim.recovery.shapes import (
    container_body,
    item_body,
    policy_body,
    protectable_body,
)
from azsim.recovery.wire import container_name
from azsim.router import Call, Route
from azsim.routes import backup_jobs, backup_locations, backup_points
from azsim.routes.recovery_calls import (
    ITEM,
    RSV,
    VAULT,
    accepted,
    item_of,
    key_of,
    listed,
    properties_of,
    vault_of,
)

_POLICY_FILTER = frozenset({"backupmanagementtype", "workloadtype", "policyname"})
_ITEM_FILTER = frozenset(
    {"backupmanagementtype", "itemtype", "policyname", "containername", "friendlyname"}
)
_CONTAINER_FILTER = frozenset({"backupmanagementtype", "friendlyname", "status", "containertype"})
_PROTECTABLE_FILTER = frozenset({"backupmanagementtype", "friendlyname", "protectionstate"})
_REFRESH_FILTER = frozenset({"backupmanagementtype"})
_EXPAND_FILTER = frozenset({"expand"})
_USAGE_FILTER = frozenset({"type"})


# models policy-lists
def _list_policies(call: Call) -> Response:
    vault = vault_of(call)
    wanted = parse_filter(call.request.query.get("$filter"), _POLICY_FILTER)
    bodies = [
        policy_body(vault, policy, 0)
        for policy in sorted(vault.policies.values(), key=lambda policy: policy.order)
        if same(wanted, "backupmanagementtype", policy.body["backupManagementType"])
        and same(wanted, "policyname", policy.name)
    ]
    return listed(call, bodies)


# models usage-summaries
def _list_usage(call: Call) -> Response:
    """Count protected items by workload; azsim has no other workload than VMs."""
    vault = vault_of(call)
    wanted = parse_filter(call.request.query.get("$filter"), _USAGE_FILTER)
    if not same(wanted, "type", "BackupProtectedItemCountSummary"):
        raise ArmError(501, "RouteNotSimulated", "azsim counts only protected items")
    # models usage-of-soft-deleted
    all_count = vault.vaults.doubts.summaries_count_soft_deleted
    here = sum(all_count or not item.is_soft_deleted for item in vault.live_items())
    counts = {"AzureIaasVM": ("Azure Virtual Machine", here)}
    body = [
        {
            "unit": "Count",
            "currentValue": current,
            "limit": -1,
            "name": {"value": kind, "localizedValue": words},
        }
        for kind, (words, current) in counts.items()
    ]
    return Response(200, {"value": body})


def _get_policy(call: Call) -> Response:
    vault = vault_of(call)
    policy = vault.policy(call["policy"])
    return Response(200, policy_body(vault, policy, vault.protected_by(policy)))


def _put_policy(call: Call) -> Response:
    vaults, vault = call.world.vaults, vault_of(call)
    given = properties_of(call)
    body = checked(given)
    known = vault.policies.get(call["policy"].lower())
    if known is None and len(vault.policies) >= MOST_POLICIES:
        raise errors.TOO_MANY_POLICIES.error()
    day = [at for at in vault.policy_edits if vaults.now - at < timedelta(days=1)]
    if len(day) >= MOST_EDITS_A_DAY:
        raise errors.TOO_MANY_POLICY_EDITS.error()
    if known is not None:
        allow(vault, Critical.WRITE_POLICY, given.get("resourceGuardOperationRequests"))
        if known.body.get("policyType") != body.get("policyType"):
            raise errors.POLICY_INVALID.error(why="policyType cannot be changed")
        for item in vault.live_items():  # Up to here the old schedule was in force.
            if item.policy == known.name:
                item.scheduled_until = vaults.now
    vault.policy_edits = [*day, vaults.now]
    policy = vaults.set_policy(vault, call["policy"], body)
    return Response(200, policy_body(vault, policy, vault.protected_by(policy)))


def _delete_policy(call: Call) -> Response:
    vault = vault_of(call)
    policy = vault.policies.get(call["policy"].lower())
    if policy is None:
        return Response(204)
    # models policy-in-use
    if vault.protected_by(policy):
        raise errors.POLICY_IN_USE.error()
    del vault.policies[call["policy"].lower()]
    call.world.vaults.changed()
    return Response(200)


# models refresh-containers
def _refresh(call: Call) -> Response:
    """Discover; the status link has an old api-version of its own (recorded)."""
    vault = vault_of(call)
    parse_filter(call.request.query.get("$filter"), _REFRESH_FILTER)
    operation = call.world.vaults.refresh(vault)
    fabric = f"{vault.id}/backupFabrics/Azure"
    return accepted(
        call,
        f"{fabric}/operationsStatus/{operation.id}",
        f"{fabric}/operationResults/{operation.id}",
        status_version="2019-05-13-preview",
    )


# models protectable-items
def _list_protectable(call: Call) -> Response:
    """List what discovery has found and nobody protects yet."""
    vault, vaults = vault_of(call), call.world.vaults
    wanted = parse_filter(call.request.query.get("$filter"), _PROTECTABLE_FILTER)
    bodies = [
        protectable_body(vault, machine)
        for machine in vaults.discovered(vault)
        if vaults.item_of(machine.id) is None
        and same(wanted, "friendlyname", machine.name)
        and _is_for_vms(wanted)
    ]
    return listed(call, bodies)


def _is_for_vms(wanted: dict[str, str]) -> bool:
    return same(wanted, "backupmanagementtype", "AzureIaasVM")


# models undeleted-container
def _list_containers(call: Call) -> Response:
    """
    List the containers of items that are not soft-deleted.

    Recorded: after an undelete the container is listed as Registered's, though its own
    registrationStatus still says SoftDeleted.
    """
    return _containers(call, soft_deleted=False)


def _list_deleted_containers(call: Call) -> Response:
    return _containers(call, soft_deleted=True)


def _containers(call: Call, *, soft_deleted: bool) -> Response:
    vault = vault_of(call)
    wanted = parse_filter(call.request.query.get("$filter"), _CONTAINER_FILTER)
    status = "SoftDeleted" if soft_deleted else "Registered"
    bodies = [
        container_body(vault, item)
        for item in vault.live_items()
        if item.is_soft_deleted is soft_deleted
        and _is_for_vms(wanted)
        and same(wanted, "friendlyname", item.machine)
        and same(wanted, "status", status)
    ]
    return listed(call, bodies)


def _list_items(call: Call) -> Response:
    vault = vault_of(call)
    wanted = parse_filter(call.request.query.get("$filter"), _ITEM_FILTER)
    now = call.world.clock.now()
    bodies = [
        item_body(vault, item, now)
        for item in vault.live_items()
        if _is_for_vms(wanted)
        and same(wanted, "itemtype", "VM")
        and same(wanted, "policyname", item.policy)
        and same(wanted, "friendlyname", item.machine)
        and same(wanted, "containername", item.container)
    ]
    return listed(call, bodies)


def _get_item(call: Call) -> Response:
    vault, item = item_of(call)
    wanted = parse_filter(call.request.query.get("$filter"), _EXPAND_FILTER)
    extended = wanted.get("expand", "").lower() == "extendedinfo"
    return Response(200, item_body(vault, item, call.world.clock.now(), extended=extended))


def _put_item(call: Call) -> Response:
    vault = vault_of(call)
    operation = put_item(call.world.vaults, vault, key_of(call), properties_of(call))
    # Links repeat the names as the client wrote them (recorded: `vm;…` and `VM;…` alike).
    below = (
        f"{vault.id}/backupFabrics/Azure/protectionContainers/{call['container']}"
        f"/protectedItems/{call['item']}"
    )
    return accepted(
        call,
        f"{below}/operationsStatus/{operation.id}",
        f"{below}/operationResults/{operation.id}",
    )


# models absent-item
def _delete_item(call: Call) -> Response:
    """Delete; an unknown item is answered 204, as the spec has it."""
    vault = vault_of(call)
    item = vault.item(key_of(call))
    if item is None:
        return Response(204)
    operation = delete_item(call.world.vaults, vault, item)
    return accepted(
        call,
        f"{vault.id}/backupOperations/{operation.id}",
        f"{vault.id}/backupOperationResults/{operation.id}",
    )


def _get_container(call: Call) -> Response:
    vault = vault_of(call)
    for item in vault.live_items():
        if container_name(item.group, item.machine) in call["container"].lower():
            return Response(200, container_body(vault, item))
    raise errors.ITEM_NOT_FOUND.error()


_POLICIES = f"{VAULT}/backupPolicies"
_POLICY = f"{_POLICIES}/{{policy}}"
_CONTAINER = f"{VAULT}/backupFabrics/{{fabric}}/protectionContainers/{{container}}"
_ITEMS_ACTION = f"{RSV}/backupFabrics/protectionContainers/protectedItems"

ROUTES: tuple[Route, ...] = (
    Route(
        "usage_summaries.list",
        "GET",
        f"{VAULT}/backupUsageSummaries",
        _list_usage,
        action=f"{RSV}/usages/read",
    ),
    Route("policies.list", "GET", _POLICIES, _list_policies, action=f"{RSV}/backupPolicies/read"),
    Route("policies.get", "GET", _POLICY, _get_policy, action=f"{RSV}/backupPolicies/read"),
    Route("policies.put", "PUT", _POLICY, _put_policy, action=f"{RSV}/backupPolicies/write"),
    Route(
        "policies.delete", "DELETE", _POLICY, _delete_policy, action=f"{RSV}/backupPolicies/delete"
    ),
    Route(
        "containers.refresh",
        "POST",
        f"{VAULT}/backupFabrics/{{fabric}}/refreshContainers",
        _refresh,
        action=f"{RSV}/backupFabrics/refreshContainers/action",
    ),
    Route(
        "protectable_items.list",
        "GET",
        f"{VAULT}/backupProtectableItems",
        _list_protectable,
        action=f"{RSV}/backupProtectableItems/read",
    ),
    Route(
        "containers.list",
        "GET",
        f"{VAULT}/backupProtectionContainers",
        _list_containers,
        action=f"{RSV}/backupProtectionContainers/read",
    ),
    Route(
        "containers.list_deleted",
        "GET",
        f"{VAULT}/backupDeletedProtectionContainers",
        _list_deleted_containers,
        action=f"{RSV}/backupDeletedProtectionContainers/read",
    ),
    Route(
        "containers.get",
        "GET",
        _CONTAINER,
        _get_container,
        action=f"{RSV}/backupFabrics/protectionContainers/read",
    ),
    Route(
        "items.list",
        "GET",
        f"{VAULT}/backupProtectedItems",
        _list_items,
        action=f"{RSV}/backupProtectedItems/read",
    ),
    Route("items.get", "GET", ITEM, _get_item, action=f"{_ITEMS_ACTION}/read"),
    Route("items.put", "PUT", ITEM, _put_item, action=f"{_ITEMS_ACTION}/write"),
    Route("items.delete", "DELETE", ITEM, _delete_item, action=f"{_ITEMS_ACTION}/delete"),
    *backup_jobs.ROUTES,
    *backup_points.ROUTES,
    *backup_locations.ROUTES,
)
