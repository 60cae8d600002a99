"""Every failure that Azure can answer with has a reaction, and keeps what evidence needs."""

import importlib
import inspect
import json
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from azure.core import exceptions as az

from vmbackup_core.adapters.boundary import (
    BY_CODE,
    Answer,
    answer_of,
    azure_errors,
    classify,
    reaction,
    refusal,
)
from vmbackup_core.domain import errors
from vmbackup_core.domain.errors import BackupError, Denied, Rejected, Retryable, Stale

FACTS = Path(__file__).parents[3] / "shared" / "AZURE_FACTS.md"

BUGS = (az.StreamConsumedError, az.StreamClosedError, az.ResponseNotReadError)
DOORS = (
    "azure.core.exceptions",
    "azure.identity",
    "azure.data.tables",
    "azure.storage.blob",
    "azure.mgmt.recoveryservices",
    "azure.mgmt.recoveryservicesbackup",
)


def subclasses(of: type[Any]) -> Iterator[type[Any]]:
    for cls in of.__subclasses__():
        yield cls
        yield from subclasses(cls)


def every_azure_error() -> list[type[Any]]:
    for name in DOORS:
        importlib.import_module(name)
    found = {cls for cls in subclasses(az.AzureError) if cls.__module__.startswith("azure.")}
    return sorted(found, key=lambda cls: f"{cls.__module__}.{cls.__qualname__}")


def of_kind(cls: type[Any]) -> Any:
    """Return an error of `cls`, made without its constructor, which each has in its own way."""
    error = cls.__new__(cls)
    base = az.HttpResponseError if issubclass(cls, az.HttpResponseError) else az.AzureError
    base.__init__(error, "no")
    return error


class FakeAnswer:
    """As much of a response as an error looks at."""

    def __init__(self, status: int, body: str = "", headers: dict[str, str] | None = None) -> None:
        self.status_code = status
        self.reason = "Because"
        self.headers = headers or {}
        self._body = body
        self.request = None

    def text(self, encoding: str | None = None) -> str:
        return self._body


def http_error(status: int, code: str = "", **headers: str) -> az.HttpResponseError:
    body = json.dumps({"error": {"code": code, "message": "no"}}) if code else ""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return az.HttpResponseError("no", response=FakeAnswer(status, body, named))


def test_the_errors_of_every_library_are_among_those_that_are_tried() -> None:
    libraries = {cls.__module__.split(".")[1] for cls in every_azure_error()}

    assert {"core", "identity", "data", "storage"} <= libraries


@pytest.mark.parametrize("cls", every_azure_error())
def test_every_error_of_azure_is_classified_or_known_to_be_our_bug(cls: type[Any]) -> None:
    ours = classify(of_kind(cls), "reading")

    assert (ours is None) == issubclass(cls, BUGS)


@pytest.mark.parametrize("status", range(400, 600))
@pytest.mark.parametrize("code", ["", "AndAnUnknownCode"])
def test_every_http_failure_has_a_reaction(status: int, code: str) -> None:
    ours = classify(http_error(status, code), "reading")

    assert type(ours) in (Retryable, Stale, Denied, Rejected)
    assert ours is not None
    assert (ours.status, ours.code) == (status, code)


@pytest.mark.parametrize(
    ("status", "ours"),
    [
        (400, Rejected),
        (401, Denied),
        (403, Denied),
        (404, Stale),
        (405, Rejected),
        (408, Retryable),
        (409, Stale),
        (412, Stale),
        (423, Denied),
        (429, Retryable),
        (500, Retryable),
        (501, Rejected),
        (502, Retryable),
        (503, Retryable),
        (504, Retryable),
    ],
)
def test_a_status_alone_says_what_to_do_next(status: int, ours: type[BackupError]) -> None:
    assert type(classify(http_error(status), "reading")) is ours


@pytest.mark.parametrize(
    ("status", "code", "ours"),
    [
        (409, "BMSUserErrorObjectLocked", Retryable),
        (409, "BMSUserErrorConflictingProtectionOperation", Retryable),
        (409, "DiscoveryInProgress", Retryable),
        (409, "UserErrorBackupOperationInProgress", Retryable),
        (400, "BMSUserErrorObjectLocked", Retryable),
        (400, "CloudInternalError", Retryable),
        (409, "BMSUserErrorDatasourceSoftDeleted", Rejected),
        (409, "UserErrorMigrationFromTrustedLaunchVMToNonTrustedVMNotAllowed", Rejected),
        (409, "BMSUserErrorSomethingNew", Rejected),
        (400, "BMSUserErrorInvalidConfigureProtectionRequest", Rejected),
        (400, "UserErrorGuestAgentStatusUnavailable", Rejected),
        (409, "ScopeLocked", Denied),
        (409, "MissingSubscriptionRegistration", Denied),
        (403, "RequestDisallowedByPolicy", Denied),
        (403, "AuthorizationFailed", Denied),
        (403, "LinkedAuthorizationFailed", Denied),
        (403, "UserErrorRequestDisallowedByPolicy", Denied),
        (404, "SubscriptionNotFound", Denied),
        (404, "ResourceNotFound", Stale),
        (429, "ResourceRequestsThrottled", Retryable),
        (429, "OperationNotAllowed", Retryable),
        (409, "OperationNotAllowed", Rejected),
        (500, "UserErrorWhichIsNoneOfTheUser", Retryable),
    ],
)
def test_a_code_says_more_than_its_status(status: int, code: str, ours: type[BackupError]) -> None:
    assert type(classify(http_error(status, code), "reading")) is ours


def known_codes() -> list[str]:
    if not FACTS.exists():
        return []
    return sorted(set(re.findall(r"\b(?:BMS)?UserError[A-Z]\w+\b", FACTS.read_text())))


@pytest.mark.skipif(not FACTS.exists(), reason="the facts about Azure are not on this machine")
def test_every_known_code_of_azure_backup_decides_for_itself() -> None:
    undecided = [code for code in known_codes() if reaction(409, code) is Stale]

    assert len(known_codes()) > 20
    assert undecided == []


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "300"}, 300),
        ({"Retry-After": "17"}, 17),
        ({"x-ms-retry-after-ms": "1500"}, 1.5),
        ({"retry-after-ms": "250", "retry-after": "9"}, 0.25),
        (
            {
                "Retry-After": "Mon, 02 Mar 2026 08:05:00 GMT",
                "Date": "Mon, 02 Mar 2026 08:00:00 GMT",
            },
            300,
        ),
        (
            {
                "Retry-After": "Mon, 02 Mar 2026 07:00:00 GMT",
                "Date": "Mon, 02 Mar 2026 08:00:00 GMT",
            },
            0,
        ),
        ({"x-ms-user-quota-resets-after": "00:00:03"}, 3),
    ],
)
def test_a_service_that_says_how_long_to_wait_is_believed(
    headers: dict[str, str], seconds: float
) -> None:
    ours = refusal("reading", answer_of(429, headers, b""))

    assert isinstance(ours, Retryable)
    assert ours.after == timedelta(seconds=seconds)


def test_the_wait_is_read_from_the_providers_words_where_no_header_has_it() -> None:
    body = {
        "error": {
            "code": "ResourceRequestsThrottled",
            "message": "Number of requests for action 'Microsoft.RecoveryServices/vaults/backupJobs"
            "/read' exceeded the limit of '150' for time interval '01:00:00'. Please try again "
            "after '324' seconds.",
        }
    }

    ours = refusal("listing jobs", answer_of(429, {}, json.dumps(body)))

    assert isinstance(ours, Retryable)
    assert ours.after == timedelta(seconds=324)


@pytest.mark.parametrize("header", ["soon", "Mon, 32 Mar 2026 08:05:00 GMT", ""])
def test_a_wait_that_cannot_be_read_is_no_wait(header: str) -> None:
    ours = refusal("reading", Answer(503, {"retry-after": header}))

    assert isinstance(ours, Retryable)
    assert ours.after is None


@pytest.mark.parametrize(
    ("error", "maybe_done"),
    [
        pytest.param(az.ServiceRequestError("never left"), False, id="never-left"),
        pytest.param(az.ServiceRequestTimeoutError("no connection"), False, id="not-connected"),
        pytest.param(az.ServiceResponseError("connection reset"), True, id="answer-lost"),
        pytest.param(az.ServiceResponseTimeoutError("slow"), True, id="answer-late"),
        pytest.param(az.IncompleteReadError("half a body"), True, id="half-an-answer"),
        pytest.param(http_error(408), True, id="408"),
        pytest.param(http_error(500), True, id="500"),
        pytest.param(http_error(504), True, id="504"),
        pytest.param(http_error(429), False, id="429"),
        pytest.param(http_error(409, "BMSUserErrorObjectLocked"), False, id="busy"),
    ],
)
def test_a_write_whose_answer_is_lost_may_have_been_done(
    error: az.AzureError, maybe_done: bool
) -> None:
    ours = classify(error, "protecting web", writes=True)

    assert isinstance(ours, Retryable)
    assert ours.maybe_done is maybe_done


def test_a_read_whose_answer_is_lost_did_nothing() -> None:
    ours = classify(az.ServiceResponseError("connection reset"), "reading web")

    assert isinstance(ours, Retryable)
    assert not ours.maybe_done


def test_a_token_that_cannot_be_had_is_denied() -> None:
    ours = classify(az.ClientAuthenticationError("no identity here"), "reading web")

    assert type(ours) is Denied


def test_a_busy_identity_endpoint_is_no_denial() -> None:
    error = az.ClientAuthenticationError("busy", response=FakeAnswer(503))

    assert type(classify(error, "reading web")) is Retryable


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({}, '{"error": {"code": "X", "message": "no"}}'),
        ({}, '{"code": "X", "message": "no"}'),
        ({}, '{"odata.error": {"code": "X", "message": {"lang": "en", "value": "no"}}}'),
        ({"x-ms-error-code": "X"}, "<?xml version='1.0'?><Error><Code>X</Code></Error>"),
    ],
)
def test_the_code_is_found_in_every_form_that_azure_has(headers: dict[str, str], body: str) -> None:
    assert answer_of(400, headers, body).code == "X"


def test_details_are_told_where_they_say_what_the_message_does_not() -> None:
    body = {
        "error": {
            "code": "RateLimiting",
            "message": "Please provide below info.",
            "details": [{"code": "RateLimiting", "message": "Client has been throttled."}],
        }
    }

    message = answer_of(429, {}, json.dumps(body)).message

    assert message == "Please provide below info. Client has been throttled."


@pytest.mark.parametrize("body", ["[]", '"text"', "null", "{", '{"error": "a text"}'])
def test_a_body_that_is_no_error_says_nothing(body: str) -> None:
    found = answer_of(500, {}, body)

    assert (found.code, found.message) == ("", "")


def test_our_error_says_what_we_were_doing_and_keeps_its_cause() -> None:
    def fail() -> None:
        with azure_errors("protecting web"):
            raise http_error(403, "AuthorizationFailed")

    with pytest.raises(Denied, match="protecting web: no") as caught:
        fail()

    assert isinstance(caught.value.__cause__, az.HttpResponseError)
    assert caught.value.code == "AuthorizationFailed"


@pytest.mark.parametrize("bug", [KeyError("oops"), az.StreamClosedError(FakeAnswer(200))])
def test_a_bug_is_not_dressed_up(bug: Exception) -> None:
    def fail() -> None:
        with azure_errors("protecting web"):
            raise bug

    with pytest.raises(type(bug)):
        fail()


def test_an_error_of_our_own_passes_unchanged() -> None:
    def fail() -> None:
        with azure_errors("protecting web"):
            raise Denied("the last gate", code="LastGate")

    with pytest.raises(Denied, match=r"^the last gate$"):
        fail()


def test_every_reaction_of_ours_is_one_that_the_core_knows() -> None:
    known = {cls for _, cls in inspect.getmembers(errors, inspect.isclass)}

    assert set(BY_CODE.values()) <= known


@pytest.mark.parametrize(
    "said",
    [
        "The client 'jane.doe@contoso.com' with object id '7f3c' has no authorization",
        "The user jane.doe@contoso.com may not do it",
    ],
)
def test_whom_azure_refuses_is_not_named(said: str) -> None:
    body = json.dumps({"error": {"code": "AuthorizationFailed", "message": said}})

    words = str(refusal("protecting web", answer_of(403, {}, body)))

    assert "jane" not in words
    assert "7f3c" not in words
    assert "the caller" in words
