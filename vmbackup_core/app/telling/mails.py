"""All of finding and telling behind one door: what triggers and commands call."""

from dataclasses import dataclass

from vmbackup_core.app.telling.delivery import Delivery
from vmbackup_core.app.telling.digesting import Digesting
from vmbackup_core.app.telling.incident_book import IncidentBook
from vmbackup_core.app.telling.paying import Teller
from vmbackup_core.app.telling.postbox import Postbox
from vmbackup_core.app.telling.watch import Watch


@dataclass(frozen=True, slots=True)
class Mails:
    watch: Watch
    teller: Teller
    digesting: Digesting
    delivery: Delivery
    book: IncidentBook
    postbox: Postbox

    def look(self) -> None:
        """
        Look for failed and missing backups, and tell of them.

        What is owed from before is told even where nothing can be seen now.
        """
        try:
            self.watch.look()
        finally:
            self.teller.tell()

    def digest(self) -> None:
        """Make the digests that are due, and send what can be sent."""
        self.digesting.run()
        self.teller.tell()
