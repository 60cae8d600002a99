"""Documents in a local directory, each a plain file that a person can read."""

import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vmbackup_core.adapters.blob_rules import check_name
from vmbackup_core.adapters.files import write_whole
from vmbackup_core.domain.errors import Stale
from vmbackup_core.ports import Blob

_LOCK = ".lock"


class FileBlobs:
    """
    The port Blobs. The etag is made of the content and of when it was written.

    POSIX only, for the lock that all processes respect.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def read(self, name: str) -> Blob | None:
        check_name(name)
        try:
            with (self._directory / name).open("rb") as file:
                content = file.read()
                return Blob(name, content, _etag(content, os.fstat(file.fileno())))
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            return None

    def create(self, name: str, content: bytes) -> Blob:
        with self._locked():
            if self.read(name) is not None:
                raise Stale(f"the document {name} is there already")
            return self._write(name, content)

    def replace(self, blob: Blob, content: bytes) -> Blob:
        with self._locked():
            there = self.read(blob.name)
            if there is None or there.etag != blob.etag:
                raise Stale(f"the document {blob.name} was changed by somebody else")
            return self._write(blob.name, content)

    def names(self, prefix: str) -> Iterator[str]:
        found = (
            path.relative_to(self._directory).as_posix()
            for path in self._directory.rglob("*")
            if path.is_file() and not path.name.startswith(".")
        )
        yield from sorted(name for name in found if name.startswith(prefix))

    def _write(self, name: str, content: bytes) -> Blob:
        path = self._directory / name
        write_whole(path, content)
        return Blob(name, content, _etag(content, path.stat()))

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self._directory.mkdir(parents=True, exist_ok=True)
        lock = os.open(self._directory / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)


def _etag(content: bytes, of: os.stat_result) -> str:
    return f"{of.st_mtime_ns:x}-{of.st_ino:x}-{hashlib.sha256(content).hexdigest()[:32]}"
