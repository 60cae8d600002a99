"""Schedules as the Functions host takes them, checked before it refuses to start."""

from vmbackup_core.settings.faults import Unfit

# The six fields of an NCRONTAB expression: lowest, highest, names that stand for numbers.
_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_WEEKDAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
_FIELDS: tuple[tuple[str, int, int, list[str]], ...] = (
    ("second", 0, 59, []),
    ("minute", 0, 59, []),
    ("hour", 0, 23, []),
    ("day", 1, 31, []),
    ("month", 1, 12, _MONTHS),
    ("day of week", 0, 6, _WEEKDAYS),
)


def parse_ncrontab(text: str) -> str:
    """Check an expression as the Functions host takes it: six fields, the first are seconds."""
    fields = text.split()
    if len(fields) != len(_FIELDS):
        raise Unfit(
            f'"{text}" has {len(fields)} fields, not 6',
            'seconds come first: "0 */30 * * * *" is every 30 minutes',
        )
    for field, (word, low, high, names) in zip(fields, _FIELDS, strict=True):
        if not all(_fits(part, low, high, names) for part in field.lower().split(",")):
            raise Unfit(f'"{field}" is no {word}', f"from {low} to {high}, with * , - and /")
    return text


def _fits(part: str, low: int, high: int, names: list[str]) -> bool:
    span, _, step = part.partition("/")
    if "/" in part and not (step.isdecimal() and int(step) > 0):
        return False
    if span == "*":
        return True
    ends = [str(low + names.index(end)) if end in names else end for end in span.split("-")]
    if len(ends) > 2 or not all(end.isdecimal() and low <= int(end) <= high for end in ends):
        return False
    return int(ends[0]) <= int(ends[-1])
