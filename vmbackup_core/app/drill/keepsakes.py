"""What is kept of a copy's console for a person: the picture of its screen, and its serial log."""

from dataclasses import dataclass

from vmbackup_core.domain.drill.facts import ConsoleFacts
from vmbackup_core.ports import Blobs

PICTURE, LOG = "screenshot", "serial.log"
MOST = 1_000_000  # Bytes of a log: its end tells.


@dataclass(frozen=True, slots=True)
class Keepsakes:
    """
    The last console that was seen of each run, in `blobs`; its digests are in the evidence.

    What a guest prints may be secret: the documents are for who may read the app's own state.
    """

    blobs: Blobs

    def keep(self, run: str, console: ConsoleFacts) -> None:
        """Write what there is over what was kept before."""
        if console.screenshot:
            self._write(f"drills/{run}/{PICTURE}", console.screenshot)
        if console.log:
            self._write(f"drills/{run}/{LOG}", console.log.encode()[-MOST:])

    def _write(self, name: str, content: bytes) -> None:
        found = self.blobs.read(name)
        if found is None:
            self.blobs.create(name, content)
        elif found.content != content:
            self.blobs.replace(found, content)
