"""Failed and missing backups: what went wrong, who is told, and what a mail says."""
