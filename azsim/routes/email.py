"""
The wire of Communication Services' mail: send, and ask what came of it.

Source: the specification (communication email 2023-03-31; the SDK 1.1.0 speaks 2025-09-01). Codes
that are not in public reports of real answers are guessed; the page tells which.
"""

import math
import re
import uuid
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from azsim.email import Domain, Operation, Repeated, Service
from azsim.email_outbox import is_base64
from azsim.http import ArmError, Response, json_object
from azsim.identity import audience_of
from azsim.router import Call, Route
from azsim.ticks import http_date

HOST = ".communication.azure.com"
_AUDIENCE = "https://communication.azure.com"
# models email-retry-after
_COME_BACK = "20"
_ADDRESS = re.compile(r"[^@\s<>,;]+@[^@\s<>,;]+\.[^@\s<>,;]+")
# models email-repeatability
_TRACKED = timedelta(minutes=5)


# models email-error-form
def _error(call: Call, error: ArmError) -> Response:
    """Write an error as the data planes of Azure do: its code in a header as well."""
    body = {"error": {"code": error.code, "message": error.message}}
    return Response(
        error.status, body, {**_headers(call), "x-ms-error-code": error.code, **error.headers}
    )


def _headers(call: Call) -> dict[str, str]:
    headers = {
        "Date": http_date(call.world.clock.now()),
        "x-ms-request-id": call.world.front_door.new_id(),
    }
    if sent := call.request.header("x-ms-client-request-id"):
        headers["x-ms-client-request-id"] = sent
    return headers


# models email-entra-only
def _service(call: Call) -> Service:
    """Return the service that the host names, for a caller with a token for it."""
    service = call.world.email.service(call.request.host)
    if not call.world.identity.principal_of(call.request):
        raise ArmError(401, "Denied", "Denied by the resource provider.")
    audience = audience_of(call.request)
    if audience and audience != _AUDIENCE:
        raise ArmError(401, "Denied", "Denied by the resource provider.")
    return service


def _send(call: Call) -> Response:
    email, service = call.world.email, _service(call)
    body = json_object(call.request.json)
    if (before := _repeated_request(call, service, body)) is not None:
        return _accepted(call, before, {"Repeatability-Result": "accepted"})
    domain = _checked(call, service, body)
    limits = email.limits
    _admit(
        call,
        email.wait(
            service,
            "managed sends" if domain.managed else "sends",
            limits.managed_sends if domain.managed else limits.sends,
        ),
    )
    operation_id = _operation_id(call)
    known = service.operations.get(operation_id.lower())
    # models email-repeated-id
    if known is not None and email.doubts.repeated is Repeated.REFUSED:
        raise ArmError(409, "Conflict", f"The operation id {operation_id} was used before.")
    if known is not None and email.doubts.repeated is Repeated.ANSWERED_AGAIN:
        operation = known
    else:
        operation = email.accept(service, domain, operation_id, body)
    if request_id := call.request.header("repeatability-request-id"):
        service.requests[request_id.lower()] = (body, operation.id)
        return _accepted(call, operation, {"Repeatability-Result": "accepted"})
    return _accepted(call, operation)


# models email-accepted
def _accepted(call: Call, operation: Operation, more: Mapping[str, str] | None = None) -> Response:
    version = call.request.query.get("api-version", "2023-03-31")
    where = f"{call.request.origin}/emails/operations/{operation.id}?api-version={version}"
    headers = {"Operation-Location": where, "retry-after": _COME_BACK, **(more or {})}
    body = {"id": operation.id, "status": "Running", "error": None}
    return Response(202, body, {**_headers(call), **headers})


# models email-operation
def _get(call: Call) -> Response:
    email, service, now = call.world.email, _service(call), call.world.clock.now()
    operation = service.operations.get(call["operation"].lower())
    # models email-operation-gone
    if operation is None or now - operation.ends > email.doubts.operations_kept:
        raise ArmError(404, "NotFound", f"The operation {call['operation']} was not found.")
    _admit(call, _wait_to_ask(call, service, operation.domain))
    status = operation.status(now)
    body: dict[str, Any] = {"id": operation.id, "status": status, "error": None}
    if status == "Failed" and operation.failure:
        body["error"] = dict(zip(("code", "message"), operation.failure, strict=True))
    wait = {"retry-after": _COME_BACK} if status == "Running" else {}
    return Response(200, body, {**_headers(call), **wait})


# models email-polls
def _wait_to_ask(call: Call, service: Service, domain: Domain) -> timedelta | None:
    email, managed = call.world.email, domain.managed
    if email.doubts.polls_spend_sends:
        budget = email.limits.managed_sends if managed else email.limits.sends
        return email.wait(service, "managed sends" if managed else "sends", budget)
    budget = email.limits.managed_polls if managed else email.limits.polls
    return email.wait(service, "managed polls" if managed else "polls", budget)


# models email-429
def _admit(call: Call, wait: timedelta | None) -> None:
    if wait is None:
        return
    seconds = str(max(1, math.ceil(wait.total_seconds())))
    raise ArmError(
        429,
        "TooManyRequests",
        f"The request was throttled. Please try again after {seconds} seconds.",
        {"Retry-After": seconds},
    )


def _operation_id(call: Call) -> str:
    given = call.request.header("operation-id")
    if given is None:
        return call.world.email.new_id()
    if not _is_guid(given):
        raise ArmError(400, "BadRequest", "The Operation-Id is not a valid GUID.")
    return given


def _repeated_request(call: Call, service: Service, body: Mapping[str, Any]) -> Operation | None:
    """Return the operation that this very request began before; raises ArmError 400 or 412."""
    request_id = call.request.header("repeatability-request-id")
    first_sent = call.request.header("repeatability-first-sent")
    if request_id is None and first_sent is None:
        return None
    sent = _http_time(first_sent or "")
    if sent is None or not _is_guid(request_id or ""):
        raise _not_repeatable(400, "BadRequest", "The repeatability headers are not valid.")
    if abs(call.world.clock.now() - sent) > _TRACKED:
        said = "Repeatability first sent header is not within the 5 minutes window."
        raise _not_repeatable(412, "PreconditionFailed", said)
    if (before := service.requests.get((request_id or "").lower())) is None:
        return None
    if before[0] != body:
        said = "The request does not match the first one of this Repeatability-Request-ID."
        raise _not_repeatable(400, "BadRequest", said)
    return service.operations[before[1].lower()]


def _not_repeatable(status: int, code: str, message: str) -> ArmError:
    return ArmError(status, code, message, {"Repeatability-Result": "rejected"})


def _checked(call: Call, service: Service, body: Mapping[str, Any]) -> Domain:
    """Return the domain that the mail is sent from; raises ArmError 400, 404 or 413."""
    # models email-size
    if len(call.request.body) > call.world.email.limits.size:
        raise ArmError(413, "RequestEntityTooLarge", "The request is larger than 10 MB.")
    if problem := next(_problems(body, call.world.email.limits.recipients), None):
        raise ArmError(400, *problem)
    sender = str(body["senderAddress"])
    # models email-domain-not-linked
    if (domain := service.domain_of(sender)) is None:
        said = "The specified sender domain has not been linked."
        raise ArmError(404, "DomainNotLinked", said)
    # models email-sender-names
    if sender.rpartition("@")[0].lower() not in domain.senders:
        said = "The specified sender username has not been set up for the domain."
        raise ArmError(400, "InvalidSenderUserName", said)
    return domain


# models email-refusals
def _problems(body: Mapping[str, Any], most: int) -> Iterator[tuple[str, str]]:
    """Yield code and message of what is wrong with a mail."""
    content, given = body.get("content") or {}, body.get("recipients") or {}
    if not isinstance(content, Mapping) or not isinstance(given, Mapping):
        yield "BadRequest", "The request could not be read."
        return
    if not body.get("senderAddress"):
        yield "BadRequest", "The sender address is missing."
    subject = content.get("subject")
    if not subject or "\n" in subject or "\r" in subject:
        yield "BadRequest", "The subject is missing or has more than one line."
    if not content.get("plainText") and not content.get("html"):
        yield "BadRequest", "The mail has no content."
    if not given.get("to"):
        yield "BadRequest", "The mail has no recipients."
    listed = [entry for kind in ("to", "cc", "bcc") for entry in given.get(kind) or ()]
    # models email-recipients
    if len(listed) > most:
        yield "BadRequest", f"The mail has more than {most} recipients."
    for entry in [*listed, *(body.get("replyTo") or ())]:
        # models email-invalid-address
        if not _ADDRESS.fullmatch(str(entry.get("address") or "")):
            yield "InvalidEmailAddress", "Invalid format for email address"
    for entry in body.get("attachments") or ():
        if not is_base64(str(entry.get("contentInBase64") or "")):
            yield "BadRequest", "An attachment is not base64."


def _is_guid(text: str) -> bool:
    try:
        uuid.UUID(text)
    except ValueError:
        return False
    return True


def _http_time(text: str) -> datetime | None:
    try:
        return parsedate_to_datetime(text)
    except ValueError:
        return None


ROUTES: tuple[Route, ...] = (
    Route("email.send", "POST", "/emails:send", _send, host=HOST, errors=_error),
    Route(
        "email.operation", "GET", "/emails/operations/{operation}", _get, host=HOST, errors=_error
    ),
)
