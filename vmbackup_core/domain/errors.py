"""
Our errors, named for what the caller should do next:

    BackupError
    ├── Retryable   wait (`after`, when the service said how long), then observe and try again
    ├── Stale       the world moved: observe and plan again
    │   └── Gone    … and the very thing that we asked about is not there any more
    ├── Denied      only a human can help: report
    ├── Rejected    Azure understood and said no: report, never repeat
    └── Malformed   input does not parse: keep it, never repeat

Any other exception is a bug, and is left to crash.
"""

from datetime import timedelta


class BackupError(Exception):
    """Base of the errors we expect. `code` is the service's own, for the evidence."""

    def __init__(self, message: str, *, code: str = "", status: int = 0) -> None:
        super().__init__(message)
        self.code = code
        self.status = status


class Retryable(BackupError):
    """
    The same call may work later.

    `after` is how long the service asked to be left alone. `maybe_done` says that the call may have
    taken effect (the answer was lost): look for the effect before sending it again.
    """

    def __init__(
        self,
        message: str,
        *,
        code: str = "",
        status: int = 0,
        after: timedelta | None = None,
        maybe_done: bool = False,
    ) -> None:
        super().__init__(message, code=code, status=status)
        self.after = after
        self.maybe_done = maybe_done


class Stale(BackupError):
    """What we acted on no longer holds (gone, changed meanwhile)."""


class Gone(Stale):
    """The very thing that we asked about is not there any more."""


class Denied(BackupError):
    """The identity, a lock, a guard or a policy forbids it."""


class Rejected(BackupError):
    """The request was understood and refused; repeating it repeats the answer."""


class Malformed(BackupError):
    """The input does not parse."""
