"""
Every route can go wrong in every way that its service knows, and says so as its service does.

Each fault strikes each route once. What a handler would do is counted by a stand-in of it, so that
"before" and "after" the effect are seen on all routes; some writes are shown with their effect.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from azsim.fault_answers import ANSWERS
from azsim.faults import Fault, Kind
from azsim.http import ConnectionLost, Request, Response
from azsim.router import ARM, Call, Route, Router
from azsim.routes import every_route
from azsim.world import World
from tests.contract.arm_calls import SUBSCRIPTION, VM, ask

ROUTES = {route.name: route for route in every_route()}
READS = [name for name, route in ROUTES.items() if route.method == "GET"]
SEGMENTS = {"sub": SUBSCRIPTION, "subscription": SUBSCRIPTION, "group": "rg", "*blob": "b/c"}
ACCOUNT = "ledger"
TABLES, BLOBS = ".table.core.windows.net", ".blob.core.windows.net"
BLOB_HOSTS = (BLOBS, ".blob.storage.azure.net")
WAITS = [timedelta(seconds=1), timedelta(hours=1)]
BODY = {"value": ["of some", "length"]}

STORAGE_CODES = {
    Kind.BAD_REQUEST: "InvalidInput",
    Kind.UNAUTHORIZED: "InvalidAuthenticationInfo",
    Kind.FORBIDDEN: "AuthorizationPermissionMismatch",
    Kind.POLICY_DENIED: "AuthorizationPermissionMismatch",
    Kind.NOT_FOUND: "ResourceNotFound",
    Kind.EXISTS: "ResourceAlreadyExists",
    Kind.BUSY: "ResourceAlreadyExists",
    Kind.LOCKED: "ResourceAlreadyExists",
    Kind.PRECONDITION: "ConditionNotMet",
    Kind.INTERNAL: "InternalError",
    Kind.UNAVAILABLE: "ServerBusy",
}
LOG_CODES = {
    Kind.BAD_REQUEST: "BadArgumentError",
    Kind.UNAUTHORIZED: "InvalidTokenError",
    Kind.FORBIDDEN: "InsufficientAccessError",
    Kind.POLICY_DENIED: "InsufficientAccessError",
    Kind.NOT_FOUND: "PathNotFoundError",
}
CODES = {".loganalytics.io": LOG_CODES, ".communication.azure.com": {}}
THROTTLED = {
    Kind.ARM_THROTTLED: ("SubscriptionRequestsThrottled", "Microsoft."),
    Kind.PROVIDER_THROTTLED: ("ResourceRequestsThrottled", "Microsoft.RecoveryServices/"),
    Kind.COMPUTE_THROTTLED: ("OperationNotAllowed", "Microsoft.Compute/"),
    Kind.GRAPH_THROTTLED: ("RateLimiting", "Microsoft.ResourceGraph/"),
}


@dataclass
class Stand:
    """A world in which stand-ins answer for the handlers, and count."""

    world: World = field(default_factory=lambda: World(seed=1))
    acted: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.world.groups.add_subscription(SUBSCRIPTION)
        self.world.groups.create(SUBSCRIPTION, "rg", "westeurope")
        self.world.throttle.limits = self.world.throttle.limits.none()
        self.world.router = Router(replace(route, handler=self.act) for route in ROUTES.values())

    def act(self, call: Call) -> Response:
        self.acted.append(call.route.name)
        return Response(200, {**BODY, "seen": len(self.acted)})

    def call(self, name: str) -> Response:
        return self.world.handle(request_to(ROUTES[name]))

    def struck(self, name: str, kind: Kind, **more: Any) -> Response:
        self.world.faults.clear()
        self.world.faults.add(Fault(kind, name, **more))
        return self.call(name)

    def lost(self, name: str, kind: Kind) -> bool:
        """Return whether the service had acted when the connection broke."""
        with pytest.raises(ConnectionLost) as lost:
            self.struck(name, kind)
        return lost.value.after_effect


@pytest.fixture
def stand() -> Stand:
    return Stand()


def request_to(route: Route) -> Request:
    """Return a request that only this route matches."""
    parts = [part for part in route.path.split("/") if part]
    path = "/".join(SEGMENTS.get(p[1:-1], "x") if p.startswith("{") else p for p in parts)
    host = "management.azure.com" if route.host == ARM else f"{ACCOUNT}{route.host}"
    url = f"https://{host}/{path}?api-version=2024-04-01"
    return Request(route.method, url, {"authorization": "Bearer somebody"}, client="test")


def code_of(name: str, answer: Response) -> str:
    """Read an error's code as a client of that service would; a HEAD has only its headers."""
    route = ROUTES[name]
    if route.method == "HEAD" and route.host not in BLOB_HOSTS:
        return ""
    if route.host in BLOB_HOSTS:
        return answer.headers["x-ms-error-code"]
    _, payload = answer.encoded()
    body = json.loads(payload)
    if name.startswith("identity."):
        assert set(body) == {"statusCode", "message"}
        return ""
    error = body["odata.error" if route.host == TABLES else "error"]
    message = error["message"]["value"] if route.host == TABLES else error["message"]
    assert isinstance(message, str)
    return str(error["code"])


def expected_code(name: str, kind: Kind) -> str:
    route = ROUTES[name]
    if name.startswith("identity.") or (route.method == "HEAD" and route.host == ARM):
        return ""
    code = ANSWERS[kind][1]
    return code if route.host == ARM else CODES.get(route.host, STORAGE_CODES).get(kind, code)


def on_every_route[T](see: Callable[[str], T]) -> dict[str, T]:
    return {name: see(name) for name in ROUTES}


def same_on_every_route[T](value: T) -> dict[str, T]:
    return dict.fromkeys(ROUTES, value)


def test_each_route_is_reached_by_its_call(stand: Stand) -> None:
    on_every_route(stand.call)

    assert stand.acted == list(ROUTES)


@pytest.mark.parametrize("kind", ANSWERS, ids=lambda kind: kind.value)
def test_every_route_answers_with_the_status_of_the_fault(stand: Stand, kind: Kind) -> None:
    statuses = on_every_route(lambda name: stand.struck(name, kind).status)

    assert statuses == same_on_every_route(ANSWERS[kind][0])
    assert stand.acted == []


@pytest.mark.parametrize("kind", ANSWERS, ids=lambda kind: kind.value)
def test_every_route_speaks_in_the_form_of_its_service(stand: Stand, kind: Kind) -> None:
    codes = on_every_route(lambda name: code_of(name, stand.struck(name, kind)))

    assert codes == on_every_route(lambda name: expected_code(name, kind))


@pytest.mark.parametrize("kind", ANSWERS, ids=lambda kind: kind.value)
@pytest.mark.parametrize("wait", WAITS, ids=["a second", "an hour"])
def test_every_route_says_when_to_come_back(stand: Stand, kind: Kind, wait: timedelta) -> None:
    def asked(name: str) -> str:
        return stand.struck(name, kind, retry_after=wait).headers["Retry-After"]

    assert on_every_route(asked) == same_on_every_route(str(int(wait.total_seconds())))


@pytest.mark.parametrize("kind", ANSWERS, ids=lambda kind: kind.value)
def test_every_route_can_fail_after_it_has_acted(stand: Stand, kind: Kind) -> None:
    statuses = on_every_route(lambda name: stand.struck(name, kind, after_effect=True).status)

    assert statuses == same_on_every_route(ANSWERS[kind][0])
    assert stand.acted == list(ROUTES)


def test_a_blob_s_error_is_xml_that_says_the_code_again(stand: Stand) -> None:
    _, payload = stand.struck("blobs.get", Kind.UNAVAILABLE).encoded()

    assert ET.fromstring(payload).findtext("Code") == "ServerBusy"


@pytest.mark.parametrize("wait", WAITS, ids=["a second", "an hour"])
@pytest.mark.parametrize("kind", THROTTLED, ids=lambda kind: kind.value)
def test_the_routes_of_a_provider_are_throttled_in_its_words(
    stand: Stand, kind: Kind, wait: timedelta
) -> None:
    code, provider = THROTTLED[kind]
    named = [n for n, route in ROUTES.items() if route.action.startswith(provider)]
    struck = [n for n in named if request_to(ROUTES[n]).path.startswith("/subscriptions/")]
    struck += [n for n in named if kind is Kind.GRAPH_THROTTLED]
    answers = {name: stand.struck(name, kind, retry_after=wait) for name in struck}

    assert struck != []
    assert {answer.status for answer in answers.values()} == {429}
    assert {code_of(name, answer) for name, answer in answers.items()} - {""} == {code}
    assert {a.headers["Retry-After"] for a in answers.values()} == {str(int(wait.total_seconds()))}


def test_a_fault_by_chance_is_one_that_the_route_s_service_knows(stand: Stand) -> None:
    stand.world.faults.random(1.0, THROTTLED)
    on_every_route(stand.call)
    strikes = {e.route: e.fault.kind for e in stand.world.exchanges if e.fault is not None}

    assert {ROUTES[name].host for name in strikes} == {ARM}
    assert [name for name in strikes if name.startswith("identity.")] == []
    assert [
        name
        for name, kind in strikes.items()
        if not ROUTES[name].action.lower().startswith(THROTTLED[kind][1].lower())
    ] == []


def test_a_connection_that_breaks_before_leaves_every_route_untouched(stand: Stand) -> None:
    acted = on_every_route(lambda name: stand.lost(name, Kind.RESET_BEFORE))

    assert acted == same_on_every_route(False)
    assert stand.acted == []


def test_a_connection_that_breaks_after_loses_no_effect_of_any_route(stand: Stand) -> None:
    acted = on_every_route(lambda name: stand.lost(name, Kind.RESET_AFTER))

    assert acted == same_on_every_route(True)
    assert stand.acted == list(ROUTES)


def test_every_answer_can_break_off_halfway(stand: Stand) -> None:
    def halves(name: str) -> bool:
        headers, payload = stand.struck(name, Kind.TRUNCATED).encoded()
        return len(payload) == int(headers["Content-Length"]) // 2

    assert on_every_route(halves) == same_on_every_route(True)
    assert stand.acted == list(ROUTES)


def test_every_answer_can_be_slow(stand: Stand) -> None:
    def took(name: str) -> timedelta:
        began = stand.world.clock.now()
        stand.struck(name, Kind.SLOW, takes=timedelta(seconds=90))
        return stand.world.clock.now() - began

    assert on_every_route(took) == same_on_every_route(timedelta(seconds=90))


def test_every_read_can_be_that_of_before(stand: Stand) -> None:
    first = {name: stand.call(name).body for name in READS}
    stale = {name: stand.struck(name, Kind.STALE).body for name in READS}

    assert stale == first
    assert len(stand.acted) == len(READS)


def test_no_write_is_answered_from_before(stand: Stand) -> None:
    writes = [name for name in ROUTES if name not in READS]
    on_every_route(stand.call)
    stand.acted.clear()

    assert [stand.struck(name, Kind.STALE).status for name in writes] == [200] * len(writes)
    assert stand.acted == writes


# Writes with their effect.


@dataclass
class Estate:
    """A real world with one protected VM, and what of it writes can change."""

    world: World = field(default_factory=lambda: World(seed=1))

    def __post_init__(self) -> None:
        world = self.world
        world.groups.add_subscription(SUBSCRIPTION)
        machine = world.machines.create(
            subscription=SUBSCRIPTION, group="rg", name="web", location="westeurope"
        )
        spare = world.machines.create(
            subscription=SUBSCRIPTION, group="rg", name="spare", location="westeurope"
        )
        self.vault = world.vaults.create(SUBSCRIPTION, "rg", "rsv", "westeurope")
        self.item = world.vaults.protect(machine.id, self.vault)
        self.spare = spare.id
        world.clock.advance(timedelta(days=2))
        account = world.storage.create_account(ACCOUNT)
        self.table = account.create_table("rows")
        self.container = account.create_container("docs")

    def seen(self) -> Mapping[str, Any]:
        """Return what the writes below change, once the schedule has done what it owes."""
        self.vault.live_items()
        spare = self.world.vaults.item_of(self.spare)
        machine = self.world.machines.find(VM)
        group = self.world.groups.find(SUBSCRIPTION, "rg")
        assert machine is not None
        assert group is not None
        return {
            "tags of the group": dict(group.tags),
            "tags of the machine": dict(machine.tags),
            "power": machine.power,
            "vaults": len(self.world.vaults.in_subscription(SUBSCRIPTION)),
            "policies": sorted(self.vault.policies),
            "spare": spare is not None,
            "deleted": self.item.is_soft_deleted,
            "backups": len(self.item.backups),
            "rows": len(self.table),
            "blobs": len(list(self.container)),
        }


RSV = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.RecoveryServices/vaults"
BELOW = f"{RSV}/rsv/backupFabrics/Azure/protectionContainers/iaasvmcontainer;iaasvmcontainerv2;rg;"


def item_path(name: str) -> str:
    return f"{BELOW}{name}/protectedItems/vm;iaasvmcontainerv2;rg;{name}"


def protect(name: str) -> dict[str, Any]:
    return {
        "properties": {
            "protectedItemType": "Microsoft.Compute/virtualMachines",
            "sourceResourceId": VM.replace("/web", f"/{name}"),
            "policyId": f"{RSV}/rsv/backupPolicies/DefaultPolicy",
        }
    }


STANDARD = {
    "properties": {
        "backupManagementType": "AzureIaasVM",
        "schedulePolicy": {
            "schedulePolicyType": "SimpleSchedulePolicy",
            "scheduleRunFrequency": "Daily",
            "scheduleRunTimes": ["2026-03-02T22:00:00Z"],
        },
        "retentionPolicy": {
            "retentionPolicyType": "LongTermRetentionPolicy",
            "dailySchedule": {
                "retentionTimes": ["2026-03-02T22:00:00Z"],
                "retentionDuration": {"count": 30, "durationType": "Days"},
            },
        },
    }
}
BACK_UP = {"properties": {"objectType": "IaasVMBackupRequest"}}
TAGS = {"tags": {"struck": "yes"}}
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg"
WRITES: Mapping[str, tuple[str, str, Any]] = {
    "groups.patch": ("PATCH", GROUP, TAGS),
    "machines.patch": ("PATCH", VM, TAGS),
    "machines.deallocate": ("POST", f"{VM}/deallocate", None),
    "vaults.put": ("PUT", f"{RSV}/other", {"location": "westeurope", "sku": {"name": "RS0"}}),
    "policies.put": ("PUT", f"{RSV}/rsv/backupPolicies/nightly", STANDARD),
    "items.put": ("PUT", item_path("spare"), protect("spare")),
    "items.delete": ("DELETE", item_path("web"), None),
    "items.backup": ("POST", f"{item_path('web')}/backup", BACK_UP),
    "tables.insert": (
        "POST",
        f"https://{ACCOUNT}{TABLES}/rows",
        {"PartitionKey": "p", "RowKey": "r"},
    ),
    "blobs.put": ("PUT", f"https://{ACCOUNT}{BLOBS}/docs/one", {"a": "blob"}),
}


def write(estate: Estate, name: str) -> None:
    """Make the write, whatever becomes of its answer, and wait until it is done."""
    method, path, body = WRITES[name]
    with pytest.raises(ConnectionLost):
        ask(estate.world, method, path, body, x_ms_blob_type="BlockBlob")
    estate.world.clock.advance(timedelta(minutes=3))


@pytest.mark.parametrize("name", WRITES)
def test_a_write_whose_connection_broke_before_has_no_effect(name: str) -> None:
    estate = Estate()
    before = estate.seen()
    estate.world.faults.add(Fault(Kind.RESET_BEFORE, name))

    write(estate, name)

    assert estate.seen() == before
    assert estate.world.faults.unused() == []


@pytest.mark.parametrize("name", WRITES)
def test_a_write_whose_answer_was_lost_has_its_effect(name: str) -> None:
    estate = Estate()
    before = estate.seen()
    estate.world.faults.add(Fault(Kind.RESET_AFTER, name))

    write(estate, name)

    assert estate.seen() != before
    assert estate.world.faults.unused() == []


# Operations that fail late.

LATE = ["machines.deallocate", "machines.patch", "vaults.put", "items.put", "items.delete"]


@pytest.mark.parametrize("name", LATE)
def test_an_operation_that_fails_late_says_so_where_it_is_asked(name: str) -> None:
    estate = Estate()
    words = {"code": "CloudInternalError", "message": "Not today."}
    estate.world.faults.add(Fault(Kind.LATE_FAILURE, name, **words))
    method, path, body = WRITES[name]

    accepted = ask(estate.world, method, path, body)
    estate.world.clock.advance(timedelta(minutes=3))
    operation = ask(estate.world, "GET", accepted.headers["Azure-AsyncOperation"], version="")

    assert accepted.status < 300
    assert isinstance(operation.body, dict)
    assert (operation.body["status"], operation.body["error"]) == ("Failed", words)


@pytest.mark.parametrize("name", ["machines.deallocate", "items.put", "items.delete"])
def test_an_operation_that_fails_late_has_no_effect(name: str) -> None:
    estate = Estate()
    before = estate.seen()
    estate.world.faults.add(Fault(Kind.LATE_FAILURE, name))
    method, path, body = WRITES[name]

    ask(estate.world, method, path, body)
    estate.world.clock.advance(timedelta(minutes=3))

    assert estate.seen() == before


def test_a_vault_that_could_not_be_made_is_failed() -> None:
    estate = Estate()
    estate.world.faults.add(Fault(Kind.LATE_FAILURE, "vaults.put"))

    ask(estate.world, *WRITES["vaults.put"])
    estate.world.clock.advance(timedelta(minutes=3))
    vault = ask(estate.world, "GET", f"{RSV}/other").body

    assert isinstance(vault, dict)
    assert vault["properties"]["provisioningState"] == "Failed"


def test_a_backup_that_fails_late_ends_as_a_failed_job() -> None:
    estate = Estate()
    estate.world.faults.add(
        Fault(Kind.LATE_FAILURE, "items.backup", code="UserErrorFsFreezeFailed")
    )

    ask(estate.world, *WRITES["items.backup"])
    estate.world.clock.advance(timedelta(hours=1))

    failure = estate.item.last_failure(estate.world.clock.now())
    assert failure is not None
    assert failure.code == "UserErrorFsFreezeFailed"
