"""
Events that Azure Resource Manager raises about resources, in both of Event Grid's schemas.

The shape is that of the samples in the specification (eventgrid, Microsoft.Resources 2018-01-01).
An event names what was done to which resource, and by whom; it carries nothing of the resource
itself: no tags, no location, no word on created or updated. Its claims hold personal values, made
up here but of the real kind, so that a test can prove that none is ever logged.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any

from azsim.ticks import iso, ticks_of

WRITE_SUCCESS = "Microsoft.Resources.ResourceWriteSuccess"
DELETE_SUCCESS = "Microsoft.Resources.ResourceDeleteSuccess"
ACTION_SUCCESS = "Microsoft.Resources.ResourceActionSuccess"

_METHODS = {DELETE_SUCCESS: "DELETE", ACTION_SUCCESS: "POST"}

_SCHEMAS = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims"
_MICROSOFT = "http://schemas.microsoft.com"
# models event-claims
CLAIMS: Mapping[str, str] = {
    "aud": "https://management.core.windows.net/",
    "iss": "https://sts.windows.net/7f3c1a52-9a41-4f6e-8a57-2f5f0c1d9b10/",
    "iat": "1772438000",
    "nbf": "1772438000",
    "exp": "1772441900",
    "_claim_names": '{"groups":"src1"}',
    f"{_MICROSOFT}/claims/authnclassreference": "1",
    f"{_MICROSOFT}/claims/authnmethodsreferences": "rsa,mfa",
    "appid": "04b07795-8ddb-461a-bbee-02f9e1bf7b46",
    "appidacr": "0",
    f"{_SCHEMAS}/surname": "Lindqvist-Okafor",
    f"{_SCHEMAS}/givenname": "Marjolein",
    "ipaddr": "203.0.113.77",
    "name": "Marjolein Lindqvist-Okafor",
    f"{_MICROSOFT}/identity/claims/objectidentifier": "5d0c4d0e-8b53-4c6e-9b0b-6a4b4a7f2c11",
    "onprem_sid": "S-1-5-21-1004336348-1177238915-682003330-1146",
    "puid": "1003200121C7E9AF",
    f"{_MICROSOFT}/identity/claims/scope": "user_impersonation",
    f"{_SCHEMAS}/nameidentifier": "u2Jk0nYb8vQm1fXcT7oL3pRsWd5zEaHg",
    f"{_MICROSOFT}/identity/claims/tenantid": "7f3c1a52-9a41-4f6e-8a57-2f5f0c1d9b10",
    f"{_SCHEMAS}/name": "marjolein.lindqvist@contoso.example",
    f"{_SCHEMAS}/upn": "marjolein.lindqvist@contoso.example",
    "uti": "kX3vQp9aT0aZbR1cYd2eAA",
    "ver": "1.0",
}
PERSONAL = frozenset(
    {
        "Lindqvist-Okafor",
        "Marjolein",
        "203.0.113.77",
        "S-1-5-21-1004336348-1177238915-682003330-1146",
        "1003200121C7E9AF",
        "marjolein.lindqvist@contoso.example",
    }
)


class Schema(Enum):
    """How an event subscription wants its events written."""

    EVENT_GRID = "EventGridSchema"
    CLOUD_EVENTS = "CloudEventSchemaV1_0"


@dataclass(frozen=True, slots=True)
class ResourceEvent:
    """One thing that was done to a resource, as Azure Resource Manager tells it."""

    id: str
    at: datetime
    subscription: str
    tenant: str
    event_type: str
    subject: str
    operation: str
    correlation: str
    status: str = "Succeeded"
    data_version = "2"

    @property
    def topic(self) -> str:
        # models event-topic
        return f"/subscriptions/{self.subscription}"

    # models event-fields
    def wire(self, schema: Schema) -> dict[str, Any]:
        """Return the event as JSON; both schemas carry the same data under other names."""
        shared = {"subject": self.subject, "id": self.id, "data": self._data()}
        when = iso(ticks_of(self.at))
        if schema is Schema.CLOUD_EVENTS:
            return {
                "source": self.topic,
                "type": self.event_type,
                "time": when,
                **shared,
                "specversion": "1.0",
            }
        return {
            **shared,
            "eventType": self.event_type,
            "eventTime": when,
            "dataVersion": self.data_version,
            "metadataVersion": "1",
            "topic": self.topic,
        }

    def _data(self) -> dict[str, Any]:
        evidence = {"role": "Contributor", "roleAssignmentScope": self.topic}
        request = self._http_request()
        return {
            "authorization": {
                "scope": self.subject,
                "action": self.operation,
                "evidence": evidence,
            },
            "claims": dict(CLAIMS),
            "correlationId": self.correlation,
            **({"httpRequest": request} if request else {}),
            "resourceProvider": self.operation.split("/")[0],
            "resourceUri": self.subject,
            "operationName": self.operation,
            "status": self.status,
            "subscriptionId": self.subscription,
            "tenantId": self.tenant,
        }

    def _http_request(self) -> dict[str, str] | None:
        if (method := _METHODS.get(self.event_type)) is None:
            return None
        return {
            "clientRequestId": self.correlation,
            "clientIpAddress": CLAIMS["ipaddr"],
            "method": method,
            "url": f"https://management.azure.com{self.subject}?api-version=2024-07-01",
        }
