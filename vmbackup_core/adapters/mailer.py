"""
Communication Services' mail: the port Mailer, by plain requests through the last gate.

One mail a letter, never repeated here. The operation id is the letter's own, and the headers of
repeatable requests bear it too: sent twice within five minutes, it is one mail (AZURE:
Communication Services Email, and the page "Repeatability of requests"). A service that finds the
time in them wrong says 412 and sends nothing; it is asked once more without them.
"""

import base64
from collections.abc import Mapping
from email.utils import format_datetime
from typing import TYPE_CHECKING

from vmbackup_core.adapters.api_versions import EMAIL
from vmbackup_core.adapters.arm import Arm
from vmbackup_core.adapters.wire import Json
from vmbackup_core.domain.errors import Stale
from vmbackup_core.domain.telling.letters import Letter

if TYPE_CHECKING:
    from vmbackup_core.ports import Clock

# No page says what the REST service asks for; these three are what Microsoft's page on sending by
# SMTP with Entra names, and what people report to suffice (docs/permissions.md).
ACTIONS: Mapping[str, tuple[str, ...]] = {
    "send": (
        "Microsoft.Communication/CommunicationServices/write",
        "Microsoft.Communication/EmailServices/write",
    ),
    "knows": ("Microsoft.Communication/CommunicationServices/read",),
}


class AzureMailer:
    """Sends from one address; `service` is a pipeline to the Communication Service."""

    def __init__(self, service: Arm, sender: str, clock: "Clock") -> None:
        self._service = service
        self._sender = sender
        self._clock = clock

    def send(self, letter: Letter, operation: str) -> None:
        repeatable = {
            "Repeatability-Request-ID": operation,
            "Repeatability-First-Sent": format_datetime(self._clock.now(), usegmt=True),
        }
        try:
            self._post(letter, operation, repeatable)
        except Stale:  # Our clock and the service's differ too much; it took nothing.
            self._post(letter, operation, {})

    def _post(self, letter: Letter, operation: str, more: Mapping[str, str]) -> None:
        self._service.send(
            "POST",
            f"{self._service.endpoint}/emails:send?api-version={EMAIL}",
            "sending a mail",
            letter_body(letter, self._sender),
            writes=True,
            headers={"Operation-Id": operation, **more},
        )

    def knows(self, operation: str) -> bool:
        path = f"/emails/operations/{operation}"
        return self._service.find(path, EMAIL, "looking for a mail") is not None


def letter_body(letter: Letter, sender: str) -> Json:
    """Return the request for one mail (specification's example)."""
    recipients = {"to": letter.to, "cc": letter.copy}
    body: dict[str, Json] = {
        "senderAddress": sender,
        "content": {"subject": letter.subject, "plainText": letter.plain, "html": letter.html},
        "recipients": {
            kind: [{"address": address} for address in addresses]
            for kind, addresses in recipients.items()
            if addresses
        },
        "userEngagementTrackingDisabled": True,
    }
    if letter.attachments:
        body["attachments"] = [
            {
                "name": one.name,
                "contentType": one.kind,
                "contentInBase64": base64.b64encode(one.content).decode(),
            }
            for one in letter.attachments
        ]
    return body
