"""The refusals with 429, each in the words and headers of the service that refuses."""

import json
import math
from datetime import datetime, timedelta

from azsim.http import ArmError


# models arm-429
def by_arm(kind: str, subscription: str, principal: str, wait: timedelta) -> ArmError:
    """Refuse as Resource Manager: a principal's (or all principals') tokens are spent."""
    seconds = _seconds(wait)
    who = f"subscription '{subscription}' actor" if subscription else "tenant actor"
    scope = "subscription" if subscription else "tenant"
    return ArmError(
        429,
        # models arm-429-tenant
        "SubscriptionRequestsThrottled" if subscription else "TenantRequestsThrottled",
        f"Number of '{kind.removesuffix('s')}' requests for {who} '{principal}' exceeded. Please "
        f"try again after '{seconds}' seconds after additional tokens are available. Refer to "
        "https://aka.ms/arm-throttling for additional information.",
        {"Retry-After": str(seconds), f"x-ms-ratelimit-remaining-{scope}-{kind}": "0"},
    )


# models recovery-429
def by_provider(action: str, limit: int, wait: timedelta) -> ArmError:
    """Refuse as ARM does for a provider's hourly budget of one action (AZURE_FACTS 3, recorded)."""
    seconds = _seconds(wait)
    return ArmError(
        429,
        "ResourceRequestsThrottled",
        f"Number of requests for action '{action}' exceeded the limit of '{limit}' for time "
        f"interval '01:00:00'. Please try again after '{seconds}' seconds.",
        {"Retry-After": str(seconds)},
    )


# models graph-quota
def by_graph(now: datetime, correlation: str, wait: timedelta) -> ArmError:
    """Refuse as Resource Graph: the caller's queries of these five seconds are spent."""
    return ArmError(
        429,
        "RateLimiting",
        "Please provide below info when asking for support: "
        f"timestamp = {now:%Y-%m-%dT%H:%M:%S.%f}0Z, correlationId = {correlation}.",
        {**graph_quota(0, wait), "Retry-After": str(_seconds(wait))},
        details=[
            {
                "code": "RateLimiting",
                "message": "Client application has been throttled and should not attempt to repeat "
                "the request until an amount of time has elapsed. Please see "
                "https://aka.ms/resourcegraph-throttling for help.",
            }
        ],
    )


def graph_quota(left: int, wait: timedelta) -> dict[str, str]:
    seconds = _seconds(wait)
    after = f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    return {"x-ms-user-quota-remaining": str(left), "x-ms-user-quota-resets-after": after}


# models compute-429
def by_compute(
    policy: str, limit: int, started: datetime, span: timedelta, now: datetime
) -> ArmError:
    """Refuse as Compute: an operation group of the subscription is spent."""
    wait = started + span - now
    detail = {
        "operationGroup": policy,
        "startTime": started.isoformat(),
        "endTime": (started + span).isoformat(),
        "allowedRequestCount": limit,
        "measuredRequestCount": limit + 1,
    }
    return ArmError(
        429,
        "OperationNotAllowed",
        "The server rejected the request because too many requests have been received for this "
        "subscription.",
        {
            "Retry-After": str(_seconds(wait)),
            "x-ms-ratelimit-remaining-resource": f"Microsoft.Compute/{policy};0",
        },
        details=[{"code": "TooManyRequests", "target": policy, "message": json.dumps(detail)}],
    )


# models log-throttle-words
def by_log_analytics(limit: int, wait: timedelta) -> ArmError:
    """Refuse as the query service of Log Analytics: a caller's queries of 30 s are spent."""
    return ArmError(
        429,
        "ThrottledError",
        f"The request was throttled: more than {limit} requests in 30 seconds.",
        {"Retry-After": str(_seconds(wait))},
    )


# models retry-after-form
def _seconds(wait: timedelta) -> int:
    return max(1, math.ceil(wait.total_seconds()))
