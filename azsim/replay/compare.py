"""
What it means for an answer of azsim to match a recorded one.

Same status, same links in the headers, same keys, types, words and numbers; values that cannot be
the same (ids, times, durations, what a snapshot weighed) need the same form, and ids that stand for
each other are remembered, so that later calls can use ours where the recording has theirs.
"""

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from azsim.http import Response
from azsim.replay.recording import Recorded

_GUID = r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"
_TIME = r"(?!0001|2001)\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,7})?"
_BOOT_SITE = rf"https://md-\w+\.z\d+\.blob\.storage\.azure\.net:443/{_GUID}"
# Forms of values that differ from run to run; the first that fits a recorded text must fit ours.
_FORMS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (name, re.compile(pattern))
    for name, pattern in (
        ("guid", _GUID),
        ("time with Z", _TIME + "Z"),
        ("time with offset", _TIME + r"\+00:00"),
        ("time without zone", _TIME),
        ("duration", r"P(?:\d+D)?(?:T(?:\d+H)?(?:\d+M)?(?:\d+(?:\.\d+)?S)?)?"),
        ("time span", r"(?:\d+\.)?\d\d:\d\d:\d\d(?:\.\d{1,7})?"),
        ("US time", r"\d{1,2}/\d{1,2}/\d{4} \d{1,2}:\d\d:\d\d [AP]M"),
        ("vault etag", r"W/\"datetime'20\d\d-\d\d-\d\dT\d\d%3A\d\d%3A\d\d(\.\d+)?Z'\""),
        ("etag", r'"\d+"'),
        ("network etag", rf'W/"{_GUID}"'),
        ("number as text", r"\d{11,16}"),
        ("megabytes", r"\d+ MB"),
        ("gigabytes done", r"[\d.]+ GBs / [\d.]+ GBs Transferred"),
        ("config blob", rf"config-[a-z0-9]+-{_GUID}\.json"),
        ("config container", r"[a-z0-9]+-[0-9a-f]{32}"),
        (
            "config blob address",
            rf"https://[a-z0-9]+\.blob[\w.]+/[a-z0-9]+-[0-9a-f]{{32}}/config-[a-z0-9]+-{_GUID}\.json",
        ),
        ("console log address", rf"{_BOOT_SITE}/[\w-]+\.{_GUID}\.serialconsole\.log\?s\S+"),
        ("screenshot address", rf"{_BOOT_SITE}/[\w-]+\.{_GUID}\.screenshot\.bmp\?s\S+"),
        ("MAC address", r"[0-9A-F]{2}(-[0-9A-F]{2}){5}"),
        ("public address", r"(?!10\.)\d{1,3}(\.\d{1,3}){3}"),
        ("domain of a network", r"[0-9a-z]{26}\.[a-z]{2,4}\.internal\.cloudapp\.net"),
        # The recorder replaced names where they were small: in capitals stand the real ones.
        (
            "user of a subnet",
            r"/subscriptions/[0-9a-f-]{36}/resourceGroups/[A-Z0-9_.]+/providers/Microsoft\.Network"
            r"/networkInterfaces/[A-Z0-9-]+VMNIC/ipConfigurations/IPCONFIG[A-Z0-9-]+",
        ),
        (
            "template blob address",
            rf"https://[a-z0-9]+\.blob[\w.]+/[a-z0-9]+-[0-9a-f]{{32}}/azuredeploy{_GUID}\.json",
        ),
    )
)
_IDS = ("guid", "number as text")
_STATES = frozenset(
    {
        "status",
        "provisioningState",
        "protectionState",
        "protectionStatus",
        "healthStatus",
        "lastBackupStatus",
        "lastBackupTime",
        "registrationStatus",
        "backupStorageVersion",
        "softDeleteRetentionPeriodInDays",
        "protectedItemsCount",
        "startTime",
        "endTime",
        "code",
        "displayStatus",
        "azure-asyncoperation",
        "location",
        "Target VM Name",
    }
)
_LINKS = ("azure-asyncoperation", "location")
_PRESENT = (
    "content-type",
    "x-ms-ratelimit-remaining-subscription-resource-requests",
    "x-ms-ratelimit-remaining-subscription-writes",
)


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that differs: where in the answer, what was recorded, what azsim said."""

    where: str
    recorded: str
    ours: str

    def __str__(self) -> str:
        return f"{self.where}: recorded {self.recorded}, azsim {self.ours}"


def may_change_with_time(difference: Difference) -> bool:
    """Tell whether waiting could mend it: something not there yet, or a word for a state."""
    return (
        "absent" in (difference.recorded, difference.ours)
        or difference.where.endswith("[]")
        or difference.where.rpartition(".")[2] in _STATES
    )


class Ids:
    """Which id of ours stands for which recorded one."""

    def __init__(self) -> None:
        self._ours: dict[str, str] = {}

    def learn(self, recorded: str, ours: str) -> None:
        if recorded != ours:
            self._ours.setdefault(recorded, ours)

    def translate(self, text: str) -> str:
        """Put our ids into a text that has recorded ones."""
        for recorded, ours in self._ours.items():
            if recorded in text:
                text = text.replace(recorded, ours)
        return text


class Comparison:
    """Compares answers of one run; `foreign` are names that belong to somebody else's tests."""

    def __init__(self, ids: Ids, foreign: frozenset[str]) -> None:
        self._ids, self._foreign = ids, foreign

    def differences(self, recorded: Recorded, ours: Response) -> list[Difference]:
        """Return what differs; ids in equal places are learnt on the way."""
        if recorded.status != ours.status:
            return [Difference("status", str(recorded.status), _short((ours.status, ours.body)))]
        headers = {name.lower(): value for name, value in ours.encoded()[0].items()}
        found = list(self._headers(recorded.headers, headers))
        left_out = recorded.response is None and "content-type" in recorded.headers
        if not left_out:
            body = None if ours.body in (b"", "") else ours.body
            found += self._values("body", recorded.response, body)
        return found

    def _headers(
        self, recorded: Mapping[str, str], ours: Mapping[str, str]
    ) -> Iterator[Difference]:
        for name in _PRESENT:
            if name in recorded and name not in ours:
                yield Difference(name, "present", "absent")
        if "content-type" in ours and "content-type" not in recorded:
            yield Difference("content-type", "absent", ours["content-type"])
        for name in _LINKS:
            if (name in recorded) != (name in ours):
                yield Difference(name, str(recorded.get(name)), str(ours.get(name)))
            elif name in recorded:
                yield from self._link(name, recorded[name], ours[name])

    def _link(self, name: str, recorded: str, ours: str) -> Iterator[Difference]:
        theirs, mine = urlsplit(recorded), urlsplit(ours)
        for a, b in zip(_segments(theirs.path), _segments(mine.path), strict=False):
            if re.fullmatch(_GUID, a) or _is_operation_name(a):
                self._ids.learn(a, b)
        if self._ids.translate(unquote(theirs.path)) != unquote(mine.path):
            yield Difference(name, unquote(theirs.path), unquote(mine.path))
        wanted, given = parse_qs(theirs.query), parse_qs(mine.query)
        if set(wanted) != set(given) or wanted.get("api-version") != given.get("api-version"):
            yield Difference(f"{name} query", _short(sorted(wanted)), _short(sorted(given)))

    def _values(self, where: str, recorded: Any, ours: Any) -> Iterator[Difference]:
        match recorded, ours:
            case dict(), dict():
                yield from self._objects(where, recorded, ours)
            case list(), list():
                yield from self._lists(where, recorded, ours)
            case str(), str():
                if not self._same_text(recorded, ours):
                    yield Difference(where, _short(recorded), _short(ours))
            case float(), float():
                return  # Progress; whole numbers are compared.
            case _:
                if type(recorded) is not type(ours) or recorded != ours:
                    yield Difference(where, _short(recorded), _short(ours))

    def _objects(
        self, where: str, recorded: Mapping[str, Any], ours: Mapping[str, Any]
    ) -> Iterator[Difference]:
        renamed = {self._ids.translate(name): value for name, value in recorded.items()}
        for name in renamed.keys() - ours.keys():
            yield Difference(f"{where}.{name}", _short(renamed[name]), "absent")
        for name in ours.keys() - renamed.keys():
            yield Difference(f"{where}.{name}", "absent", _short(ours[name]))
        for name in renamed.keys() & ours.keys():
            yield from self._values(f"{where}.{name}", renamed[name], ours[name])

    def _lists(self, where: str, recorded: list[Any], ours: list[Any]) -> Iterator[Difference]:
        theirs, mine = self._named(recorded), self._named(ours)
        if theirs is None or mine is None:
            if len(recorded) != len(ours):
                yield Difference(f"{where}[]", f"{len(recorded)} entries", f"{len(ours)} entries")
            for index, (a, b) in enumerate(zip(recorded, ours, strict=False)):
                yield from self._values(f"{where}[{index}]", a, b)
            return
        if len(theirs) == len(mine) == 1:
            theirs = dict(zip(mine, theirs.values(), strict=True))
        for name in theirs.keys() - mine.keys():
            if name not in self._foreign:
                yield Difference(f"{where}[{name}]", "present", "absent")
        for name in mine.keys() - theirs.keys():
            if name not in self._foreign:
                yield Difference(f"{where}[{name}]", "absent", "present")
        for name in theirs.keys() & mine.keys():
            yield from self._values(f"{where}[{name}]", theirs[name], mine[name])

    def _named(self, entries: list[Any]) -> dict[str, Any] | None:
        """Return the entries by name, None for a list of anything without names."""
        if not entries or not all(isinstance(e, dict) and "name" in e for e in entries):
            return None if entries else {}
        return {self._ids.translate(str(entry["name"])): entry for entry in entries}

    def _same_text(self, recorded: str, ours: str) -> bool:
        if self._ids.translate(recorded) == ours:
            return True
        for name, form in _FORMS:
            if form.fullmatch(recorded):
                if form.fullmatch(ours) is None:
                    return False
                if name in _IDS:
                    self._ids.learn(recorded, ours)
                return True
        return self._same_id(recorded, ours)

    def _same_id(self, recorded: str, ours: str) -> bool:
        """Tell whether two resource ids differ only in segments that are ids of run-time things."""
        theirs, mine = _segments(recorded), _segments(ours)
        if len(theirs) != len(mine) or len(theirs) < 2:
            return False
        for a, b in zip(theirs, mine, strict=True):
            if self._ids.translate(a) == b:
                continue
            if re.fullmatch(rf"{_GUID}|\d{{11,16}}", a) is None or len(b) < 11:
                return False
            self._ids.learn(a, b)
        return True


def _segments(path: str) -> list[str]:
    return unquote(path).split("/")


def _is_operation_name(text: str) -> bool:
    """Vault operations are named by base64 of `number;guid`."""
    try:
        decoded = base64.b64decode(text, validate=True)
    except binascii.Error:
        return False
    return re.fullmatch(rb"\d+;[0-9a-f-]{36}", decoded) is not None


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= 160 else f"{text[:157]}..."
