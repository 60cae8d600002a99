"""
Holds what goes over the simulated wire against Azure's own OpenAPI 2.0 documents.

The documents lie beside this repository (../shared/specs); where they do not, nothing is checked
and ABSENT says so. A call that no document covers is not checked; what a document refers to in a
file that we do not have may be anything. What real Azure does other than its documents say is
listed in EXCEPTIONS, each with the reason: nothing else is let through.
"""

import base64
import binascii
import json
import re
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from azsim.world import Exchange

SHARED = Path(__file__).parents[2] / "shared"
SPECIFICATIONS = SHARED / "specs"
ABSENT = "the official OpenAPI documents are not beside this repository (../shared/specs)"

_DATA_PLANES = {
    "communication": ".communication.azure.com",
    "operationalinsights": ".loganalytics.io",
    "eventgrid": ".eventgrid.azure.net",
}


@dataclass(frozen=True, slots=True)
class Deviation:
    """Where real Azure and its documents differ: patterns of operation, place and complaint."""

    operation: str
    place: str
    complaint: str
    reason: str

    def covers(self, problem: "Problem") -> bool:
        return (
            re.fullmatch(self.operation, problem.operation) is not None
            and re.fullmatch(self.place, problem.place) is not None
            and re.fullmatch(self.complaint, problem.complaint) is not None
        )


EXCEPTIONS: tuple[Deviation, ...] = (
    Deviation(
        operation="Query_(Get|Execute|Batch)",
        place=r"response\.(responses\[\d+\]\.body\.)?tables\[\d+\]\.rows\[\d+\]\[\d+\]",
        complaint="is null",
        reason="A cell of a Log Analytics row may be null: the document's own examples say so.",
    ),
    Deviation(
        operation="Query_(Get|Execute|Batch)",
        place=r"response\.tables\[\d+\]\.rows\[\d+\]\[\d+\]",
        complaint=".* is no string",
        reason="The document v1 calls each cell text; the newer one lets it be anything, and the "
        "recordings of the Azure SDKs have numbers.",
    ),
)


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is not as the document says; `place` is a path such as `response.value[0]`."""

    operation: str
    place: str
    complaint: str

    def __str__(self) -> str:
        return f"{self.operation}: {self.place}: {self.complaint}"


class Mismatch(AssertionError):
    """An exchange that the official documents do not allow."""

    def __init__(self, what: str, problems: Sequence[Problem]) -> None:
        super().__init__("\n  ".join([what, *map(str, problems)]))
        self.problems = list(problems)


@dataclass(frozen=True, slots=True)
class Call:
    """One exchange as the checker needs it."""

    method: str
    host: str
    path: str
    query: Mapping[str, str]
    request: Any
    status: int
    response: Any


@dataclass(frozen=True, slots=True)
class Schema:
    """A piece of a document, and the document that its references start from."""

    document: Path
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Operation:
    """One method on one path of one document."""

    document: Path
    id: str
    method: str
    template: str
    version: str
    parameters: tuple[Mapping[str, Any], ...]
    responses: Mapping[str, Any]
    examples: tuple[Path, ...]

    @property
    def literals(self) -> int:
        return sum(not part.startswith("{") for part in self.template.split("/"))

    def matches(self, path: str) -> bool:
        return _pattern(self.template).fullmatch(path) is not None


@dataclass
class Checker:
    """An observer of a world. Raises at once and keeps what it found, as hosts swallow errors."""

    problems: list[Problem] = field(default_factory=list)
    checked: int = 0

    def __call__(self, exchange: Exchange) -> None:
        call = _call_of(exchange)
        found = check(call)
        if found is None:
            return
        self.checked += 1
        if found:
            self.problems += found
            raise Mismatch(f"{call.method} {call.path} answered {call.status}", found)


def check(call: Call) -> list[Problem] | None:
    """Return what is wrong with the call: nothing if all is well, None if no document says."""
    if (operation := operation_of(call)) is None:
        return None
    return check_against(operation, call)


def check_against(operation: Operation, call: Call) -> list[Problem]:
    """
    Return what is wrong with the call, if it is one of `operation`.

    A request that was refused may be as wrong as it likes: that is what refusals are for.
    """
    sent = _check_request(operation, call) if call.status < 400 else ()
    found = [*sent, *_check_response(operation, call)]
    return [problem for problem in found if not excused(problem)]


def excused(problem: Problem) -> bool:
    """Tell whether the problem is one of those listed by name."""
    return any(deviation.covers(problem) for deviation in EXCEPTIONS)


def operation_of(call: Call) -> Operation | None:
    """Return the operation that covers the call: of its api-version, else of the newest."""
    candidates = [
        operation
        for operation in _of_length(call.method.upper(), call.path.count("/"))
        if operation.matches(call.path) and _serves(operation.document, call.host)
    ]
    version = call.query.get("api-version", "")
    return max(
        candidates,
        key=lambda found: (found.literals, found.version == version, found.version),
        default=None,
    )


@cache
def operations() -> tuple[Operation, ...]:
    """Return every operation of every document."""
    return tuple(
        operation
        for path in sorted(SPECIFICATIONS.rglob("*.json"))
        if "examples" not in path.parts
        for operation in _operations_of(path)
    )


@cache
def _of_length(method: str, slashes: int) -> tuple[Operation, ...]:
    return tuple(
        operation
        for operation in operations()
        if operation.method == method and operation.template.rstrip("/").count("/") == slashes
    )


def _operations_of(path: Path) -> Iterator[Operation]:
    document = _load(path)
    paths = {**document.get("paths", {}), **document.get("x-ms-paths", {})}
    base = document.get("basePath", "").rstrip("/")
    for below, methods in paths.items():
        template = base + below
        shared = methods.get("parameters", [])
        for method, body in methods.items():
            if method == "parameters":
                continue
            parameters = [_resolve(Schema(path, p)) for p in [*shared, *body.get("parameters", [])]]
            yield Operation(
                document=path,
                id=body.get("operationId", f"{method} {template}"),
                method=method.upper(),
                template=template,
                version=document["info"]["version"],
                parameters=tuple(
                    {**p.body, "x-document": p.document} for p in parameters if "in" in p.body
                ),
                responses=body["responses"],
                examples=tuple(
                    found
                    for example in body.get("x-ms-examples", {}).values()
                    if (found := (path.parent / example["$ref"]).resolve()).exists()
                ),
            )


def _serves(document: Path, host: str) -> bool:
    if "resource-manager" in document.parts:
        return not any(host.endswith(suffix) for suffix in _DATA_PLANES.values())
    service = document.relative_to(SPECIFICATIONS / "specification").parts[0]
    return host.endswith(_DATA_PLANES.get(service, service))


def _call_of(exchange: Exchange) -> Call:
    headers, payload = exchange.response.encoded()
    kind = next((v for k, v in headers.items() if k.lower() == "content-type"), "")
    request = exchange.request
    sent_json = "json" in (request.header("content-type") or "")
    return Call(
        method=request.method,
        host=urlsplit(request.url).hostname or "",
        path=request.path,
        query=request.query,
        request=request.json if sent_json and request.body else None,
        status=exchange.response.status,
        response=json.loads(payload) if payload and "json" in kind else None,
    )


def _check_request(operation: Operation, call: Call) -> Iterator[Problem]:
    for parameter in operation.parameters:
        schema = Schema(parameter["x-document"], parameter)
        name, required = parameter["name"], parameter.get("required", False)
        match parameter["in"]:
            case "query":
                value = call.query.get(name.lower())
                if value is None and required:
                    yield Problem(operation.id, f"query.{name}", "is required")
                elif value is not None and name != "api-version":
                    yield from _check(operation, f"query.{name}", schema, _typed(parameter, value))
            case "body":
                if call.request is not None:
                    inner = Schema(schema.document, parameter["schema"])
                    yield from _check(operation, "request", inner, call.request)
                elif required:
                    yield Problem(operation.id, "request", "is required")


def _check_response(operation: Operation, call: Call) -> Iterator[Problem]:
    described = operation.responses.get(str(call.status))
    if described is None and call.status >= 400:
        described = operation.responses.get("default", {})
    if described is None:
        yield Problem(operation.id, "status", f"{call.status} is not in the document")
        return
    resolved = _resolve(Schema(operation.document, described))
    if "schema" not in resolved.body or call.status == 304:
        return
    if call.response is None:
        if call.status < 400:
            yield Problem(operation.id, "response", "is empty")
        return
    schema = Schema(resolved.document, resolved.body["schema"])
    yield from _check(operation, "response", schema, call.response)


def _check(operation: Operation, place: str, schema: Schema, value: Any) -> Iterator[Problem]:
    """Yield what is wrong with `value` at `place`."""
    schema = _resolve(schema)
    if isinstance(value, dict) and (discriminator := schema.body.get("discriminator")):
        subtypes = _subtypes(schema.document, id(schema.body))
        named = value.get(discriminator)
        if named is not None and str(named).lower() not in subtypes:
            yield Problem(operation.id, f"{place}.{discriminator}", f"{_short(named)} is unknown")
        schema = subtypes.get(str(named).lower(), schema)
    body = schema.body
    if complaint := _complaint(body, value):
        yield Problem(operation.id, place, complaint)
        return
    if isinstance(value, dict):
        yield from _check_object(operation, place, schema, value)
        return
    for part in body.get("allOf", ()):
        yield from _check(operation, place, Schema(schema.document, part), value)
    if isinstance(value, list) and "items" in body:
        for number, entry in enumerate(value):
            inner = Schema(schema.document, body["items"])
            yield from _check(operation, f"{place}[{number}]", inner, entry)


def _check_object(
    operation: Operation, place: str, schema: Schema, value: Mapping[str, Any]
) -> Iterator[Problem]:
    body = schema.body
    for part in body.get("allOf", ()):
        # The subtype was chosen already: its ancestors must not choose again.
        yield from _check_object(operation, place, _resolve(Schema(schema.document, part)), value)
    for name in body.get("required", ()):
        described = body.get("properties", {}).get(name, {})
        if value.get(name) is None and not (place == "request" and described.get("readOnly")):
            yield Problem(operation.id, f"{place}.{name}", "is required")
    for name, described in body.get("properties", {}).items():
        if value.get(name) is not None:
            inner = Schema(schema.document, described)
            yield from _check(operation, f"{place}.{name}", inner, value[name])
    more = body.get("additionalProperties", True)
    for name in value.keys() - body.get("properties", {}).keys():
        if more is False:
            yield Problem(operation.id, f"{place}.{name}", "is not allowed")
        elif isinstance(more, dict) and value[name] is not None:
            inner = Schema(schema.document, more)
            yield from _check(operation, f"{place}.{name}", inner, value[name])


def _complaint(body: Mapping[str, Any], value: Any) -> str | None:
    """Say why a value is not of the type, format or set that its schema asks for."""
    kind = body.get("type", "object" if "properties" in body else None)
    if value is None:
        return None if body.get("x-nullable") else "is null"
    if kind == "object" and not body.get("properties") and "allOf" not in body:
        return None  # How these documents write "anything" (Resource Graph's data is a list).
    if kind in _TYPES and (not isinstance(value, _TYPES[kind]) or _is_odd_bool(kind, value)):
        return f"{_short(value)} is no {kind}"
    closed = "enum" in body and not body.get("x-ms-enum", {}).get("modelAsString")
    if closed and value not in body["enum"]:
        return f"{_short(value)} is none of {body['enum']}"
    if isinstance(value, str):
        return _text_complaint(body, value)
    if isinstance(value, int | float) and not body.get("minimum", value) <= value:
        return f"{value} is less than {body['minimum']}"
    if isinstance(value, int | float) and not value <= body.get("maximum", value):
        return f"{value} is more than {body['maximum']}"
    return None


def _text_complaint(body: Mapping[str, Any], value: str) -> str | None:
    shape = body.get("format")
    if shape in _FORMATS and not _FORMATS[shape](value):
        return f"{_short(value)} is no {shape}"
    if "pattern" in body and not re.search(body["pattern"], value):
        return f"{_short(value)} does not match {body['pattern']}"
    if not body.get("minLength", 0) <= len(value) <= body.get("maxLength", len(value)):
        return f"{_short(value)} is too short or too long"
    return None


@cache
def _subtypes(document: Path, base: int) -> dict[str, Schema]:
    """
    Return the definitions below one of a document, by the discriminator that names them.

    `base` is the identity of that definition's body, which lasts as long as its document is kept.
    """
    definitions = _load(document).get("definitions", {})
    names = {name for name, body in definitions.items() if id(body) == base}
    found: dict[str, Schema] = {}
    for name, body in definitions.items():
        if names & _ancestors(definitions, name):
            value = body.get("x-ms-discriminator-value", name)
            found[value.lower()] = Schema(document, body)
    return found


def _ancestors(definitions: Mapping[str, Any], name: str) -> set[str]:
    parents = {
        part["$ref"].rsplit("/", 1)[1]
        for part in definitions.get(name, {}).get("allOf", ())
        if part.get("$ref", "").startswith("#/definitions/")
    }
    return parents.union(*(_ancestors(definitions, parent) for parent in parents))


def _resolve(schema: Schema) -> Schema:
    """Follow references, within the document and into others (those that are here)."""
    while "$ref" in schema.body:
        file, _, pointer = schema.body["$ref"].partition("#")
        path = (schema.document.parent / file).resolve() if file else schema.document
        found: Any = _load(path)
        for part in pointer.strip("/").split("/"):
            found = found[part.replace("~1", "/").replace("~0", "~")] if found else {}
        schema = Schema(path, found)
    return schema


@cache
def _load(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    loaded: dict[str, Any] = json.loads(path.read_text(encoding="utf-8-sig"))
    return loaded


@cache
def _pattern(template: str) -> re.Pattern[str]:
    parts = [
        "[^/]+" if part.startswith("{") else re.escape(part)
        for part in template.split("?")[0].strip("/").split("/")
    ]
    return re.compile("/" + "/".join(parts), re.IGNORECASE)


def _typed(parameter: Mapping[str, Any], value: str) -> Any:
    match parameter.get("type"):
        case "integer" if value.lstrip("-").isdigit():
            return int(value)
        case "boolean" if value.lower() in ("true", "false"):
            return value.lower() == "true"
    return value


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def _is_odd_bool(kind: str, value: Any) -> bool:
    return kind in ("integer", "number") and isinstance(value, bool)


_TYPES: Mapping[str, type | tuple[type, ...]] = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
}
_DURATION = re.compile(r"-?P(?=.)(\d+Y)?(\d+M)?(\d+W)?(\d+D)?(T(?=.)(\d+H)?(\d+M)?([\d.]+S)?)?")
_DATE_TIME = re.compile(
    r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)?",
)


def _is_date(value: str) -> bool:
    try:
        date.fromisoformat(value)
    except ValueError:
        return False
    return True


def _is_date_time(value: str) -> bool:
    if not _DATE_TIME.fullmatch(value):
        return False
    try:
        datetime.fromisoformat(value[:19])
    except ValueError:
        return False
    return True


def _is_uuid(value: str) -> bool:
    try:
        uuid.UUID(value)
    except ValueError:
        return False
    return True


def _is_base64(value: str) -> bool:
    try:
        base64.b64decode(value, validate=True)
    except (ValueError, binascii.Error):
        return False
    return True


_FORMATS = {
    "date": _is_date,
    "date-time": _is_date_time,
    "duration": lambda value: _DURATION.fullmatch(value) is not None,
    "uuid": _is_uuid,
    "byte": _is_base64,
}
