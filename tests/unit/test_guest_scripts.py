"""The scripts for guests, run for real in a directory of their own: no guest is touched."""

import gzip
import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from vmbackup_core.domain.drill.proof_canary import Canary, read_canary
from vmbackup_core.domain.drill.proof_control import EXIT_CODE, control_check

GUEST = Path(__file__).parents[2] / "guest"
SHELLS = [shell for shell in ("sh", "dash", "bash") if shutil.which(shell)]
pytestmark = pytest.mark.skipif(
    not shutil.which("sha256sum"), reason="no sha256sum here: the canary needs it"
)

type Ran = subprocess.CompletedProcess[str]


@dataclass(frozen=True, slots=True)
class Vm:
    """A machine as far as a script can see it: its disk, its memory, its serial port."""

    home: Path
    shell: str

    def run(self, script: Path, *words: str, **more: str) -> Ran:
        home = self.home
        told = {
            "PATH": f"{home / 'bin'}{os.pathsep}{os.defpath}",
            "CANARY_DIR": str(home / "disk"),
            "CANARY_RUN": str(home / "run"),
            "CANARY_BOOT_ID": str(home / "boot_id"),
            "CANARY_CONSOLE": f"{home / 'no-port'} {home / 'console'}",
            "CANARY_SCRIPT": str(GUEST / "canary.sh"),
            **more,
        }
        return subprocess.run(
            [self.shell, str(script), *words],
            env=told,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    def canary(self, *words: str, **more: str) -> Ran:
        return self.run(GUEST / "canary.sh", *words, **more)

    def check(self, name: str, **more: str) -> Ran:
        return self.run(GUEST / "checks" / name, **more)

    def restart(self, boot: str) -> None:
        (self.home / "boot_id").write_text(f"{boot}\n")

    @property
    def file(self) -> Path:
        return self.home / "disk" / "canary"

    @property
    def console(self) -> str:
        return (self.home / "console").read_text()

    def shown(self) -> Canary:
        """Return what `show` says now."""
        told = self.canary("show")
        assert told.returncode == 0, told.stderr
        canary = read_canary(told.stdout)
        assert canary is not None
        return canary

    def has(self, name: str, script: str) -> None:
        """Give the machine a command."""
        command = self.home / "bin" / name
        command.parent.mkdir(exist_ok=True)
        command.write_text(f"#!/bin/sh\n{script}\n")
        command.chmod(0o755)


@pytest.fixture(params=SHELLS)
def vm(request: pytest.FixtureRequest, tmp_path: Path) -> Vm:
    made = Vm(tmp_path, str(request.param))
    made.restart("first")
    (tmp_path / "console").touch()
    return made


def test_what_was_written_is_shown_and_whole(vm: Vm) -> None:
    written = vm.canary("write")

    assert (written.returncode, written.stdout, written.stderr) == (0, "", "")
    assert vm.shown().ok is True
    assert vm.shown().at is not None


def test_a_canary_that_was_never_written_is_missing(vm: Vm) -> None:
    assert vm.shown() == Canary(None, "", None)


def cut(text: bytes) -> bytes:
    return text[:9000]


def emptied(_: bytes) -> bytes:
    return b""


def flipped(text: bytes) -> bytes:
    return text[:5000] + bytes([text[5000] ^ 1]) + text[5001:]


def zeroed(text: bytes) -> bytes:
    return text[:4096] + bytes(4096) + text[8192:]


def dated_back(text: bytes) -> bytes:
    return text.replace(b"\nat 2", b"\nat 1", 1)


def without_end(text: bytes) -> bytes:
    return text.rsplit(b"sha256", 1)[0]


def longer(text: bytes) -> bytes:
    return text + b"more\n"


@pytest.mark.parametrize("spoil", [cut, emptied, flipped, zeroed, dated_back, without_end, longer])
def test_a_spoilt_canary_is_damaged(vm: Vm, spoil: Callable[[bytes], bytes]) -> None:
    vm.canary("write")

    vm.file.write_bytes(spoil(vm.file.read_bytes()))

    assert vm.shown().ok is False


def test_no_two_canaries_are_alike(vm: Vm) -> None:
    vm.canary("write")
    first = vm.shown().sha256
    vm.canary("write")

    assert vm.shown().sha256 != first


def test_writing_leaves_nothing_but_the_canary(vm: Vm) -> None:
    vm.canary("write")
    left = vm.home / "disk" / "canary.new.1"  # Of a machine that stopped while it wrote.
    left.touch()
    os.utime(left, (0, 0))

    vm.canary("write")

    assert [path.name for path in vm.file.parent.iterdir()] == ["canary"]


def test_at_boot_the_console_tells_of_the_canary(vm: Vm) -> None:
    vm.canary("write")
    vm.restart("second")

    told = vm.canary("boot")

    assert (told.returncode, told.stdout) == (0, "")
    assert read_canary(vm.console) == vm.shown()
    assert vm.console.startswith("\n")


def test_a_copy_that_writes_its_own_canary_tells_of_the_one_it_was_made_with(vm: Vm) -> None:
    vm.canary("write")
    before = vm.shown()
    vm.restart("copy")

    vm.canary("write")
    vm.canary("boot")
    told = vm.check("canary-linux.sh")

    assert read_canary(vm.console) == before
    assert read_canary(told.stdout) == before
    assert vm.shown().sha256 != before.sha256


def test_a_copy_that_wrote_nothing_yet_is_asked_all_the_same(vm: Vm) -> None:
    vm.canary("write")
    vm.restart("copy")

    told = vm.check("canary-linux.sh")

    assert told.returncode == 0
    assert read_canary(told.stdout) == vm.shown()


def test_starting_and_writing_at_once_tell_the_same(vm: Vm) -> None:
    vm.canary("write")
    before = vm.shown()
    vm.restart("copy")
    modes = ("boot", "write", "write", "boot") * 3
    environment = {
        "PATH": os.defpath,
        "CANARY_DIR": str(vm.home / "disk"),
        "CANARY_RUN": str(vm.home / "run"),
        "CANARY_BOOT_ID": str(vm.home / "boot_id"),
        "CANARY_CONSOLE": str(vm.home / "console"),
    }

    at_once = [
        subprocess.Popen([vm.shell, str(GUEST / "canary.sh"), mode], env=environment)
        for mode in modes
    ]

    assert {one.wait(timeout=60) for one in at_once} == {0}
    assert read_canary(vm.check("canary-linux.sh").stdout) == before
    assert vm.shown().ok is True


def test_without_a_console_it_says_so(vm: Vm) -> None:
    told = vm.canary("boot", CANARY_CONSOLE=str(vm.home / "no-port"))

    assert told.returncode == 3
    assert told.stderr == "vmbackup-canary: no serial console can be written to\n"


@pytest.mark.parametrize("words", [(), ("erase",), ("install", "runit")])
def test_what_it_does_not_know_it_does_not_do(vm: Vm, words: tuple[str, ...]) -> None:
    told = vm.canary(*words, CANARY_ROOT=str(vm.home / "root"))

    assert told.returncode == 2
    assert not vm.file.exists()


def files(root: Path) -> set[str]:
    return {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}


UNITS = {
    f"etc/systemd/system/vmbackup-canary{end}" for end in ("-boot.service", ".service", ".timer")
}


@pytest.mark.parametrize(
    ("how", "made"), [("cron", {"etc/cron.d/vmbackup-canary"}), ("systemd", UNITS)]
)
def test_it_installs_and_removes_itself(vm: Vm, how: str, made: set[str]) -> None:
    root = vm.home / "root"

    assert vm.canary("install", how, CANARY_ROOT=str(root)).returncode == 0
    installed = files(root)
    again = vm.run(root / "usr/local/sbin/vmbackup-canary", "install", how, CANARY_ROOT=str(root))
    removed = vm.canary("remove", CANARY_ROOT=str(root))

    assert installed == {"usr/local/sbin/vmbackup-canary", *made}
    assert again.returncode == 0
    assert removed.returncode == 0
    assert files(root) == set()
    assert not vm.file.parent.exists()


def test_what_it_installs_for_cron_runs_what_it_installed(vm: Vm) -> None:
    root = vm.home / "root"
    vm.canary("install", "cron", CANARY_ROOT=str(root), CANARY_EVERY="5")

    lines = (root / "etc/cron.d/vmbackup-canary").read_text().splitlines()

    assert lines[1:] == [
        "@reboot root /usr/local/sbin/vmbackup-canary boot",
        "*/5 * * * * root /usr/local/sbin/vmbackup-canary write",
    ]


def test_a_copy_without_a_canary_says_that_none_is_installed(vm: Vm) -> None:
    told = vm.check("canary-linux.sh", CANARY_SCRIPT=str(vm.home / "none"))

    assert (told.returncode, told.stdout) == (1, "no canary is installed in this VM\n")


# The examples of checks.


@pytest.mark.parametrize(("state", "code"), [("active", 0), ("failed", 1), ("inactive", 1)])
def test_services_must_run(vm: Vm, state: str, code: int) -> None:
    vm.has("systemctl", f"echo {state}")

    assert vm.check("services-linux.sh").returncode == code


FSTAB = """\
# A comment
UUID=8f1d / ext4 defaults 0 1
UUID=8f1e /data xfs defaults,nofail 0 2
UUID=8f1f /media/iso iso9660 ro 0 0
UUID=8f20 none swap sw 0 0
UUID=8f21 /later ext4 noauto 0 0
"""
MOUNTED = "/dev/sda1 / ext4 rw,relatime 0 0\n/dev/sr0 /media/iso iso9660 ro,relatime 0 0\n"
DATA = "/dev/sdc1 /data xfs {},relatime 0 0\n"


@pytest.mark.parametrize(
    ("mounted", "said"),
    [
        (MOUNTED + DATA.format("rw"), ""),
        (MOUNTED + DATA.format("ro"), "/data is mounted read-only\n"),
        (MOUNTED, "/data is not mounted\n"),
    ],
)
def test_what_is_mounted_at_boot_must_be_mounted(vm: Vm, mounted: str, said: str) -> None:
    (vm.home / "fstab").write_text(FSTAB)
    (vm.home / "mounts").write_text(mounted)

    told = vm.check("mounts-linux.sh", FSTAB=str(vm.home / "fstab"), MOUNTS=str(vm.home / "mounts"))

    assert (told.returncode, told.stdout) == (int(bool(said)), said)


WHOLE = gzip.compress(b"insert\n" * 99 + b"-- Dump completed on 2030-01-15\n")


@pytest.mark.parametrize(
    ("dumps", "code"),
    [
        ({"a.sql.gz": WHOLE}, 0),
        ({"a.sql.gz": WHOLE[:-20]}, 1),
        ({"a.sql.gz": gzip.compress(b"insert\n")}, 1),
        ({"a.sql": WHOLE}, 1),
        ({}, 1),
    ],
)
def test_a_dump_must_be_whole(vm: Vm, dumps: dict[str, bytes], code: int) -> None:
    for name, content in dumps.items():
        (vm.home / name).write_bytes(content)

    assert vm.check("dump-linux.sh", FOLDER=str(vm.home)).returncode == code


def test_the_control_ends_as_it_must(vm: Vm) -> None:
    script = vm.home / "control.sh"
    script.write_text(control_check("Linux").script)

    assert vm.run(script).returncode == EXIT_CODE


@pytest.mark.parametrize("script", sorted(GUEST.rglob("*.sh")), ids=lambda path: path.name)
def test_every_script_may_be_run(script: Path) -> None:
    assert os.access(script, os.X_OK)
    assert script.read_text().startswith("#!/bin/sh\n")
