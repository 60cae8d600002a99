"""
Whether a slot's subnet is isolated, told from configuration before anything is powered on.

What cannot be read counts as a breach: isolation is proven or it is not there.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class NetworkFacts:
    """All that decides whether a slot's subnet is isolated; None where the subnet is not there."""

    subnet_id: str
    free_addresses: int | None = None
    network_security_group: str = ""


@dataclass(frozen=True, slots=True)
class Breach:
    """One way out of, or into, the subnet, or something that could not be read."""

    what: str
    mend: str = ""
