"""
How far the time zones of policies are from UTC, by the names that Azure takes (those of Windows).

Azure Backup does not shift the hour of a schedule for summer time (AZURE: policies). Its pages do
not say which of a zone's two offsets then holds all year, so both are given and whoever judges a
backup's time has to allow for either.
"""

import re
from datetime import timedelta

# Standard time's offset, then summer time's where a zone has one (IANA's rules, as of 2026).
_OFFSETS = """
-12:00 = Dateline Standard Time
-11:00 = UTC-11
-10:00 = Hawaiian Standard Time
-10:00 -09:00 = Aleutian Standard Time
-09:30 = Marquesas Standard Time
-09:00 = UTC-09
-09:00 -08:00 = Alaskan Standard Time
-08:00 = UTC-08
-08:00 -07:00 = Pacific Standard Time (Mexico), Pacific Standard Time
-07:00 = US Mountain Standard Time, Mountain Standard Time (Mexico), Yukon Standard Time
-07:00 -06:00 = Mountain Standard Time
-06:00 = Central America Standard Time, Central Standard Time (Mexico)
-06:00 = Canada Central Standard Time
-06:00 -05:00 = Central Standard Time, Easter Island Standard Time
-05:00 = SA Pacific Standard Time, Eastern Standard Time (Mexico)
-05:00 -04:00 = Eastern Standard Time, Haiti Standard Time, Cuba Standard Time
-05:00 -04:00 = US Eastern Standard Time, Turks And Caicos Standard Time
-04:00 = Venezuela Standard Time, Central Brazilian Standard Time, SA Western Standard Time
-04:00 -03:00 = Atlantic Standard Time, Pacific SA Standard Time
-03:30 -02:30 = Newfoundland Standard Time
-03:00 = Tocantins Standard Time, Paraguay Standard Time, E. South America Standard Time
-03:00 = SA Eastern Standard Time, Argentina Standard Time, Montevideo Standard Time
-03:00 = Magallanes Standard Time, Bahia Standard Time
-03:00 -02:00 = Saint Pierre Standard Time
-02:00 = UTC-02
-02:00 -01:00 = Greenland Standard Time
-01:00 = Cape Verde Standard Time
-01:00 +00:00 = Azores Standard Time
+00:00 = UTC, Greenwich Standard Time, Sao Tome Standard Time
+00:00 +01:00 = GMT Standard Time, Morocco Standard Time
+01:00 = W. Central Africa Standard Time
+01:00 +02:00 = W. Europe Standard Time, Central Europe Standard Time, Romance Standard Time
+01:00 +02:00 = Central European Standard Time
+02:00 = South Africa Standard Time, South Sudan Standard Time, Kaliningrad Standard Time
+02:00 = Sudan Standard Time, Libya Standard Time, Namibia Standard Time
+02:00 +03:00 = GTB Standard Time, Middle East Standard Time, Egypt Standard Time
+02:00 +03:00 = E. Europe Standard Time, West Bank Standard Time, FLE Standard Time
+02:00 +03:00 = Israel Standard Time
+03:00 = Jordan Standard Time, Syria Standard Time, Arabic Standard Time, Turkey Standard Time
+03:00 = Arab Standard Time, Belarus Standard Time, Russian Standard Time, E. Africa Standard Time
+03:00 = Volgograd Standard Time
+03:30 = Iran Standard Time
+04:00 = Arabian Standard Time, Astrakhan Standard Time, Azerbaijan Standard Time
+04:00 = Russia Time Zone 3, Mauritius Standard Time, Saratov Standard Time
+04:00 = Georgian Standard Time, Caucasus Standard Time
+04:30 = Afghanistan Standard Time
+05:00 = West Asia Standard Time, Ekaterinburg Standard Time, Pakistan Standard Time
+05:00 = Qyzylorda Standard Time
+05:30 = India Standard Time, Sri Lanka Standard Time
+05:45 = Nepal Standard Time
+06:00 = Central Asia Standard Time, Bangladesh Standard Time, Omsk Standard Time
+06:30 = Myanmar Standard Time
+07:00 = SE Asia Standard Time, Altai Standard Time, W. Mongolia Standard Time
+07:00 = North Asia Standard Time, N. Central Asia Standard Time, Tomsk Standard Time
+08:00 = China Standard Time, North Asia East Standard Time, Singapore Standard Time
+08:00 = W. Australia Standard Time, Taipei Standard Time, Ulaanbaatar Standard Time
+08:45 = Aus Central W. Standard Time
+09:00 = Transbaikal Standard Time, Tokyo Standard Time, North Korea Standard Time
+09:00 = Korea Standard Time, Yakutsk Standard Time
+09:30 = AUS Central Standard Time
+09:30 +10:30 = Cen. Australia Standard Time
+10:00 = E. Australia Standard Time, West Pacific Standard Time, Vladivostok Standard Time
+10:00 +11:00 = AUS Eastern Standard Time, Tasmania Standard Time
+10:30 +11:00 = Lord Howe Standard Time
+11:00 = Bougainville Standard Time, Russia Time Zone 10, Magadan Standard Time
+11:00 = Sakhalin Standard Time, Central Pacific Standard Time
+11:00 +12:00 = Norfolk Standard Time
+12:00 = Russia Time Zone 11, UTC+12, Fiji Standard Time
+12:00 +13:00 = New Zealand Standard Time
+12:45 +13:45 = Chatham Islands Standard Time
+13:00 = UTC+13, Tonga Standard Time, Samoa Standard Time
+14:00 = Line Islands Standard Time
"""


def _parse(offset: str) -> timedelta:
    hours, minutes = map(int, re.findall(r"\d+", offset))
    span = timedelta(hours=hours, minutes=minutes)
    return -span if offset.startswith("-") else span


ZONE_OFFSETS = {
    zone: tuple(map(_parse, offsets.split()))
    for offsets, _, zones in (line.partition(" = ") for line in _OFFSETS.strip().splitlines())
    for zone in zones.split(", ")
}
