"""Documents in memory, with the races that a test asks for."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from vmbackup_core.domain.errors import Stale
from vmbackup_core.ports import Blob


def nothing() -> None:
    """Let every write through."""


@dataclass(slots=True)
class MemoryBlobs:
    """`before_write` runs before each write, and may raise: a crash, or somebody else's write."""

    content: dict[str, tuple[bytes, int]] = field(default_factory=dict)
    creating_always_loses: bool = False
    before_write: Callable[[], None] = nothing
    writes: int = 0

    def read(self, name: str) -> Blob | None:
        if (found := self.content.get(name)) is None:
            return None
        return Blob(name, found[0], str(found[1]))

    def create(self, name: str, content: bytes) -> Blob:
        self.before_write()
        if name in self.content or self.creating_always_loses:
            raise Stale(f"{name} exists")
        return self._write(name, content)

    def replace(self, blob: Blob, content: bytes) -> Blob:
        self.before_write()
        found = self.content.get(blob.name)
        if found is None or str(found[1]) != blob.etag:
            raise Stale(f"{blob.name} has changed")
        return self._write(blob.name, content)

    def names(self, prefix: str) -> Iterator[str]:
        return iter(sorted(name for name in self.content if name.startswith(prefix)))

    def _write(self, name: str, content: bytes) -> Blob:
        self.writes += 1
        self.content[name] = (content, self.writes)
        return Blob(name, content, str(self.writes))
