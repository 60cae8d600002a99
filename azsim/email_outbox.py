"""Every mail that the service accepted, as its recipients would get it."""

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from typing import Any

from azsim.email_events import Delivery


@dataclass(slots=True)
class Mail:
    """
    One accepted mail; `deliveries` fills as it becomes known what came of it, by address.

    `body` is the request that it came in.
    """

    at: datetime
    operation_id: str
    message_id: str
    sender: str
    body: Mapping[str, Any]
    deliveries: dict[str, Delivery] = field(default_factory=dict)

    @property
    def subject(self) -> str:
        return str(self.body["content"]["subject"])

    @property
    def text(self) -> str:
        return str(self.body["content"].get("plainText") or "")

    @property
    def html(self) -> str:
        return str(self.body["content"].get("html") or "")

    def recipients(self, kind: str = "") -> list[str]:
        """Return the addresses of one kind (to, cc, bcc), or all of them."""
        kinds = (kind,) if kind else ("to", "cc", "bcc")
        given = self.body["recipients"]
        return [entry["address"] for name in kinds for entry in given.get(name) or ()]

    def attachments(self) -> Iterator[tuple[str, str, bytes]]:
        """Yield name, content type and bytes of each attachment."""
        for entry in self.body.get("attachments") or ():
            raw = base64.b64decode(entry["contentInBase64"])
            yield entry["name"], entry["contentType"], raw

    def eml(self) -> bytes:
        """Return the mail as a file that mail programs open; Bcc is shown, as to its sender."""
        message = EmailMessage(policy=SMTP)
        message["Date"] = self.at
        message["Message-ID"] = self.message_id
        message["From"] = self.sender
        message["Subject"] = self.subject
        for header, kind in (("To", "to"), ("Cc", "cc"), ("Bcc", "bcc")):
            if listed := self.body["recipients"].get(kind):
                message[header] = [_address(entry) for entry in listed]
        if reply_to := self.body.get("replyTo"):
            message["Reply-To"] = [_address(entry) for entry in reply_to]
        for name, value in (self.body.get("headers") or {}).items():
            if name not in message:
                message[name] = value
        message.set_content(self.text)
        if self.html:
            message.add_alternative(self.html, subtype="html")
        for name, kind, raw in self.attachments():
            main, _, sub = kind.partition("/")
            message.add_attachment(raw, maintype=main, subtype=sub or "octet-stream", filename=name)
        for number, part in enumerate(message.walk()):
            if part.is_multipart():  # The library would draw a boundary at random.
                part.set_boundary(f"=={self.message_id.strip('<>').partition('@')[0]}-{number}==")
        return message.as_bytes()


class Outbox(list[Mail]):
    """The mails in the order in which they were accepted."""

    def to(self, address: str) -> list[Mail]:
        return [mail for mail in self if address.lower() in map(str.lower, mail.recipients())]

    def write_to(self, directory: Path) -> list[Path]:
        """Write each mail as `0001-its-subject.eml` and return the paths."""
        directory.mkdir(parents=True, exist_ok=True)
        written = []
        for number, mail in enumerate(self, 1):
            slug = re.sub(r"[^a-z0-9]+", "-", mail.subject.lower()).strip("-")[:60]
            path = directory / f"{number:04d}-{slug or 'mail'}.eml"
            path.write_bytes(mail.eml())
            written.append(path)
        return written


def is_base64(text: str) -> bool:
    try:
        base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        return False
    return True


def _address(entry: Mapping[str, Any]) -> Address:
    return Address(str(entry.get("displayName") or ""), addr_spec=str(entry["address"]))
