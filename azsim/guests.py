"""
What runs inside a machine: its system and agent, by the image that the machine is made from.

Names and versions of the Ubuntu, Debian and Windows 2012 R2 images are recorded; the rest follows
their pattern (inferred).
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Any


class Boot(Enum):
    """How far a system comes when it is started."""

    LOGIN = auto()
    PANIC = auto()
    EMERGENCY = auto()
    HANG = auto()


@dataclass(frozen=True, slots=True)
class Conduct:
    """
    How a guest behaves once its machine runs; as Azure's own images do, unless a test says so.

    `agent_late` comes on top of the agent's usual time; None: it never reports. A guest that does
    not boot has no agent. `exit_code` is that of every script which would else succeed; `answers`
    False means that no script ever reports its end. `says` are lines written to the console;
    `recalls` makes one of when its disks were last written: at the backup, for a restored copy.
    """

    boot: Boot = Boot.LOGIN
    boot_takes: timedelta = timedelta(seconds=25)
    agent_late: timedelta | None = timedelta()
    exit_code: int = 0
    answers: bool = True
    says: tuple[str, ...] = ()
    recalls: Callable[[datetime], str] | None = None


@dataclass(frozen=True, slots=True)
class Guest:
    """
    The guest's own words, its conduct, and the generation (`V1`, `V2`) that it needs.

    `kept_at` is when the backup was taken that it comes from, None where it was never backed up.
    """

    os_name: str
    os_version: str
    agent_version: str
    generation: str
    conduct: Conduct = field(default_factory=Conduct)
    kept_at: datetime | None = None

    # models guest-agent
    def agent_after(self, usual: timedelta | None) -> timedelta | None:
        """Return when the agent is up, of a machine whose agent `usual`ly takes so long."""
        late = self.conduct.agent_late
        if usual is None or late is None or self.conduct.boot is not Boot.LOGIN:
            return None
        return usual + late


# models guest-inferred
IMAGES: Mapping[str, dict[str, str]] = {
    "Linux": {
        "publisher": "Canonical",
        "offer": "ubuntu-24_04-lts",
        "sku": "server",
        "version": "latest",
        "exactVersion": "24.04.202601120",
    },
    "Windows": {
        "publisher": "MicrosoftWindowsServer",
        "offer": "WindowsServer",
        "sku": "2022-datacenter-g2",
        "version": "latest",
        "exactVersion": "20348.4648.260106",
    },
}
_LINUX_AGENT, _WINDOWS_AGENT = "2.11.1.4", "2.7.41491.1095"
_WINDOWS = {
    "2012-r2": ("Windows Server 2012 R2 Datacenter", "Microsoft Windows NT 6.3.9600.0"),
    "2016": ("Windows Server 2016 Datacenter", "Microsoft Windows NT 10.0.14393.0"),
    "2019": ("Windows Server 2019 Datacenter", "Microsoft Windows NT 10.0.17763.0"),
    "2022": ("Windows Server 2022 Datacenter", "Microsoft Windows NT 10.0.20348.0"),
    "2025": ("Windows Server 2025 Datacenter", "Microsoft Windows NT 10.0.26100.0"),
}


# models guest-recorded
def guest_of(os_type: str, image: Mapping[str, Any] | None) -> Guest:
    """Return the guest of a machine made from `image` (None: from a disk of its own)."""
    named = image if image and "offer" in image else IMAGES[os_type]
    text = f"{named.get('offer', '')} {named.get('sku', '')}".lower()
    generation = "V2" if re.search(r"gen2|-g2|^ubuntu-2\d_\d\d-\S+ (?!.*gen1)", text) else "V1"
    if os_type == "Windows":
        name, version = next(
            (shown for key, shown in _WINDOWS.items() if key in text), _WINDOWS["2022"]
        )
        return Guest(name, version, _WINDOWS_AGENT, generation)
    if found := re.search(r"debian-(\d+)", text):
        return Guest("debian", found[1], _LINUX_AGENT, generation)
    release = re.search(r"(\d\d)[._](\d\d)", text)
    return Guest(
        "ubuntu", f"{release[1]}.{release[2]}" if release else "", _LINUX_AGENT, generation
    )
