"""
Plays a recording against a fresh world, call by call.

The clock is ours to move: it stands at the recorded time of each call where the recording tells
one, and where a recorded answer is further on than azsim's (an operation over, a task begun), the
call is asked again a little later, as the client did. What takes time takes its longest, so that no
answer is ever ahead of the recorded one.
"""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import Enum
from pathlib import Path

from azsim.clock import Clock
from azsim.http import Request, Response
from azsim.recovery.pace import Step
from azsim.recovery.rules import Rules
from azsim.replay.compare import Comparison, Difference, Ids, may_change_with_time
from azsim.replay.recording import ARM_HOST, Recorded, load
from azsim.replay.stage import arrivals, arrive, others, others_acted, prepare, strangers
from azsim.throttle import Limits
from azsim.world import World

_MOMENT = timedelta(milliseconds=200)  # Between two calls, where the recording tells no time.
_STEP = timedelta(seconds=10)
_LONGEST_WAIT = timedelta(hours=3)
_OURS = "Microsoft.RecoveryServices"
# Words of calls that back up something else than a VM (SQL in VMs, file shares, servers).
_OTHER_WORKLOAD = re.compile(
    r"AzureWorkload|AzureStorage|AzureBackupServer|SystemCenterDPM|VMAppContainer|StorageContainer"
    r"|SQLDataBase|SAPHana|AzureFileShare",
    re.IGNORECASE,
)
_NEVER = 10.0**8
_UNKNOWN_TIME = datetime(2024, 5, 1, tzinfo=UTC)


class Verdict(Enum):
    MATCHED = "matched"
    DIFFERING = "differing"
    NOT_APPLICABLE = "not_applicable"


@dataclass(frozen=True, slots=True)
class Played:
    """What came of one exchange; `reason` says by name why it does not apply."""

    exchange: Recorded
    verdict: Verdict
    differences: tuple[Difference, ...] = ()
    reason: str = ""


@dataclass(slots=True)
class Run:
    """The outcome of one file."""

    name: str
    played: list[Played] = field(default_factory=list)

    def count(self, verdict: Verdict, provider: str = "") -> int:
        return sum(
            p.verdict is verdict and (not provider or p.exchange.provider == provider)
            for p in self.played
        )


def play_files(files: Iterable[Path]) -> list[Run]:
    return [play(file.stem, load(file)) for file in files]


def play(name: str, recording: Sequence[Recorded]) -> Run:
    """Play all exchanges of one recording in order and judge each."""
    return _Player(recording).run(name)


class _Player:
    def __init__(self, recording: Sequence[Recorded]) -> None:
        self.recording = recording
        times = [e.first_time for e in recording if e.first_time and _OURS in e.path]
        began = min(times, default=_UNKNOWN_TIME) - timedelta(minutes=1)
        self.world = World(clock=Clock(began))
        self.world.vaults.rules = Rules.of(began)
        self.world.throttle.limits = Limits()
        pace = self.world.vaults.pace.seconds
        pace[Step.DISCOVERY] = (_NEVER, _NEVER, _NEVER)  # As the recording says, see _discovered.
        pace.update({step: (high, high, high) for step, (_, _, high) in pace.items()})
        self.ids = Ids()
        self.written: set[str] = set()
        self.foreign = others(recording)
        self.comparison = Comparison(self.ids, self.foreign)
        self.arrivals = arrivals(recording)
        self.served = {
            value for e in recording for value in _tokens(e)
        }  # Page tokens that the recording shows being given out.

    def run(self, name: str) -> Run:
        prepare(self.world, self.recording)
        strangers(self.world, self.recording, self.foreign)
        run = Run(name)
        for exchange in self.recording:
            self._let_arrive(exchange.index)
            run.played.append(self._play(exchange))
        return run

    def _let_arrive(self, index: int) -> None:
        for arrival in [a for a in self.arrivals if a.index == index]:
            vaults = [v for s in self.world.groups.subscriptions for v in self._vaults(s)]
            arrive(self.world, arrival, vaults[0] if vaults else "westeurope")

    def _vaults(self, subscription: str) -> list[str]:
        return [vault.location for vault in self.world.vaults.in_subscription(subscription)]

    def _play(self, exchange: Recorded) -> Played:
        if reason := self._outside(exchange):
            return Played(exchange, Verdict.NOT_APPLICABLE, reason=reason)
        self._move_clock(exchange)
        others_acted(self.world, exchange, self.written)
        if exchange.changes_something:
            self.written.add(exchange.path.lower())
        found, answer = self._ask(exchange)
        if answer.status == 501 and exchange.provider != _OURS:
            reason = f"{exchange.provider}: {_kind(exchange.path)} is not simulated"
            return Played(exchange, Verdict.NOT_APPLICABLE, reason=reason)
        if found and not exchange.changes_something and all(map(may_change_with_time, found)):
            found = self._ask_again(exchange, found)
        if found and self._discovered(exchange):
            found, _ = self._ask(exchange)
        verdict = Verdict.DIFFERING if found else Verdict.MATCHED
        return Played(exchange, verdict, tuple(found))

    def _outside(self, exchange: Recorded) -> str:
        """Return why the exchange does not apply to azsim, "" where it does."""
        if exchange.host != ARM_HOST:
            return f"host {exchange.host.split('.', 1)[-1]} is not Azure Resource Manager"
        if workload := _OTHER_WORKLOAD.search(_said(exchange)):
            return f"Azure Backup of {workload[0]}, which is no virtual machine"
        token = next((v for n, v in exchange.query.items() if n.lower() == "$skiptoken"), "")
        if token and token not in self.served:
            return "a page whose first page is not in the recording"
        return ""

    def _move_clock(self, exchange: Recorded) -> None:
        clock = self.world.clock
        clock.advance(_MOMENT)
        when = self._time_of(exchange)
        if when is not None and when > clock.now():
            clock.advance_to(min(when, clock.now() + _LONGEST_WAIT))

    def _time_of(self, exchange: Recorded) -> datetime | None:
        """Tell when a change was asked for: the start of the operation that it began."""
        if not exchange.changes_something:
            return None
        link = exchange.headers.get("azure-asyncoperation", "")
        operation = link.split("?")[0].rsplit("/", 1)[-1]
        if not operation:
            return exchange.first_time
        for later in self.recording[exchange.index + 1 :]:
            if later.path.endswith(operation) and isinstance(later.response, dict):
                started = later.response.get("startTime")
                return datetime.fromisoformat(started) if started else None
        return None

    def _ask(self, exchange: Recorded) -> tuple[list[Difference], Response]:
        body = b""
        headers = {"authorization": "Bearer replay", "host": exchange.host}
        if exchange.request is not None:
            body = self.ids.translate(json.dumps(exchange.request)).encode()
            headers["content-type"] = "application/json"
        request = Request(
            exchange.method, exchange.url(self.ids.translate), headers, body, client="replay"
        )
        answer = self.world.handle(request)
        return self.comparison.differences(exchange, answer), answer

    def _discovered(self, exchange: Recorded) -> bool:
        """Let the vault have looked for machines on its own, when a recorded list shows that."""
        if not exchange.path.endswith("/backupProtectableItems") or not exchange.response:
            return False
        ids = [entry["properties"]["virtualMachineId"] for entry in exchange.response["value"]]
        machines = [machine for vm_id in ids if (machine := self.world.machines.find(vm_id))]
        vault = self.world.vaults.by_id(exchange.path.rpartition("/")[0])
        if vault is None or not machines:
            return False
        vault.refreshed_at = max(machine.created for machine in machines)
        return True

    def _ask_again(self, exchange: Recorded, first: list[Difference]) -> list[Difference]:
        """Repeat the call as time goes by; return [] when it matches, else what differed first."""
        clock = self.world.clock
        until = clock.now() + _LONGEST_WAIT
        while clock.now() < until:
            clock.advance(_STEP)
            found, _ = self._ask(exchange)
            if not found:
                return []
            if not all(map(may_change_with_time, found)):
                break
        return first


def _said(exchange: Recorded) -> str:
    return f"{exchange.path} {exchange.query.get('$filter', '')} {json.dumps(exchange.request)}"


def _kind(path: str) -> str:
    """Return the last type segment of a path, for reasons."""
    below = path.lower().rpartition("/providers/")[2].split("/")
    return "/".join([*below[1::2]]) or "resourceGroups"


def _tokens(exchange: Recorded) -> list[str]:
    if not isinstance(exchange.response, dict):
        return []
    link = str(exchange.response.get("nextLink") or "")
    return [link.split("oken=", 1)[1].split("&")[0]] if "oken=" in link else []
