"""Which size a copy gets: the smallest of the configured ones that fits, else its source's."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SizeFacts:
    """One VM size of a region, as the SKU list has it."""

    name: str
    family: str
    vcpus: int
    memory_gb: float


@dataclass(frozen=True, slots=True)
class Usage:
    """A vCPU quota: `name` is a family's, or `cores` for the whole region."""

    name: str
    used: int
    limit: int
