"""The journal as log lines: one JSON object each, for Application Insights or a terminal."""

import json
import logging

from vmbackup_core.domain.ids import VmId

_ALARM = "alarm"
_log = logging.getLogger("vmbackup")


class LogJournal:
    def note(
        self, kind: str, key: str, text: str, *, vm: VmId | None = None, **more: object
    ) -> None:
        """Write one line at level INFO, an alarm at level ERROR."""
        line = {"kind": kind, "key": key, "vm": str(vm) if vm else "", "text": text, **more}
        _log.log(logging.ERROR if kind == _ALARM else logging.INFO, json.dumps(line))
