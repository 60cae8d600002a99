"""What is wanted, keyed: the same wish has the same key, whoever wishes it and how often."""

from dataclasses import dataclass

from vmbackup_core.domain.ids import VmId, derive_key


@dataclass(frozen=True, slots=True)
class EnsureProtected:
    """Bring one VM's protection to the state that its tag asks for."""

    vm: VmId

    @property
    def key(self) -> str:
        """The workflow's instance id: at most one runs for each VM."""
        return derive_key("protect", str(self.vm))
