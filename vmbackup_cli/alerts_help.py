"""What `vmbackup alerts` says of each of its commands."""

LIST = """
What is wrong with backups now: failed, missing, stopped; the most urgent first.

Reads what the last look found; looks at nothing itself.

Examples:

  vmbackup alerts list

  vmbackup alerts list --all --json
"""
SHOW = """
Everything that is known of one incident, and what was told of it.

INCIDENT is its id, that of a group, or enough of the id's beginning; a VM's name will do where it
has one incident.
"""
PREVIEW = """
Write the mail about an incident as it would be now. Sends nothing.

Examples:

  vmbackup alerts preview sql-prod-01 --out mail.html

  vmbackup alerts preview incident-5cc8 --as reminder --out mail.txt
"""
MUTE = """
Let nobody be told of an incident for a while. It stays in the list and in every digest.

If it lasts when the mute ends, it is told then.

Examples:

  vmbackup alerts mute incident-5cc8 --for 24h --why "disk is being replaced"

  vmbackup alerts mute sql-prod-01 --for 3d --why "rebuilt until Friday"
"""
ACCEPT = """
Take what a vault or a policy promises now as what is wanted: it is told as over at the next look.

For retention, soft delete or immutability that somebody lessened on purpose. What gets worse than
that later is told again.

Examples:

  vmbackup alerts accept incident-5cc8 --why "14 days were agreed on"
"""
UNMUTE = "End a mute: what still lasts is told at the next look."
SEND_TEST = """
Send a test mail, to see that mails arrive.

It goes to the default recipients, or to an address that is configured or in a configured domain. It
leaves by the same way as every mail, within the same limits.
"""
