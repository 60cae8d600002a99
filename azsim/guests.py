"""
What runs inside a machine: its system and agent, by the image that the machine is made from.

Names and versions of the Ubuntu, Debian and Windows 2012 R2 images are recorded; the rest follows
their pattern (inferred).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Guest:
    """The guest's own words, and the generation (`V1`, `V2`) of the machine it needs."""

    os_name: str
    os_version: str
    agent_version: str
    generation: str


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
