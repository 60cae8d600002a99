"""Opens the sample apps of this folder in a host, on a Monday morning."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from azsim.clock import Clock
from azsim.host import Host

MONDAY = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
APPS = Path(__file__).parent


def open_host(app: str, clock: Clock | None = None, **options: Any) -> Host:
    return Host(APPS / app, clock or Clock(MONDAY), **options)


def count(host: Host, function: str) -> int:
    return sum(line.function == function for line in host.invocations)
