"""What a document's name may be, whichever store keeps it: the narrowest of them decides."""

import re

_SEGMENT = r"[A-Za-z0-9_][A-Za-z0-9._=-]*(?<!\.)"
_NAME = re.compile(rf"{_SEGMENT}(/{_SEGMENT})*")
LONGEST = 500


def check_name(name: str) -> None:
    """Raise ValueError for a name that a store could not keep, or keep elsewhere: a bug of ours."""
    if _NAME.fullmatch(name) is None or len(name) > LONGEST:
        raise ValueError(f"not a name for a document: {name!r}")
