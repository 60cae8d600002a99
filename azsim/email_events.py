"""
What Communication Services tells Event Grid of a mail: one report for each recipient.

Source: "Azure Communication Services - Email events" (fields, statuses and their meanings).
"""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any

from azsim.resource_events import Schema
from azsim.ticks import iso, ticks_of

REPORT = "Microsoft.Communication.EmailDeliveryReportReceived"


# models email-report-statuses
class Delivery(Enum):
    """What became of a mail for one recipient; everything but DELIVERED is a failure."""

    DELIVERED = "Delivered"
    SUPPRESSED = "Suppressed"
    BOUNCED = "Bounced"
    QUARANTINED = "Quarantined"
    FILTERED_SPAM = "FilteredSpam"
    FAILED = "Failed"
    EXPANDED = "Expanded"


# models email-report-words
_SAID = {
    Delivery.DELIVERED: "No error.",
    Delivery.SUPPRESSED: "The recipient is on the suppression list.",
    Delivery.BOUNCED: "550 5.1.1 The email account that you tried to reach does not exist.",
    Delivery.QUARANTINED: "The message was quarantined as spam, bulk mail or phishing.",
    Delivery.FILTERED_SPAM: "The message was identified as spam and was rejected or blocked.",
    Delivery.FAILED: "The message was not delivered.",
    Delivery.EXPANDED: "The recipient is a list that was expanded.",
}


@dataclass(frozen=True, slots=True)
class DeliveryReport:
    """The report on one recipient of one mail."""

    id: str
    at: datetime
    topic: str
    sender: str
    recipient: str
    message: str
    internet_message: str
    status: Delivery
    data_version = "1.0"

    @property
    def subject(self) -> str:
        return f"sender/{self.sender}/message/{self.message}"

    # models email-report-fields
    def wire(self, schema: Schema) -> dict[str, Any]:
        """Return the event as JSON, in either of Event Grid's schemas."""
        shared = {"subject": self.subject, "id": self.id, "data": self._told()}
        when = iso(ticks_of(self.at))
        if schema is Schema.CLOUD_EVENTS:
            kind = {"source": self.topic, "type": REPORT, "time": when, "specversion": "1.0"}
            return {**kind, **shared}
        return {
            **shared,
            "eventType": REPORT,
            "eventTime": when,
            "dataVersion": self.data_version,
            "metadataVersion": "1",
            "topic": self.topic,
        }

    def _told(self) -> dict[str, Any]:
        return {
            "sender": self.sender,
            "recipient": self.recipient,
            "internetMessageId": self.internet_message,
            "messageId": self.message,
            "status": self.status.value,
            "deliveryStatusDetails": {"statusMessage": _SAID[self.status]},
            "deliveryAttemptTimeStamp": iso(ticks_of(self.at)).replace("Z", "+00:00"),
        }
