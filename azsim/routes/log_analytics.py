"""
The wire of Log Analytics: queries of workspaces and resources, and a vault's diagnostic settings.

Sources: the specification (operationalinsights 2022-10-27) and the pages "Azure Monitor Log
Analytics API overview"; diagnostic settings: bicep types of Microsoft.Insights 2021-05-01-preview.
"""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from azsim.http import ArmError, Response, json_object
from azsim.identity import audience_of
from azsim.kql import NotModelled
from azsim.log_analytics import Between, Table, Workspace
from azsim.log_analytics_feed import Setting
from azsim.log_analytics_refusals import Refused, bad_argument, no_such_path, truncated
from azsim.log_analytics_tables import CATEGORIES
from azsim.router import Call, Handler, Route
from azsim.throttled import by_log_analytics
from azsim.ticks import http_date
from azsim.vaults import Vault

HOST = ".loganalytics.io"
_AUDIENCES = ("https://api.loganalytics.io", "https://api.loganalytics.azure.com")
_FIELDS = frozenset({"query", "timespan", "workspaces"})
_DURATION = re.compile(
    r"P(?:(?P<days>[\d.]+)D)?"
    r"(?:T(?:(?P<hours>[\d.]+)H)?(?:(?P<minutes>[\d.]+)M)?(?:(?P<seconds>[\d.]+)S)?)?"
)


def _guarded(handler: Handler) -> Handler:
    """Return the handler behind this service's door: a token for it, and calls to spare."""

    def answer(call: Call) -> Response:
        _authenticate(call)
        _admit(call)
        response = handler(call)
        return Response(response.status, response.body, {**_headers(call), **response.headers})

    return answer


def _headers(call: Call) -> dict[str, str]:
    return {
        "Date": http_date(call.world.clock.now()),
        "X-Content-Type-Options": "nosniff",
        "Strict-Transport-Security": "max-age=15724800; includeSubDomains",
        "Access-Control-Expose-Headers": (
            "Retry-After,Age,WWW-Authenticate,x-resource-identities,x-ms-status-location"
        ),
    }


# models log-error-form
def _error(call: Call, error: ArmError) -> Response:
    """Write an error as this service does: a correlation id, and errors within the error."""
    said: dict[str, Any] = {
        "message": error.message,
        "code": error.code,
        "correlationId": call.world.front_door.new_id(),
    }
    if isinstance(error, Refused) and error.inner:
        said["innererror"] = error.inner
    return Response(error.status, {"error": said}, {**_headers(call), **error.headers})


# models log-token
def _authenticate(call: Call) -> None:
    if not call.world.identity.principal_of(call.request):
        raise Refused(401, "AuthorizationRequiredError", "Valid authentication was not provided")
    audience = audience_of(call.request)
    if audience and audience not in (*_AUDIENCES, call.request.origin):
        said = "The provided authentication is not valid for this resource"
        raise Refused(401, "InvalidTokenError", said)


# models log-throttle
def _admit(call: Call) -> None:
    limits, throttle = call.world.logs.limits, call.world.throttle
    principal = call.world.identity.principal_of(call.request)
    wait = throttle.spend((principal, "log analytics"), limits.queries, limits.queries_span)
    if wait is not None:
        raise by_log_analytics(limits.queries, wait)


def _query_workspace(call: Call) -> Response:
    if (found := call.world.logs.find(call["workspace"])) is None:
        raise no_such_path()
    return _answer(call, [found], "")


# models log-resource-query
def _query_resource(call: Call) -> Response:
    """Answer for one resource, over every workspace that it writes into."""
    parts = (call[name] for name in ("subscription", "group", "provider", "kind", "name"))
    resource = "/subscriptions/{}/resourceGroups/{}/providers/{}/{}/{}".format(*parts)
    return _answer(call, call.world.logs.workspaces(), resource)


def _answer(call: Call, workspaces: list[Workspace], resource: str) -> Response:
    body = json_object(call.request.json)
    _check_preferences(call)
    if unknown := set(body) - _FIELDS:
        raise _not_modelled(f"request fields {sorted(unknown)}")
    text = body.get("query")
    if not isinstance(text, str) or not text.strip():
        raise bad_argument("The query is empty.")
    for name in body.get("workspaces") or ():
        if (found := call.world.logs.find(name)) is None:
            raise bad_argument(f"The workspace '{name}' could not be found.")
        workspaces = [*workspaces, *({found} - set(workspaces))]
    between = _between(body.get("timespan"), call.world.clock.now())
    try:
        table = call.world.logs.query(text, workspaces, between, resource)
    except NotModelled as error:
        raise _not_modelled(str(error)) from error
    return Response(200, _shaped(call, table))


# models log-answer
def _shaped(call: Call, table: Table) -> dict[str, Any]:
    columns = [{"name": name, "type": kind} for name, kind in table.columns]
    shaped: dict[str, Any] = {
        "tables": [{"name": "PrimaryResult", "columns": columns, "rows": table.rows}]
    }
    if table.more:
        shaped["error"] = truncated(call.world.logs.limits.rows)
    return shaped


# models log-prefer
def _check_preferences(call: Call) -> None:
    """Take `wait=…` (no query here takes long), and nothing else."""
    asked = [part.strip() for part in (call.request.header("prefer") or "").split(",")]
    if other := [part for part in asked if part and not part.startswith("wait=")]:
        raise _not_modelled(f"preferences {other}")


def _between(timespan: Any, now: datetime) -> Between:
    """Read `PT1H` (until now), `start/end`, `start/PT1H` or `PT1H/end`."""
    if timespan is None:
        return None, None
    parts = str(timespan).split("/")
    try:
        read = [_duration(part) if part.startswith("P") else _time(part) for part in parts]
    except ValueError:
        raise bad_argument(f"The timespan '{timespan}' is invalid.") from None
    match read:
        case [timedelta() as length]:
            return now - length, None
        case [datetime() as start, datetime() as end]:
            return start, end
        case [datetime() as start, timedelta() as length]:
            return start, start + length
        case [timedelta() as length, datetime() as end]:
            return end - length, end
        case _:
            raise bad_argument(f"The timespan '{timespan}' is invalid.")


def _duration(text: str) -> timedelta:
    if (found := _DURATION.fullmatch(text)) is None or len(text) < 3:
        raise ValueError(text)
    return timedelta(**{name: float(value) for name, value in found.groupdict("0").items()})


def _time(text: str) -> datetime:
    when = datetime.fromisoformat(text)
    if when.tzinfo is None:
        return datetime.fromisoformat(f"{text}Z")
    return when


def _not_modelled(what: str) -> ArmError:
    return ArmError(501, "RouteNotSimulated", f"azsim's Log Analytics lacks this: {what}")


# Diagnostic settings, on ARM.


def _vault(call: Call) -> Vault:
    return call.world.vaults.get(call["subscription"], call["group"], call["vault"])


# models diagnostic-settings
def _setting_body(setting: Setting) -> dict[str, Any]:
    below = f"{setting.vault.id}/providers/microsoft.insights/diagnosticSettings"
    return {
        "id": f"{below}/{setting.name}".lower(),
        "type": "Microsoft.Insights/diagnosticSettings",
        "name": setting.name,
        "location": None,
        "kind": None,
        "tags": None,
        "identity": None,
        "properties": setting.body,
    }


def _list_settings(call: Call) -> Response:
    found = call.world.logs.settings_of(_vault(call))
    return Response(200, {"value": [_setting_body(setting) for setting in found]})


def _get_setting(call: Call) -> Response:
    found = call.world.logs.setting(_vault(call), call["setting"])
    if found is None:
        raise ArmError(
            404, "ResourceNotFound", f"The diagnostic setting '{call['setting']}' doesn't exist."
        )
    return Response(200, _setting_body(found))


def _put_setting(call: Call) -> Response:
    """Create or replace a setting; one that goes elsewhere than to a known workspace is refused."""
    vault = _vault(call)
    given = json_object(json_object(call.request.json).get("properties"))
    workspace = call.world.logs.find(str(given.get("workspaceId") or ""))
    if workspace is None:
        said = "Diagnostic settings need a destination that exists: a workspace."
        raise ArmError(400, "BadRequest", said)
    wanted = [entry for entry in given.get("logs") or () if entry.get("enabled")]
    made = call.world.logs.connect(
        vault,
        workspace,
        name=call["setting"],
        categories=_categories(wanted),
        dedicated=given.get("logAnalyticsDestinationType") == "Dedicated",
        body=given,
    )
    return Response(200, _setting_body(made))


def _categories(wanted: list[Mapping[str, Any]]) -> frozenset[str]:
    groups = {str(entry["categoryGroup"]).lower() for entry in wanted if entry.get("categoryGroup")}
    named = {str(entry["category"]) for entry in wanted if entry.get("category")}
    return frozenset(CATEGORIES if "alllogs" in groups else named)


def _delete_setting(call: Call) -> Response:
    removed = call.world.logs.disconnect(_vault(call), call["setting"])
    return Response(200 if removed else 204)


_SETTINGS = (
    "/subscriptions/{subscription}/resourceGroups/{group}/providers"
    "/Microsoft.RecoveryServices/vaults/{vault}/providers/Microsoft.Insights/diagnosticSettings"
)
_OF_RESOURCE = (
    "/v1/subscriptions/{subscription}/resourceGroups/{group}"
    "/providers/{provider}/{kind}/{name}/query"
)
_ACTION = "Microsoft.Insights/diagnosticSettings"
ROUTES: tuple[Route, ...] = (
    Route(
        "logs.query",
        "POST",
        "/v1/workspaces/{workspace}/query",
        _guarded(_query_workspace),
        host=HOST,
        action="Microsoft.OperationalInsights/workspaces/query/read",
        errors=_error,
    ),
    Route(
        "logs.query_resource",
        "POST",
        _OF_RESOURCE,
        _guarded(_query_resource),
        host=HOST,
        action="Microsoft.Insights/logs/read",
        errors=_error,
    ),
    Route("diagnostics.list", "GET", _SETTINGS, _list_settings, action=f"{_ACTION}/read"),
    Route(
        "diagnostics.get", "GET", f"{_SETTINGS}/{{setting}}", _get_setting, action=f"{_ACTION}/read"
    ),
    Route(
        "diagnostics.put",
        "PUT",
        f"{_SETTINGS}/{{setting}}",
        _put_setting,
        action=f"{_ACTION}/write",
    ),
    Route(
        "diagnostics.delete",
        "DELETE",
        f"{_SETTINGS}/{{setting}}",
        _delete_setting,
        action=f"{_ACTION}/delete",
    ),
)
