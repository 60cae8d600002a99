"""A mail service in memory, and all of finding and telling over tiny Azures."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.blobs import nothing
from tests.small_app import Fuse, Killed
from tests.tiny_backups import MAIL, Nights
from vmbackup_core.app.telling.paying import Teller
from vmbackup_core.app.telling.postbox import Postbox
from vmbackup_core.domain.errors import BackupError, Rejected
from vmbackup_core.domain.telling.letters import Letter
from vmbackup_core.domain.telling.postage import Budget


@dataclass
class TinyMail:
    """
    A mail service that takes each letter that it is sent.

    `errors` are raised one by one, those with `maybe_done` after the mail was taken.
    """

    taken: list[str] = field(default_factory=list)
    letters: list[Letter] = field(default_factory=list)
    errors: list[BackupError] = field(default_factory=list)
    refuses: set[str] = field(default_factory=set)
    before_call: Callable[[], None] = nothing
    after_call: Callable[[], None] = nothing

    def send(self, letter: Letter, operation: str) -> None:
        self.before_call()
        if self.refuses & set(letter.to):
            raise Rejected("Invalid format for email address", code="InvalidEmailAddress")
        error = self.errors.pop(0) if self.errors else None
        if error is not None and not getattr(error, "maybe_done", False):
            raise error
        self.taken.append(operation)
        self.letters.append(letter)
        if error is not None:
            raise error
        self.after_call()

    def knows(self, operation: str) -> bool:
        self.before_call()
        return operation in self.taken


class ToldNights(Nights):
    """Nights whose looks are told of; each call and each write may kill the process."""

    def __init__(self, **more: Any) -> None:
        super().__init__(**more)
        self.mail, self.fuse = TinyMail(), Fuse()
        self.postbox = Postbox(self.blobs, self.mail, Budget(30, 100), self.clock, self.journal)
        self.teller = Teller(
            self.watch.book,
            self.postbox,
            self.clock,
            MAIL,
            "https://portal.azure.com",
            lambda: None,
        )
        self.deaths = 0
        self.blobs.before_write = self.fuse.burn
        self.azure.before_call = self.fuse.burn
        self.mail.before_call = self.mail.after_call = self.fuse.burn

    def look(self) -> None:
        try:
            self.told += self.watch.look()
            self.teller.tell()
        except Killed:
            self.deaths += 1

    @property
    def subjects(self) -> list[str]:
        return [one.subject.partition(":")[0] for one in self.mail.letters]
