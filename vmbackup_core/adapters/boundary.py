"""
The one place where Azure's exceptions and answers become our errors.

Decides the reaction alone (wait, look again, ask a person, give up). What a refusal means for one
VM is another question, answered by domain/failures.py from the code that the error keeps.
"""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from email.utils import parsedate_to_datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from vmbackup_core.domain.errors import BackupError, Denied, Rejected, Retryable, Stale

if TYPE_CHECKING:
    from azure.core.exceptions import AzureError

# A code decides where it says more than the status does: a 409 of Recovery Services means "exists",
# "busy" or "never", and only the code tells (AZURE: enable protection; jobs).
BY_CODE: Mapping[str, type[BackupError]] = {
    "AnotherOperationInProgress": Retryable,
    "BMSUserErrorConflictingProtectionOperation": Retryable,
    "BMSUserErrorObjectLocked": Retryable,
    "CloudInternalError": Retryable,
    "DiscoveryInProgress": Retryable,
    "InternalServerError": Retryable,
    "OperationPreempted": Retryable,
    "ResourceGroupBeingDeleted": Retryable,
    "ResourceRequestsThrottled": Retryable,
    "ServerBusy": Retryable,
    "SubscriptionRequestsThrottled": Retryable,
    "TableBeingDeleted": Retryable,
    "ContainerBeingDeleted": Retryable,
    "TooManyRequests": Retryable,
    "UserErrorBackupOperationInProgress": Retryable,
    "CloudDosAbsoluteLimitReached": Rejected,
    "CloudDosAbsoluteLimitReachedWithRetry": Rejected,
    "AuthorizationFailed": Denied,
    "InvalidAuthenticationTokenTenant": Denied,
    "LinkedAuthorizationFailed": Denied,
    "MissingSubscriptionRegistration": Denied,
    "ReadOnlyDisabledSubscription": Denied,
    "RequestDisallowedByPolicy": Denied,
    "ScopeLocked": Denied,
    "SubscriptionNotFound": Denied,  # What ARM answers where we have no right there at all.
    "SubscriptionNotRegistered": Denied,
    "UserErrorKeyvaultPermissionsNotConfigured": Denied,
    "UserErrorRequestDisallowedByPolicy": Denied,
    "ResourceNotFound": Stale,
    "ResourceGroupNotFound": Stale,
    "ServiceResourceNotEmptyWithBackendMessage": Rejected,
    "VirtualMachineAlreadyProtected": Rejected,
    "OperationNotAllowed": Rejected,
}
# Azure Backup names refusals like this; those that time heals stand above.
REFUSALS = re.compile(r"(BMS)?UserError\w+")

BY_STATUS: Mapping[int, type[BackupError]] = {
    401: Denied,
    402: Denied,
    403: Denied,
    404: Stale,
    407: Denied,
    408: Retryable,
    409: Stale,
    410: Stale,
    412: Stale,
    423: Denied,
    425: Retryable,
    429: Retryable,
    449: Retryable,
    451: Denied,
    501: Rejected,
    505: Rejected,
}
# Answers that may come after the service has acted (a gateway gave up waiting for it).
LOST = frozenset({408, *range(500, 600)}) - {501, 505}

# Who cannot reach a host says the whole URL, and signed ones carry their key in the query.
_QUERY = re.compile(r"\?[^\s'\")>]+")
_WAIT_IN_TEXT = re.compile(r"try again after '(\d+)' seconds")
_LONGEST_MESSAGE = 1_000


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, as far as an error needs it; header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    code: str = ""
    message: str = ""


def reaction(status: int, code: str) -> type[BackupError]:
    """Return which of our errors a failed call is, by its code and else by its status."""
    if status == 429:  # Compute says "OperationNotAllowed" to who is too fast.
        return Retryable
    if (known := BY_CODE.get(code)) is not None:
        return known
    if REFUSALS.fullmatch(code) and status < 500 and status not in (401, 403):
        return Rejected
    if (known := BY_STATUS.get(status)) is not None:
        return known
    return Retryable if status >= 500 else Rejected


# Azure names whom it refuses; what we write down for good must not (evidence cannot forget).
_CALLER = re.compile(
    r"(the )?client '[^']*'( with object id '[^']*')?|[\w.+-]+@[\w-]+(\.[\w-]+)+", re.IGNORECASE
)


def refusal(doing: str, answer: Answer, *, writes: bool = False) -> BackupError:
    """Return our error for a failed answer; `writes` where the call should change something."""
    ours = reaction(answer.status, answer.code)
    said = _CALLER.sub("the caller", answer.message or f"HTTP {answer.status}")
    message = f"{doing}: {said}"[:_LONGEST_MESSAGE]
    if ours is Retryable:
        return Retryable(
            message,
            code=answer.code,
            status=answer.status,
            after=_wait_of(answer),
            maybe_done=writes and answer.status in LOST,
        )
    return ours(message, code=answer.code, status=answer.status)


def answer_of(status: int, headers: Mapping[str, str], body: bytes | str) -> Answer:
    """Read an answer's error from its body, in any of the forms that Azure's services have."""
    try:
        parsed = json.loads(body) if body else {}
    except ValueError:
        parsed = {}
    error = parsed if isinstance(parsed, dict) else {}
    for wrapper in ("error", "odata.error", "Error"):
        if isinstance(error.get(wrapper), dict):
            error = error[wrapper]
            break
    lowered = {name.lower(): value for name, value in headers.items()}
    code = error.get("code") or error.get("Code") or lowered.get("x-ms-error-code", "")
    message = error.get("message") or error.get("Message") or ""
    if isinstance(message, dict):  # The tables' form: {"lang": …, "value": …}
        message = message.get("value", "")
    details = error.get("details")
    for detail in details if isinstance(details, list) else ():
        if isinstance(detail, dict) and isinstance(detail.get("message"), str):
            message = f"{message} {detail['message']}"
    return Answer(status, lowered, str(code), str(message).strip())


def classify(error: "AzureError", doing: str, *, writes: bool = False) -> BackupError | None:
    """Return our error for one of azure-core's, None where it is a bug of ours."""
    for theirs, ours in _by_type():
        if isinstance(error, theirs):
            said = _QUERY.sub("?…", str(error.message))
            message = f"{doing}: {said}"[:_LONGEST_MESSAGE]
            return Retryable(message, maybe_done=writes and ours)
    answer = _answer_in(error)
    if answer is None:
        return None
    if answer.status < 400 and _is_denial(error):  # No token, hence no answer of the service.
        return Denied(f"{doing}: {answer.message}"[:_LONGEST_MESSAGE], code=answer.code)
    return refusal(doing, answer, writes=writes)


@contextmanager
def azure_errors(doing: str, *, writes: bool = False) -> Iterator[None]:
    """Raise our errors for Azure's, saying what we were doing."""
    from azure.core.exceptions import AzureError

    try:
        yield
    except AzureError as error:
        ours = classify(error, doing, writes=writes)
        if ours is None:
            raise
        raise ours from error


@cache
def _by_type() -> tuple[tuple[type[Exception], bool], ...]:
    """Errors without a status that means anything, and whether the call may have taken effect."""
    from azure.core import exceptions as az

    return (
        (az.ServiceRequestError, False),  # It never left.
        (az.ServiceResponseError, True),
        (az.DecodeError, True),  # A truncated body, whose status is 200.
    )


def _is_denial(error: "AzureError") -> bool:
    from azure.core.exceptions import ClientAuthenticationError

    return isinstance(error, ClientAuthenticationError)


def _answer_in(error: "AzureError") -> Answer | None:
    from azure.core.exceptions import HttpResponseError

    if not isinstance(error, HttpResponseError):
        return None
    response: Any = error.response
    headers = dict(getattr(response, "headers", None) or {})
    found = answer_of(error.status_code or 0, headers, _text_of(response))
    described = error.error
    theirs = getattr(error, "error_code", "") or ""  # A text, or an Enum of texts (storage).
    code = found.code or str(getattr(theirs, "value", theirs))
    code = code or (described.code if described and described.code else "")
    message = found.message or (described.message if described and described.message else "")
    return Answer(found.status, found.headers, code, message or str(error.message))


def _text_of(response: Any) -> str:
    """Return what was read of a body; one that was not read says nothing."""
    from azure.core.exceptions import AzureError

    if response is None:
        return ""
    try:
        return str(response.text())
    except (AttributeError, UnicodeDecodeError, AzureError):
        return ""


def _wait_of(answer: Answer) -> timedelta | None:
    """Return how long the service asked to be left alone, in any of its ways of saying so."""
    headers = answer.headers
    for name in ("retry-after-ms", "x-ms-retry-after-ms"):
        if headers.get(name, "").isdigit():
            return timedelta(milliseconds=int(headers[name]))
    if asked := headers.get("retry-after", ""):
        return timedelta(seconds=int(asked)) if asked.isdigit() else _until(asked, headers)
    if quota := re.fullmatch(r"(\d+):(\d+):(\d+)", headers.get("x-ms-user-quota-resets-after", "")):
        hours, minutes, seconds = map(int, quota.groups())
        return timedelta(hours=hours, minutes=minutes, seconds=seconds)
    if words := _WAIT_IN_TEXT.search(answer.message):
        return timedelta(seconds=int(words[1]))
    return None


def _until(date: str, headers: Mapping[str, str]) -> timedelta | None:
    """Return how far `date` lies after the answer's own Date, whatever our clock says."""
    try:
        wait = parsedate_to_datetime(date) - parsedate_to_datetime(headers.get("date", ""))
    except (ValueError, TypeError):
        return None
    return max(wait, timedelta(0))
