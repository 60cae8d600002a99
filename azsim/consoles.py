"""
What a machine shows of itself while it starts: its serial log and a picture of its screen.

Both are functions of the clock and of the guest's conduct. The lines are of the kind that Ubuntu
and Windows Server write (guessed); that the log is not there soon after the start is recorded.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING

from azsim.guests import Boot

if TYPE_CHECKING:
    from azsim.machine import Machine

# models boot-log-after
SHOWN_AFTER = timedelta(seconds=10)  # Guessed; recorded: BlobNotFound right after the start.
Line = tuple[timedelta, str]
_OK = "[\x1b[0;32m  OK  \x1b[0m]"  # systemd colours what it says, also on a serial port.

_LINUX_ENDS: dict[Boot, tuple[tuple[float, str], ...]] = {
    Boot.LOGIN: (
        (0.5, "[    9.214518] cloud-init[612]: Cloud-init v. 24.4 running 'init'"),
        (0.6, f"{_OK} Reached target network-online.target - Network is Online."),
        (0.8, f"{_OK} Started walinuxagent.service - Azure Linux Agent."),
        (0.9, f"{_OK} Reached target multi-user.target - Multi-User System."),
    ),
    Boot.PANIC: (
        (0.3, "[    2.914203] VFS: Cannot open root device or unknown-block(0,0): error -6"),
        (
            0.3,
            "[    2.914977] Kernel panic - not syncing: VFS: Unable to mount root fs on "
            "unknown-block(0,0)",
        ),
        (0.3, "[    2.921112] ---[ end Kernel panic - not syncing: VFS: Unable to mount root fs ]"),
    ),
    Boot.EMERGENCY: (
        (0.5, "[\x1b[0;1;31m TIME \x1b[0m] Timed out waiting for device /dev/disk/by-uuid/8f1d."),
        (0.5, "[\x1b[0;1;38;5;185mDEPEND\x1b[0m] Dependency failed for Local File Systems."),
        (
            0.6,
            'You are in emergency mode. After logging in, type "journalctl -xb" to view system '
            "logs.",
        ),
        (0.6, "Press Enter for maintenance"),
    ),
    Boot.HANG: ((0.4, "[    4.118220] scsi host0: storvsc_host_t"),),
}
_WINDOWS_ENDS: dict[Boot, tuple[tuple[float, str], ...]] = {
    Boot.LOGIN: ((0.4, "Computer is booting, SAC started and initialized."), (0.5, "SAC>")),
    Boot.PANIC: ((0.3, "*** STOP: 0x0000007B (INACCESSIBLE_BOOT_DEVICE)"),),
    Boot.EMERGENCY: ((0.4, "Windows Recovery Environment"),),
    Boot.HANG: (),
}
# A colour for each screen (blue, green, red), so that pictures differ as screens do.
_SCREENS = {
    Boot.LOGIN: b"\x60\x30\x00",
    Boot.PANIC: b"\xd7\x78\x00",
    Boot.EMERGENCY: b"\x10\x10\x40",
    Boot.HANG: b"\x00\x00\x00",
}
_STARTING = b"\x20\x20\x20"
_SIDE = 8


# models boot-log-lines
def serial_log(machine: "Machine") -> str | None:
    """Return what the machine has written to its serial port since it was started, or None."""
    since = _running_for(machine)
    if since is None:
        return None
    return "".join(f"{text}\r\n" for at, text in _lines(machine) if at <= since)


# models boot-screen
def screenshot(machine: "Machine") -> bytes | None:
    """Return a bitmap of the screen, the same for the same screen, or None where there is none."""
    since = _running_for(machine)
    if since is None:
        return None
    conduct = machine.guest.conduct
    pixel = _SCREENS[conduct.boot] if since >= conduct.boot_takes else _STARTING
    pixels = pixel * _SIDE * _SIDE
    sizes = [54 + len(pixels), 0, 54, 40, _SIDE, _SIDE]
    head = b"BM" + b"".join(size.to_bytes(4, "little") for size in sizes)
    head += (1).to_bytes(2, "little") + (24).to_bytes(2, "little") + bytes(24)
    return head + pixels


# models boot-log-while-running
def _running_for(machine: "Machine") -> timedelta | None:
    if machine.booted_at is None:
        return None
    since = machine.world.clock.now() - machine.booted_at
    return since if since >= SHOWN_AFTER else None


def _lines(machine: "Machine") -> Iterator[Line]:
    """Yield the lines of one start, each with its time after it."""
    conduct, guest = machine.guest.conduct, machine.guest
    takes = conduct.boot_takes
    linux = machine.os_type == "Linux"
    if linux:
        yield takes * 0.1, "[    0.000000] Linux version 6.8.0-1021-azure (buildd@lcy02-amd64-025)"
        yield (
            takes * 0.2,
            "[    0.000000] DMI: Microsoft Corporation Virtual Machine/Virtual Machine",
        )
    ends = _LINUX_ENDS if linux else _WINDOWS_ENDS
    for share, text in ends[conduct.boot]:
        yield takes * share, text
    if conduct.boot is not Boot.LOGIN:
        return
    for text in conduct.says:
        yield takes * 0.95, text
    if conduct.recalls is not None:
        yield takes * 0.95, conduct.recalls(guest.kept_at or machine.created)
    if linux:
        system = {"ubuntu": "Ubuntu", "debian": "Debian GNU/Linux"}.get(guest.os_name, "Linux")
        yield (
            takes,
            f"{system} {guest.os_version} {machine.name} ttyS0\r\n\r\n{machine.name} login: ",
        )
