"""A refusal for haste holds for every call of its kind, and for no other."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from azure.core.pipeline import PipelineContext, PipelineRequest, PipelineResponse
from azure.core.rest import HttpRequest

from tests.clocks import HandClock
from vmbackup_core.adapters.patience import Patience
from vmbackup_core.domain.errors import Retryable

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
SUB = "https://management.azure.com/subscriptions/s-1"
ITEM = f"{SUB}/resourceGroups/g/providers/Microsoft.RecoveryServices/vaults/v/backupJobs/j"
OTHER_ITEM = ITEM.replace("/g/", "/h/").replace("/v/", "/w/").replace("/j", "/k").upper()
OTHER_ITEM = OTHER_ITEM.replace("HTTPS://MANAGEMENT.AZURE.COM", "https://management.azure.com")
POLICIES = ITEM.replace("backupJobs/j", "backupPolicies")
BY_PROVIDER, BY_ARM = "ResourceRequestsThrottled", "SubscriptionRequestsThrottled"


@dataclass
class Answer:
    status_code: int
    headers: dict[str, str] = field(default_factory=dict)
    code: str = ""

    def read(self) -> bytes:
        return json.dumps({"error": {"code": self.code, "message": "Too many."}}).encode()


@dataclass
class Azure:
    """Answers once as told, and with success from then on."""

    answer: Answer
    calls: int = 0

    def send(self, request: Any) -> Any:
        self.calls += 1
        answer, self.answer = self.answer, Answer(200)
        return PipelineResponse(request.http_request, answer, request.context)


def refused(code: str, seconds: str = "3600") -> tuple[Patience, Azure, HandClock]:
    """Return a policy whose first call, a GET of ITEM, was refused."""
    clock, azure = HandClock(NOON), Azure(Answer(429, {"Retry-After": seconds}, code))
    patience = Patience(clock, azure)
    call(patience, "GET", ITEM)
    return patience, azure, clock


def call(patience: Patience, method: str, url: str) -> int:
    request = PipelineRequest(HttpRequest(method, url), PipelineContext(None))
    return int(patience.send(request).http_response.status_code)


@pytest.mark.parametrize("url", [ITEM, OTHER_ITEM])
def test_a_call_of_the_same_kind_does_not_leave_before_its_time(url: str) -> None:
    patience, azure, clock = refused(BY_PROVIDER)
    clock.pause(HOUR / 4)

    with pytest.raises(Retryable) as told:
        call(patience, "GET", url)

    assert (told.value.after, told.value.status, told.value.code) == (
        HOUR * 3 / 4,
        429,
        BY_PROVIDER,
    )
    assert azure.calls == 1


def test_at_its_time_it_leaves() -> None:
    patience, _, clock = refused(BY_PROVIDER)
    clock.pause(HOUR)

    assert call(patience, "GET", ITEM) == 200


@pytest.mark.parametrize(
    ("method", "url"),
    [
        ("GET", POLICIES),
        ("POST", ITEM),
        ("GET", ITEM.replace("s-1", "s-2")),
    ],
)
def test_what_a_provider_says_of_one_action_holds_for_no_other(method: str, url: str) -> None:
    patience, _, _ = refused(BY_PROVIDER)

    assert call(patience, method, url) == 200


def test_what_resource_manager_says_of_reads_holds_for_all_reads_of_the_subscription() -> None:
    patience, _, _ = refused(BY_ARM)

    with pytest.raises(Retryable):
        call(patience, "GET", POLICIES)


@pytest.mark.parametrize(("method", "url"), [("PUT", ITEM), ("GET", ITEM.replace("s-1", "s-2"))])
def test_what_resource_manager_says_of_reads_holds_for_nothing_else(method: str, url: str) -> None:
    patience, _, _ = refused(BY_ARM)

    assert call(patience, method, url) == 200


def test_a_refusal_that_names_no_time_binds_nobody() -> None:
    patience, _, _ = refused(BY_PROVIDER, "")

    assert call(patience, "GET", ITEM) == 200
