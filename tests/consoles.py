"""
What systems write to their serial ports while they start, in short: one for each way it can end.

Written for these tests after what Ubuntu, Debian, RHEL, SLES and Windows Server write.
"""

KERNEL = "[    0.000000] Linux version 6.8.0-1021-azure (buildd@lcy02) #25-Ubuntu SMP\r\n"
GREEN = "[\x1b[0;32m  OK  \x1b[0m]"

UBUNTU = (
    f"{KERNEL}"
    "[    0.000000] Command line: BOOT_IMAGE=/vmlinuz console=tty1 console=ttyS0 panic=-1\r\n"
    "[    3.101221] EXT4-fs (sda1): mounted filesystem with ordered data mode.\r\n"
    f"{GREEN} Reached target \x1b[0;1;39mnetwork-online.target\x1b[0m - Network is Online.\r\n"
    "[   14.2] cloud-init[812]: Cloud-init v. 24.4 finished at Mon, 02 Mar 2026 01:00:00 +0000\r\n"
    "\r\n\x1b[H\x1b[JUbuntu 24.04.1 LTS drill-0a ttyS0\r\n\r\ndrill-0a login: "
)
DEBIAN = f"{KERNEL}\r\nDebian GNU/Linux 12 web ttyS0\n\nweb login: [   41.1] hv_balloon: Max\n"
RHEL = (
    "[    0.000000] Linux version 5.14.0-503.el9.x86_64 (mockbuild@x86) #1 SMP\n"
    f"{GREEN} Started Getty on tty1.\n"
    "\nRed Hat Enterprise Linux 9.5 (Plow)\nKernel 5.14.0-503.el9.x86_64 on an x86_64\n"
    "\nActivate the web console with: systemctl enable --now cockpit.socket\n\napp-1 login: "
)
SLES = (
    "[    0.000000][    T0] Linux version 6.4.0-150600.21-default (geeko@buildhost)\n"
    "\n\nWelcome to SUSE Linux Enterprise Server 15 SP6  (x86_64) - Kernel 6.4.0 (ttyS0).\n"
    "\neth0: 10.1.0.4\n\n\nsap-07 login: "
)
EARLY = f"{KERNEL}[    0.000000] BIOS-provided RAM map\n{KERNEL}[    1.2] printk: console\n"

PANIC = (
    f"{KERNEL}[    2.914203] VFS: Cannot open root device 'UUID=8f1d' or unknown-block(0,0)\n"
    "[    2.914977] Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block\n"
    "[    2.915000] CPU: 0 PID: 1 Comm: swapper/0 Not tainted\n"
    "[    2.921112] ---[ end Kernel panic - not syncing: VFS: Unable to mount root fs ]---\n"
)
PANIC_INIT = (
    f"{KERNEL}[    4.1] Kernel panic - not syncing: Attempted to kill init! exitcode=0x00007f00\n"
)
PANIC_RESTARTS = f"{PANIC}[    2.93] Rebooting in 10 seconds..\n"
PANIC_AFTER_LOGIN = f"{UBUNTU}\n[   99.1] Kernel panic - not syncing: Fatal exception\n"

SYSTEMD_EMERGENCY = (
    f"{KERNEL}[\x1b[0;1;31m TIME \x1b[0m] Timed out waiting for device /dev/sdc1.\r\n"
    "[DEPEND] Dependency failed for /data.\r\n"
    'You are in emergency mode. After logging in, type "journalctl -xb" to view\r\n'
    "system logs.\r\nPress Enter for maintenance\r\n(or press Control-D to continue): "
)
ROOT_LOCKED = (
    f"{KERNEL}Cannot open access to console, the root account is locked.\n"
    "See sulogin(8) man page for more details.\n\nPress Enter to continue.\n"
)
SYSTEMD_RESCUE = f"{KERNEL}{GREEN} Reached target rescue.target - Rescue Mode.\n"
DRACUT = (
    f"{KERNEL}[  186.1] dracut-initqueue[451]: Warning: Could not boot.\n"
    'Generating "/run/initramfs/rdsosreport.txt"\n\n'
    "Entering emergency mode. Exit the shell to continue.\n"
    'Type "journalctl" to view system logs.\n\ndracut:/# '
)
SLES_EMERGENCY = f"{KERNEL}Give root password for maintenance\n(or type Control-D to continue): "
INITRAMFS = (
    f"{KERNEL}Gave up waiting for root file system device.  Common problems:\n"
    "ALERT!  UUID=8f1d does not exist.  Dropping to a shell!\n\n"
    "BusyBox v1.36.1 (Ubuntu 1:1.36.1-6ubuntu3) built-in shell (ash)\n\n(initramfs) "
)
GRUB_RESCUE = "error: no such partition.\r\nEntering rescue mode...\r\ngrub rescue> "
GRUB_SHELL = "                             GNU GRUB  version 2.06\n\ngrub> "
FROZEN = f"{KERNEL}[    6.2] systemd[1]: Freezing execution.\n"

HANGS = f"{KERNEL}[    4.118220] scsi host0: storvsc_host_t\n"
NO_GETTY = f"{KERNEL}{GREEN} Reached target multi-user.target - Multi-User System.\n"
OLD_NO_GETTY = f"{KERNEL}[  OK  ] Reached target Multi-User System.\n"

SAC = (
    "\r\nComputer is booting, SAC started and initialized.\r\n\r\n"
    'Use the "ch -?" command for information about using channels.\r\n\r\nSAC>'
)
HEALTH = (
    "======== Microsoft Azure VM Health Report - Start 2030-01-15T12:01:00Z ========\r\n"
    '{"reportTime":"2030-01-15T12:01:00Z","accounts":[{"name":"jane.doe"}]}\r\n'
)
STOP = f"{SAC}\r\n*** STOP: 0x0000007B (0xFFFFA68B8EA06AE8,0xFFFFFFFFC0000034)\r\n"
BLUESCREEN = (
    f'{SAC}\r\n<?xml><BP>\r\n<INSTANCE CLASSNAME="BLUESCREEN">\r\n'
    '<PROPERTY NAME="STOPCODE" TYPE="string"><VALUE>"0x7B"</VALUE></PROPERTY>\r\n'
)
BCD = "Windows failed to start. A recent hardware or software change might be the cause.\r\n"
RECOVERY = f"{SAC}\r\nPreparing Automatic Repair\r\n"
