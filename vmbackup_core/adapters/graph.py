"""
Resource Graph, page by page: every row of an answer, or an error.

A page may repeat rows of the one before, may be short, and the whole lags behind the truth. What is
promised here is only that no row is missing of what Resource Graph itself counts (AZURE: limits and
throttling). It is asked by plain POSTs through ARM's pipeline: the SDK's client spends nine tenths
of its time on building models that nobody needs.
"""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from itertools import batched
from typing import TYPE_CHECKING

from vmbackup_core.adapters.api_versions import RESOURCE_GRAPH
from vmbackup_core.adapters.arm import Arm, Reply
from vmbackup_core.adapters.wire import Json, at, entries, text
from vmbackup_core.domain.errors import Malformed, Retryable
from vmbackup_core.domain.rules import Scope

if TYPE_CHECKING:
    from vmbackup_core.ports import Clock

PATH = "/providers/Microsoft.ResourceGraph/resources"
PAGE = 1_000
SUBSCRIPTIONS_PER_QUERY = 300
QUOTA_WINDOW = timedelta(seconds=5)
LONGEST_PAUSE = timedelta(seconds=10)
TRIES = 4


class Graph:
    """Asks one question at a time, at the pace that the answers' quota headers set."""

    def __init__(self, arm: Arm, clock: "Clock") -> None:
        self._arm = arm
        self._clock = clock
        self._not_before = clock.now()

    def rows(self, query: str, scope: Scope, doing: str) -> list[Json]:
        """
        Return every row of `query` within `scope`, each once, by id.

        Raises Retryable where rows are missing, or where the quota asks for more than some seconds.
        """
        found: dict[str, Json] = {}
        for place in _places(scope):
            found |= self._rows({"query": query, **place}, doing)
        return list(found.values())

    def _rows(self, question: Json, doing: str) -> dict[str, Json]:
        rows: dict[str, Json] = {}
        options: dict[str, Json] = {"resultFormat": "objectArray", "$top": PAGE}
        tokens = set[str]()
        while True:
            page = self._ask({**question, "options": options}, doing)
            for row in entries(page, "data"):
                rows[text(row, "id").lower()] = row
            if not (token := text(page, "$skipToken")):
                break
            if token in tokens:
                raise Retryable(f"{doing}: the pages go in a circle")
            tokens.add(token)
            options = {**options, "$skipToken": token}
        total = at(page, "totalRecords")
        if not isinstance(total, int):
            raise Malformed(f"{doing}: an answer without totalRecords")
        if len(rows) < total or text(page, "resultTruncated").lower() == "true":
            raise Retryable(f"{doing}: {len(rows)} of {total} rows came")
        return rows

    def _ask(self, question: Json, doing: str) -> Json:
        """Send one question; a refusal for its pace is waited out where that takes seconds."""
        for last in (False,) * (TRIES - 1) + (True,):
            if (wait := self._not_before - self._clock.now()) > timedelta(0):
                self._clock.pause(wait)
            try:
                reply = self._arm.post(PATH, RESOURCE_GRAPH, doing, question)
            except Retryable as error:
                after = error.after or QUOTA_WINDOW
                if last or error.status != 429 or after > LONGEST_PAUSE:
                    raise
                self._not_before = self._clock.now() + after
            else:
                self._keep_pace(reply)
                data = at(reply.body, "data")
                if not isinstance(data, list) or at(reply.body, "count") != len(data):
                    raise Retryable(f"{doing}: a page that does not count its own rows")
                return reply.body
        raise AssertionError("the last try returns or raises")

    def _keep_pace(self, reply: Reply) -> None:
        """Let the next question wait where this answer used up what was left of the quota."""
        if reply.headers.get("x-ms-user-quota-remaining") == "0":
            self._not_before = self._clock.now() + min(_span(reply.headers), LONGEST_PAUSE)


def _places(scope: Scope) -> Iterator[Mapping[str, Json]]:
    """Yield where to ask: management groups where they say what is in scope, else subscriptions."""
    if scope.management_groups:
        yield {"managementGroups": list(scope.management_groups)}
    elif scope.subscriptions:
        for some in batched(scope.subscriptions, SUBSCRIPTIONS_PER_QUERY, strict=False):
            yield {"subscriptions": list(some)}
    else:
        yield {}  # All that the identity may read.


def _span(headers: Mapping[str, str]) -> timedelta:
    """Return the span that `x-ms-user-quota-resets-after` names, as "00:00:03"."""
    parts = headers.get("x-ms-user-quota-resets-after", "").split(":")
    if len(parts) != 3 or not all(part.isdigit() for part in parts):
        return QUOTA_WINDOW
    hours, minutes, seconds = map(int, parts)
    return timedelta(hours=hours, minutes=minutes, seconds=seconds)
