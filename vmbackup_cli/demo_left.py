"""
What a demo leaves in its directory, and the app that looks at it afterwards.

The state is that of the app at the demo's end, in files as VMBACKUP_STATE_DIR has them. Time stands
still there: what was "an hour ago" at the demo's end still is.
"""

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NoReturn

from azsim.world import World
from vmbackup_cli.desk import Misused
from vmbackup_cli.simulated import ACCOUNT, SimCredential
from vmbackup_core import bootstrap
from vmbackup_core.settings import load

CONFIGURATION, SUMMARY, OUTBOX = "vmbackup.toml", "summary.json", "outbox"
_CONTAINERS = ("evidence", "state")


@dataclass(frozen=True, slots=True)
class StoppedClock:
    at: datetime

    def now(self) -> datetime:
        return self.at

    def pause(self, duration: timedelta) -> None:
        """Let no time pass."""


class NoAzure:
    """A credential for an Azure that is no more."""

    def get_token(self, *scopes: str, **options: Any) -> NoReturn:
        raise Misused("the demo's Azure has ended with it: only what it left can be looked at")


def leave(
    out: Path, world: World, app: bootstrap.App, configuration: Path, summary: Mapping[str, Any]
) -> None:
    """Write what the app knew and did, and the mails that left."""
    from azsim.transport import SimTransport
    from vmbackup_core.adapters.rows_files import FileRows
    from vmbackup_core.adapters.rows_tables import LEDGER, TableRows

    (out / SUMMARY).write_text(json.dumps(summary, indent=2) + "\n")
    shutil.copyfile(configuration, out / CONFIGURATION)
    account = world.storage.account(ACCOUNT)
    for name in _CONTAINERS:
        for blob in account.containers.get(name):
            target = out / name / blob.name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(blob.content)
    partitions = sorted({entity.key[0] for entity in account.tables.get(LEDGER)})
    url = app.settings.deployment.table_url
    ledger = FileRows(out / "ledger", StoppedClock(world.clock.now()))
    rows = TableRows(url, SimCredential(), transport=SimTransport(world))
    for partition in partitions:
        for row in rows.list(partition):
            ledger.put(replace(row, etag=""))
    for path, mail in zip(
        world.email.outbox.write_to(out / OUTBOX), world.email.outbox, strict=True
    ):
        path.with_suffix(".html").write_text(mail.html, encoding="utf-8")


def open_left(directory: Path) -> bootstrap.App:
    """
    Return the app as it was when the demo in `directory` ended; Azure is not there any more.

    Raises Misused where no demo was played.
    """
    try:
        ended = datetime.fromisoformat(json.loads((directory / SUMMARY).read_text())["ended"])
        content = (directory / CONFIGURATION).read_bytes()
    except (OSError, ValueError, KeyError):
        raise Misused(f"{directory} holds no demo; `vmbackup demo` plays one") from None
    settings = load(content, {"VMBACKUP_STATE_DIR": str(directory)}, source=CONFIGURATION)
    return bootstrap.build(settings, clock=StoppedClock(ended), credential=NoAzure())
