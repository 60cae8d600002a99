"""Everything that is configured about mails, and how old a VM's last backup may become."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import time, timedelta
from typing import Self

from vmbackup_core.domain.schedules import DAY, Daily, Weekly
from vmbackup_core.domain.telling.maintenance import Maintenance
from vmbackup_core.domain.telling.routing import Routing, Selector, VmPlace
from vmbackup_core.domain.telling.tellings import Folding, Rhythm


@dataclass(frozen=True, slots=True)
class RpoRule:
    """How old the last good backup of some VMs may become."""

    selector: Selector
    rpo: timedelta

    def covers(self, other: Self) -> bool:
        """Tell whether this rule leaves `other` no VM, as far as can be seen."""
        return self.selector.covers(other.selector)


@dataclass(frozen=True, slots=True)
class MailRules:
    """
    The section `[mail]`; times of day are in UTC.

    `owner_digest` is when owners have theirs (None: never), `alive_at` when the operators have the
    daily one whose absence is an alarm. Of `rpos` the first that fits counts.
    """

    routing: Routing
    rhythm: Rhythm
    folding: Folding
    owner_digest: Daily | Weekly | None
    alive_at: time
    rpos: tuple[RpoRule, ...] = ()
    maintenance: tuple[Maintenance, ...] = ()


FALLBACK_RPO = 2 * DAY  # Where neither a rule nor a schedule says.


def find_rpo(place: VmPlace, rules: Iterable[RpoRule], usual: timedelta | None) -> timedelta:
    """
    Return how old a VM's last good backup may become: by the first rule, else its schedule.

    `usual` is its Timing's `usual_rpo`, None where its schedule cannot be read.
    """
    named = next((rule.rpo for rule in rules if rule.selector.fits(place)), None)
    if named is not None:
        return named
    return FALLBACK_RPO if usual is None else usual
