"""
What Azure asked to be left alone for, kept in mind: a refusal that one call got holds for its like.

A 429 binds more than the call that met it: Resource Manager counts the reads, writes and deletes of
a subscription, a provider counts an action, Compute a group of them (AZURE: limits and throttling).
So until the time is over no call of that kind leaves, and whoever wants to make one waits on a
timer, as if Azure had said it again.

Each identity of each process remembers for itself: another one learns it at the price of one call.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from vmbackup_core.adapters.boundary import answer_of, refusal
from vmbackup_core.domain.errors import Retryable

if TYPE_CHECKING:
    from vmbackup_core.ports import Clock

Kind = tuple[str, ...]

# What Resource Manager itself says, on behalf of no provider.
_BY_ARM = frozenset({"SubscriptionRequestsThrottled", "TenantRequestsThrottled"})
_CHARGED_AS = {"GET": "reads", "HEAD": "reads", "DELETE": "deletes"}


@dataclass(slots=True)
class Patience:
    """A pipeline policy that lets no call leave before the time that Azure named is over."""

    clock: "Clock"
    next: Any = None
    _asked: dict[Kind, tuple[datetime, str]] = field(default_factory=dict)

    def send(self, request: Any) -> Any:
        """Send `request`; raises Retryable where Azure has asked for more time."""
        by_arm, by_provider = _kinds(request.http_request.method, request.http_request.url)
        now = self.clock.now()
        until, code = max(self._asked.get(kind, (now, "")) for kind in (by_arm, by_provider))
        if until > now:
            asked = f"Azure asked to be left alone until {until:%H:%M:%S} UTC"
            raise Retryable(asked, code=code, status=429, after=until - now)
        response = self.next.send(request)
        http = response.http_response
        if http.status_code == 429:
            answer = answer_of(429, http.headers, http.read())
            told = refusal("", answer)
            if isinstance(told, Retryable) and told.after is not None:
                kind = by_arm if answer.code in _BY_ARM else by_provider
                self._asked[kind] = (self.clock.now() + told.after, answer.code)
        return response


def _kinds(method: str, url: str) -> tuple[Kind, Kind]:
    """Return what a call counts as: for Resource Manager, and for the provider that answers it."""
    parts = [part.lower() for part in urlsplit(url).path.split("/") if part]
    subscription = parts[1] if parts[:1] == ["subscriptions"] and len(parts) > 1 else ""
    charged = _CHARGED_AS.get(method, "writes")
    return ("arm", subscription, charged), (subscription, method, *_types(parts))


def _types(parts: list[str]) -> list[str]:
    """Return the types of the resources in a path, without their names."""
    types, place = [], 0
    while place < len(parts):
        if parts[place] == "providers":
            types += parts[place : place + 2]
        else:
            types.append(parts[place])
        place += 2
    return types
