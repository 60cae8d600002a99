"""
Windows time zones by their standard offset.

Azure Backup names zones so and never shifts the hour for summer time (backup-azure-vm-backup-faq).
"""

from datetime import timedelta

_HOURS: dict[float, tuple[str, ...]] = {
    -12: ("Dateline Standard Time",),
    -11: ("UTC-11",),
    -10: ("Hawaiian Standard Time", "Aleutian Standard Time"),
    -9: ("Alaskan Standard Time", "UTC-09"),
    -8: ("Pacific Standard Time", "Pacific Standard Time (Mexico)", "UTC-08"),
    -7: ("Mountain Standard Time", "US Mountain Standard Time"),
    -6: ("Central Standard Time", "Central America Standard Time", "Canada Central Standard Time"),
    -5: ("Eastern Standard Time", "SA Pacific Standard Time", "US Eastern Standard Time"),
    -4: ("Atlantic Standard Time", "SA Western Standard Time", "Pacific SA Standard Time"),
    -3.5: ("Newfoundland Standard Time",),
    -3: ("E. South America Standard Time", "Argentina Standard Time", "Greenland Standard Time"),
    -2: ("UTC-02", "Mid-Atlantic Standard Time"),
    -1: ("Azores Standard Time", "Cape Verde Standard Time"),
    0: ("UTC", "GMT Standard Time", "Greenwich Standard Time", "Coordinated Universal Time"),
    1: (
        "W. Europe Standard Time",
        "Central Europe Standard Time",
        "Central European Standard Time",
        "Romance Standard Time",
        "W. Central Africa Standard Time",
    ),
    2: (
        "E. Europe Standard Time",
        "FLE Standard Time",
        "GTB Standard Time",
        "Israel Standard Time",
        "South Africa Standard Time",
        "Egypt Standard Time",
    ),
    3: ("Russian Standard Time", "Arab Standard Time", "Turkey Standard Time"),
    3.5: ("Iran Standard Time",),
    4: ("Arabian Standard Time", "Georgian Standard Time"),
    4.5: ("Afghanistan Standard Time",),
    5: ("Pakistan Standard Time", "West Asia Standard Time"),
    5.5: ("India Standard Time", "Sri Lanka Standard Time"),
    5.75: ("Nepal Standard Time",),
    6: ("Bangladesh Standard Time", "Central Asia Standard Time"),
    6.5: ("Myanmar Standard Time",),
    7: ("SE Asia Standard Time",),
    8: ("China Standard Time", "Singapore Standard Time", "W. Australia Standard Time"),
    9: ("Tokyo Standard Time", "Korea Standard Time"),
    9.5: ("Cen. Australia Standard Time", "AUS Central Standard Time"),
    10: ("AUS Eastern Standard Time", "E. Australia Standard Time"),
    11: ("Central Pacific Standard Time",),
    12: ("New Zealand Standard Time", "UTC+12", "Fiji Standard Time"),
    13: ("Tonga Standard Time", "UTC+13"),
}
_OFFSETS = {name.lower(): hours for hours, names in _HOURS.items() for name in names}


# models policy-no-summer-time
def offset_of(zone: str) -> timedelta | None:
    """Return how far `zone` is ahead of UTC, None for a zone that is not in the table."""
    hours = _OFFSETS.get(zone.lower())
    return None if hours is None else timedelta(hours=hours)
