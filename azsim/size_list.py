"""
The VM sizes that azsim knows: a choice of Azure's 1,300, with what distinguishes them.

Numbers follow the pages on sizes; names of families and capabilities are spelled as the list of
SKUs and the list of usages spell them, which is not always alike from one family to the next.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Size:
    """One size. `controllers` and `confidential` are empty where the list of SKUs is silent."""

    name: str
    family: str
    vcpus: int
    memory_gb: float
    data_disks: int
    generations: str = "V1,V2"
    architecture: str = "x64"
    controllers: str = ""
    premium: bool = True
    ultra_in_zones: bool = False
    trusted_launch: bool = True
    confidential: str = ""

    @property
    def boots_from(self) -> frozenset[str]:
        """The disk controllers that it has, in lower case."""
        return frozenset(c.strip().lower() for c in (self.controllers or "SCSI").split(","))


type _Line = tuple[str, int, float, int]  # Name, vCPUs, memory in GB, data disks.


def _series(family: str, lines: Iterable[_Line], **traits: Any) -> tuple[Size, ...]:
    """Return the sizes of one family, which share `traits`."""
    return tuple(
        Size(f"Standard_{name}", family, vcpus, memory, disks, **traits)
        for name, vcpus, memory, disks in lines
    )


def _steps(pattern: str, per_vcpu: int, steps: Mapping[int, int]) -> tuple[_Line, ...]:
    """Write a series whose sizes differ by vCPUs alone, with the data disks of each."""
    return tuple((pattern.format(n), n, n * per_vcpu, disks) for n, disks in steps.items())


_DISKS = {2: 4, 4: 8, 8: 16, 16: 32, 32: 32, 48: 32, 64: 32}
_ARM_DISKS = {2: 4, 4: 8, 8: 16, 16: 32, 32: 32, 48: 32}  # One of 64 has less memory for each.
_NVME_DISKS = {2: 8, 4: 12, 8: 24, 16: 48, 32: 64}

# models size-list, size-capabilities
_ALL = (
    *_series(
        "standardBSFamily",
        (
            ("B1s", 1, 1, 2),
            ("B1ms", 1, 2, 2),
            ("B2s", 2, 4, 4),
            ("B2ms", 2, 8, 4),
            ("B4ms", 4, 16, 8),
            ("B8ms", 8, 32, 16),
        ),
    ),
    *_series(
        "standardBsv2Family", (("B2ts_v2", 2, 1, 4), ("B2ls_v2", 2, 4, 4), ("B2s_v2", 2, 8, 4))
    ),
    *_series(
        "standardAv2Family",
        (("A2_v2", 2, 4, 4), ("A4_v2", 4, 8, 8)),
        generations="V1",
        premium=False,
        trusted_launch=False,
    ),
    *_series(
        "standardDv2Family",
        (("D1_v2", 1, 3.5, 4), ("D2_v2", 2, 7, 8), ("D3_v2", 4, 14, 16)),
        generations="V1",
        premium=False,
        trusted_launch=False,
    ),
    *_series(
        "standardDSv2Family",
        (("DS1_v2", 1, 3.5, 4), ("DS2_v2", 2, 7, 8), ("DS3_v2", 4, 14, 16), ("DS4_v2", 8, 28, 32)),
    ),
    *_series("standardDSv3Family", _steps("D{}s_v3", 4, _DISKS), ultra_in_zones=True),
    *_series("standardDSv5Family", _steps("D{}s_v5", 4, _DISKS), ultra_in_zones=True),
    *_series("standardDASv5Family", _steps("D{}as_v5", 4, _DISKS), ultra_in_zones=True),
    *_series("standardESv5Family", _steps("E{}s_v5", 8, _DISKS), ultra_in_zones=True),
    *_series("standardFSv2Family", _steps("F{}s_v2", 2, _DISKS), ultra_in_zones=True),
    *_series(
        "standardDPSv5Family",
        _steps("D{}ps_v5", 4, _ARM_DISKS),
        generations="V2",
        architecture="Arm64",
        trusted_launch=False,
    ),
    *_series(
        "StandardDsv6Family",
        _steps("D{}s_v6", 4, _NVME_DISKS),
        generations="V2",
        controllers="NVMe",
        ultra_in_zones=True,
    ),
    *_series(
        "standardDCASv5Family",
        _steps("DC{}as_v5", 4, _DISKS),
        generations="V2",
        confidential="SNP",
    ),
)

SIZES: Mapping[str, Size] = {size.name.lower(): size for size in _ALL}
FAMILIES: tuple[str, ...] = tuple(dict.fromkeys(size.family for size in _ALL))
