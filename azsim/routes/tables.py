"""
The Table service's wire: OData paths and JSON with minimal metadata, in and out.

Source: the Table service's REST reference ("Payload format for Table service operations", "Query
timeout and pagination") and what azure-data-tables sends.
"""

import base64
import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

from azsim.http import ArmError, Request, Response
from azsim.router import Call, Route
from azsim.routes.data_plane import allow_only, error_shape, guarded, not_simulated
from azsim.routes.table_batch import Part, answer_batch, read_batch
from azsim.routes.table_json import (
    MINIMAL_METADATA,
    entity_out,
    json_type,
    no_metadata,
    properties_in,
)
from azsim.storage import Account
from azsim.table_filter import Edm, Value, compile_filter
from azsim.tables import PAGE, Effect, Entity, Key, TransactionFailed, Write

HOST = ".table.core.windows.net"
_QUERY = frozenset(
    {"$filter", "$top", "$select", "nextpartitionkey", "nextrowkey", "nexttablename"}
)
_ADDRESS = re.compile(
    r"/(?P<table>[^()/]+)(?:\((?:PartitionKey='(?P<pk>(?:[^']|'')*)',"
    r"RowKey='(?P<rk>(?:[^']|'')*)'|'(?P<name>[^']*)')?\))?"
)


def _list_tables(call: Call, account: Account) -> Response:
    allow_only(call.request, query=_QUERY, refused_headers=frozenset())
    names = [table.name for table in account.tables]
    if text := call.request.query.get("$filter"):
        test = compile_filter(text)
        names = [name for name in names if test({"TableName": Value(Edm.STRING, name)})]
    start = call.request.query.get("nexttablename")
    names = [name for name in names if start is None or name.lower() >= _from_token(start).lower()]
    top = _top(call.request)
    headers = {"Content-Type": MINIMAL_METADATA}
    if len(names) > top:
        headers["x-ms-continuation-NextTableName"] = _to_token(names[top])
    body = {
        "odata.metadata": f"{call.request.origin}/$metadata#Tables",
        "value": [{"TableName": name} for name in names[:top]],
    }
    return Response(200, body, headers)


def _create_table(call: Call, account: Account) -> Response:
    name = call.request.json["TableName"]
    account.create_table(name)
    if _no_content_wanted(call.request):
        return Response(204, None, {"Preference-Applied": "return-no-content"})
    body = {
        "odata.metadata": f"{call.request.origin}/$metadata#Tables/@Element",
        "TableName": name,
    }
    return Response(201, body, {"Content-Type": MINIMAL_METADATA})


def _read(call: Call, account: Account) -> Response:
    """Answer a query of a table, or one entity by its keys."""
    allow_only(call.request, query=_QUERY, refused_headers=frozenset())
    name, key = _address(call.request)
    table = account.tables.get(name)
    metadata = f"{call.request.origin}/$metadata#{name}"
    if key is not None:
        entity = table.get(key)
        body = entity_out(call.request, entity, f"{metadata}/@Element")
        return Response(200, body, {**json_type(call.request), "ETag": entity.etag})
    text = call.request.query.get("$filter")
    page = table.query(
        compile_filter(text) if text else None, start=_start(call.request), top=_top(call.request)
    )
    headers = json_type(call.request)
    if page.next_key is not None:
        headers["x-ms-continuation-NextPartitionKey"] = _to_token(page.next_key[0])
        headers["x-ms-continuation-NextRowKey"] = _to_token(page.next_key[1])
    value = [entity_out(call.request, entity, None) for entity in page.entities]
    listed: dict[str, Any] = {"value": value}
    if not no_metadata(call.request):
        listed = {"odata.metadata": metadata, **listed}
    return Response(200, listed, headers)


def _change(call: Call, account: Account) -> Response:
    name, key = _address(call.request)
    if name == "Tables" and call.request.method == "DELETE":
        account.tables.delete(_table_named(call.request), call.world.clock.now())
        return Response(204)
    table = account.tables.get(name)
    write = _write_of(call.request, key)
    return _written(call.request, name, write, table.write(write))


def _batch(call: Call, account: Account) -> Response:
    parts, new_id = read_batch(call.request), call.world.front_door.new_id
    if len({_address(part.request)[0].lower() for part in parts}) > 1:
        raise ArmError(400, "InvalidInput", "All commands in a batch must operate on one table.")
    name = _address(parts[0].request)[0]
    writes = [_write_of(part.request, _address(part.request)[1]) for part in parts]
    try:
        outcomes = account.tables.get(name).transact(writes)
    except TransactionFailed as failed:
        error = ArmError(
            failed.error.status, failed.error.code, f"{failed.index}:{failed.error.message}"
        )
        return answer_batch(
            call.world.front_door.new_id, [Part(parts[0].request, ERRORS(call, error))]
        )
    answers = [
        Part(part.request, _written(part.request, name, write, outcome))
        for part, write, outcome in zip(parts, writes, outcomes, strict=True)
    ]
    return answer_batch(new_id, answers)


_EFFECTS: Mapping[str, Effect] = {
    "POST": Effect.INSERT,
    "PUT": Effect.REPLACE,
    "PATCH": Effect.MERGE,
    "MERGE": Effect.MERGE,
    "DELETE": Effect.DELETE,
}


def _write_of(request: Request, key: Key | None) -> Write:
    effect = _EFFECTS[request.method]
    sent = {} if effect is Effect.DELETE else dict(request.json or {})
    if effect is Effect.INSERT:
        if not isinstance(sent.get("PartitionKey"), str) or not isinstance(sent.get("RowKey"), str):
            raise ArmError(
                400,
                "PropertiesNeedValue",
                "The values are not specified for all properties in the entity.",
            )
        key = (sent["PartitionKey"], sent["RowKey"])
    if key is None:
        raise not_simulated(request, "change of a table without the keys of an entity")
    if_match = request.header("if-match")
    if effect is Effect.DELETE and if_match is None:
        raise ArmError(
            400,
            "MissingRequiredHeader",
            "An HTTP header that's mandatory for this request is not specified.",
        )
    return Write(effect, key, dict(properties_in(sent)), if_match)


def _written(request: Request, table: str, write: Write, after: Entity | None) -> Response:
    if after is None:
        return Response(204)
    if write.effect is not Effect.INSERT:
        return Response(204, None, {"ETag": after.etag})
    place = f"{request.origin}/{table}(PartitionKey='{after.key[0]}',RowKey='{after.key[1]}')"
    headers = {"ETag": after.etag, "Location": place}
    if _no_content_wanted(request):
        headers |= {"DataServiceId": place, "Preference-Applied": "return-no-content"}
        return Response(204, None, headers)
    metadata = f"{request.origin}/$metadata#{table}/@Element"
    body = entity_out(request, after, metadata)
    return Response(201, body, {**json_type(request), **headers})


def _address(request: Request) -> tuple[str, Key | None]:
    """Return the table's name and the entity's keys, if `/t(PartitionKey='a',…)` has any."""
    match = _ADDRESS.fullmatch(unquote(urlsplit(request.url).path))
    if match is None:
        raise ArmError(400, "InvalidInput", "Request url is invalid.")
    if match["pk"] is None:
        return match["table"], None
    return match["table"], (match["pk"].replace("''", "'"), match["rk"].replace("''", "'"))


def _table_named(request: Request) -> str:
    match = _ADDRESS.fullmatch(unquote(urlsplit(request.url).path))
    if match is None or match["name"] is None:
        raise ArmError(400, "InvalidInput", "Request url is invalid.")
    return match["name"]


def _start(request: Request) -> Key | None:
    partition, row = (request.query.get(f"next{part}key") for part in ("partition", "row"))
    return (_from_token(partition), _from_token(row or "")) if partition else None


def _top(request: Request) -> int:
    text = request.query.get("$top", str(PAGE))
    if not text.isdigit() or int(text) > PAGE:
        raise ArmError(
            400,
            "InvalidInput",
            "One of the request inputs is not valid.",
        )
    return int(text)


# models table-pages
def _to_token(key: str) -> str:
    """Return an opaque continuation in the form of the real ones: `1!8!…`, base64 of the key."""
    encoded = base64.b64encode(key.encode()).decode().replace("=", "-")
    return f"1!{len(encoded)}!{encoded}"


def _from_token(token: str) -> str:
    if not token:
        return ""
    try:
        return base64.b64decode(token.split("!")[2].replace("-", "=")).decode()
    except (IndexError, ValueError):
        raise ArmError(
            400,
            "InvalidQueryParameterValue",
            "Value for one of the query parameters specified in the request URI is invalid.",
        ) from None


def _no_content_wanted(request: Request) -> bool:
    return request.header("prefer") == "return-no-content"


def _odata_error(_call: Call, code: str, message: str) -> tuple[str, bytes]:
    body = {"odata.error": {"code": code, "message": {"lang": "en-US", "value": message}}}
    return MINIMAL_METADATA, json.dumps(body).encode()


ERRORS = error_shape(_odata_error, code_header=False)

ROUTES: tuple[Route, ...] = tuple(
    Route(name, method, path, guarded(handler), host=HOST, errors=ERRORS)
    for name, method, path, handler in (
        ("tables.list", "GET", "/Tables", _list_tables),
        ("tables.create", "POST", "/Tables", _create_table),
        ("tables.read", "GET", "/{*address}", _read),
        ("tables.insert", "POST", "/{*address}", _change),
        ("tables.replace", "PUT", "/{*address}", _change),
        ("tables.merge", "PATCH", "/{*address}", _change),
        ("tables.merge_verb", "MERGE", "/{*address}", _change),
        ("tables.delete", "DELETE", "/{*address}", _change),
        ("tables.transact", "POST", "/$batch", _batch),
    )
)
