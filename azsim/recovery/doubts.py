"""
What nobody outside Azure knows of Azure Backup: each doubt with its two answers.

The defaults are the likelier answers, and what azsim does unless a test asks for the other one. A
client that is right under both is right whatever Azure does. The page on Recovery Services tells
of each doubt where it comes from.
"""

from dataclasses import dataclass
from datetime import timedelta

NONE = timedelta()


@dataclass(slots=True)
class Doubts:
    """
    One field for each doubt.

    `status_…`: what backupStatus says of an item that is stopped, soft-deleted or just being
    configured, and how long it takes to learn of a new one. `item_…`: whether a new item shows from
    the request on, or how long after the operation's end. `jobs_listed_after`: how long a job is
    missing from lists. `operations_kept`: how long after its end an operation can be asked for.
    `job_error_title_is_code`: whether a failed job tells its symbolic code at all.
    `room_…`, `summaries_…`: whether soft-deleted items count against a vault's 1,000 VMs, and in
    its usage summary.
    """

    status_names_stopped: bool = True
    status_names_soft_deleted: bool = False
    status_names_pending: bool = False
    status_lag: timedelta = NONE
    item_shows_at_once: bool = False
    item_lag: timedelta = NONE
    jobs_listed_after: timedelta = NONE
    operations_kept: timedelta = timedelta.max
    operation_tells_failure: bool = True
    job_error_title_is_code: bool = True
    same_put_makes_job: bool = True
    agent_found_out_late: bool = True
    other_vault_found_out_late: bool = True
    failed_backup_is_protection_error: bool = True
    put_drops_exclusion: bool = True
    room_counts_soft_deleted: bool = True
    summaries_count_soft_deleted: bool = False
    graph_has_states_of_its_own: bool = True
    graph_lists_soft_deleted: bool = True
