"""
Resource Graph's wire: a query in, a page out.

Source: the specification (resourcegraph 2021-03-01 and 2024-04-01) and "Working with large data
sets": pages of at most 1,000 rows; a query with `limit` or `take`, and one that returns only
dynamic columns, has no continuation and is cut off.
"""

from collections.abc import Mapping
from typing import Any

from azsim.graph import Result
from azsim.graph_refusals import Refused, refusal
from azsim.http import ArmError, Response
from azsim.kql import NotModelled
from azsim.router import Call, Route

# models graph-pages
PAGE = 1000
_FIELDS = frozenset({"query", "subscriptions", "managementGroups", "options", "facets"})
_OPTIONS = frozenset(
    {
        "$top",
        "$skip",
        "$skipToken",
        "resultFormat",
        "allowPartialScopes",
        "authorizationScopeFilter",
    }
)


def _query(call: Call) -> Response:
    body = call.request.json
    try:
        return _answer(call, body if isinstance(body, dict) else {})
    except Refused as refused:
        correlation = call.world.front_door.new_id()
        raise refusal(refused, call.world.clock.now(), correlation) from refused
    except NotModelled as error:
        raise _not_modelled(str(error)) from error


def _answer(call: Call, body: Mapping[str, Any]) -> Response:
    options = body.get("options") or {}
    if unknown := (set(body) - _FIELDS) | (set(options) - _OPTIONS) | _used_facets(body):
        raise _not_modelled(f"request fields {sorted(unknown)}")
    text = body.get("query")
    if not isinstance(text, str) or not text.strip():
        raise _bad_payload("The query must not be empty.")
    graph = call.world.graph
    scope = _scope(call, body)
    question = f"{text}\n{sorted(scope) if scope is not None else None}"
    if token := options.get("$skipToken"):
        try:
            result, start, size = graph.continued(question, token)
        except KeyError:
            raise _bad_payload("The skip token is invalid or has expired.") from None
        start, size = options.get("$skip") or start, _top(options, size)
    else:
        result = graph.run(text, scope)
        start, size = options.get("$skip") or 0, _top(options, PAGE)
    rows = result.page(start, size)
    more = start + len(rows) < len(result.rows)
    # models graph-no-token
    pages = more and result.pages and any(column.type != "object" for column in result.columns)
    answer: dict[str, Any] = {
        "totalRecords": len(result.rows),
        "count": len(rows),
        "data": _shaped(call, options, result, rows),
        "facets": [],
        # models graph-truncated-flag
        "resultTruncated": "true" if more and not pages else "false",
    }
    if pages:
        answer["$skipToken"] = graph.keep(question, result, start + len(rows), size)
    return Response(200, answer, {"x-ms-tenant-subscription-limit-hit": "false"})


def _used_facets(body: Mapping[str, Any]) -> set[str]:
    return {"facets"} if body.get("facets") else set()


def _top(options: Mapping[str, Any], default: int) -> int:
    top = options.get("$top") or default
    if not 1 <= top <= PAGE:
        raise _bad_payload(f"The value of $top must be between 1 and {PAGE}.")
    return int(top)


# models graph-scope
def _scope(call: Call, body: Mapping[str, Any]) -> frozenset[str] | None:
    """Return the subscriptions that are asked about, None for all of the tenant."""
    subscriptions, groups = body.get("subscriptions"), body.get("managementGroups")
    if subscriptions:
        known = {name.lower() for name in call.world.groups.subscriptions}
        asked = frozenset(name.lower() for name in subscriptions) & known
        if not asked:
            given = ",".join(subscriptions)
            # models graph-no-subscription
            raise Refused(
                {
                    "code": "NoValidSubscriptionsInQueryRequest",
                    "message": "There must be at least one subscription that is eligible to "
                    f"contain resources. Given: '{given}'.",
                }
            )
        return asked
    if not groups or [name.lower() for name in groups] == [call.world.tenant.lower()]:
        return None
    found = [call.world.graph.subscriptions_of(name) for name in groups]
    if None in found:
        raise _not_modelled(f"management groups {groups} (see ResourceGraph.add_management_group)")
    return frozenset().union(*(names for names in found if names is not None))


# models graph-result-format
def _shaped(call: Call, options: Mapping[str, Any], result: Result, rows: list[list[Any]]) -> Any:
    """Return rows as objects, or as a table where asked (and by default in the oldest versions)."""
    oldest = call.request.query.get("api-version", "") < "2020"
    if options.get("resultFormat", "table" if oldest else "objectArray") == "table":
        columns = [{"name": column.name, "type": column.type} for column in result.columns]
        return {"columns": columns, "rows": rows}
    names = [column.name for column in result.columns]
    return [dict(zip(names, row, strict=True)) for row in rows]


def _bad_payload(message: str) -> Refused:
    return Refused({"code": "InvalidRequestPayload", "message": message})


def _not_modelled(what: str) -> ArmError:
    return ArmError(501, "RouteNotSimulated", f"azsim's Resource Graph lacks this: {what}")


ROUTES: tuple[Route, ...] = (
    Route(
        "graph.query",
        "POST",
        "/providers/Microsoft.ResourceGraph/resources",
        _query,
        action="Microsoft.ResourceGraph/resources/read",
    ),
)
