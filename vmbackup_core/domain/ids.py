"""
The names of things, and the keys derived from them.

ARM ids compare without case, so they are held in lower case; what people read keeps its case in the
facts. Keys are derived, never drawn: the same ids give the same key on every machine and in every
try, which is what makes doing a thing twice the same as doing it once.
"""

import hashlib
import re
from dataclasses import dataclass
from typing import Self

from vmbackup_core.domain.errors import Malformed

_KEY_KIND = re.compile(r"[a-z0-9-]{1,60}")


def derive_key(kind: str, *ids: str) -> str:
    """
    Return `kind`, "-", and the first 32 hex digits of the SHA-256 of the lower-cased ids.

    At most 100 characters of `[a-z0-9-]`: fit for a Durable instance id and a table's row key.
    """
    if not _KEY_KIND.fullmatch(kind):
        raise ValueError(f"not a kind for a key: {kind!r}")
    digest = hashlib.sha256("\n".join(part.lower() for part in ids).encode()).hexdigest()
    return f"{kind}-{digest[:32]}"


def derive_number(*ids: str) -> int:
    """Return a number below 2**64 that the lower-cased ids decide, alike on every machine."""
    digest = hashlib.sha256("\n".join(part.lower() for part in ids).encode()).digest()
    return int.from_bytes(digest[:8])


def _segments(raw: str, provider: str, kind: str) -> tuple[str, str, str]:
    """Return subscription, resource group and name of the ARM id `raw`, all in lower case."""
    path = raw.strip().lower()
    pattern = (
        r"/subscriptions/([^/]+)/resourcegroups/([^/]+)"
        rf"/providers/{re.escape(provider)}/{kind}/([^/]+)"
    )
    if (found := re.fullmatch(pattern, path)) is None:
        raise Malformed(f"not the id of one of {provider}/{kind}: {raw!r}")
    return found[1], found[2], found[3]


@dataclass(frozen=True, slots=True, order=True)
class VmId:
    """The ARM id of a virtual machine, in lower case."""

    subscription: str
    group: str
    name: str

    @classmethod
    def parse(cls, raw: str) -> Self:
        """Read an ARM id in any case; raises Malformed for anything else."""
        return cls(*_segments(raw, "microsoft.compute", "virtualmachines"))

    def __str__(self) -> str:
        return (
            f"/subscriptions/{self.subscription}/resourcegroups/{self.group}"
            f"/providers/microsoft.compute/virtualmachines/{self.name}"
        )

    @property
    def container(self) -> str:
        """The VM's protection container, as the service names it (AZURE: ids, names, versions)."""
        return f"IaasVMContainer;iaasvmcontainerv2;{self.group};{self.name}"

    @property
    def item(self) -> str:
        """The VM's protected item, as the service names it."""
        return f"VM;iaasvmcontainerv2;{self.group};{self.name}"


@dataclass(frozen=True, slots=True, order=True)
class VaultId:
    """The ARM id of a Recovery Services vault, in lower case."""

    subscription: str
    group: str
    name: str

    @classmethod
    def parse(cls, raw: str) -> Self:
        """
        Read an ARM id in any case, or the URL that Azure sometimes writes in an id's place
        (`https://management.azure.com/subscriptions/…` in an item's `vaultId`).
        """
        path = re.sub(r"^https?://[^/]+", "", raw.strip())
        return cls(*_segments(path, "microsoft.recoveryservices", "vaults"))

    def __str__(self) -> str:
        return (
            f"/subscriptions/{self.subscription}/resourcegroups/{self.group}"
            f"/providers/microsoft.recoveryservices/vaults/{self.name}"
        )

    def policy(self, name: str) -> str:
        """Return the ARM id of this vault's policy `name` (whose case the service keeps)."""
        return f"{self}/backuppolicies/{name}"
