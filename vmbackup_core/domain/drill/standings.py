"""
How each VM will stand in the coming nights, if each of its tests passes: when its proof lapses,
and until which night it is let be. A night's number here is its date's ordinal.
"""

from collections.abc import Iterable
from datetime import datetime

from vmbackup_core.domain.drill.reckoning import Subject
from vmbackup_core.domain.drill.rules import DrillRules, Past
from vmbackup_core.domain.ids import VmId
from vmbackup_core.domain.schedules import DAY


class Standings:
    """
    All of them, from the night `first` on; nights have to be asked for one after the other.

    `awake` are the VMs that may be due.
    """

    def __init__(self, subjects: Iterable[Subject], drills: DrillRules, first: int) -> None:
        self._drills = drills
        self._first = first
        self.awake = list[Subject]()
        self._asleep = dict[int, list[Subject]]()
        self._pasts = dict[VmId, Past]()
        self._proofs = dict[VmId, int]()  # The night of each proof that no failure has undone.
        for subject in subjects:
            past = self._pasts[subject.vm.id] = subject.past
            if past.proven and not past.failed:
                self._proofs[subject.vm.id] = self.night(past.proven)
            self._put_to_sleep(subject)

    def night(self, moment: datetime) -> int:
        return self._drills.night_of(moment).toordinal()

    def past(self, subject: Subject) -> Past:
        """Return what is known of the VM by then."""
        return self._pasts[subject.vm.id]

    def proof(self, subject: Subject) -> int | None:
        """Return the night of the VM's proof, None where there is none that counts."""
        return self._proofs.get(subject.vm.id)

    def lapses(self, subject: Subject) -> int:
        """Return the first night for which the VM's proof is too old; 0 without a proof."""
        proof = self.proof(subject)
        return 0 if proof is None else proof + subject.tier.nights + 1

    def proven(self, subject: Subject, night: int) -> bool:
        """Whether the VM has a proof that still holds in `night`."""
        return night < self.lapses(subject)

    def wake(self, tonight: int) -> None:
        """Let those be due again whose proofs are old enough by `tonight`."""
        self.awake += self._asleep.pop(tonight, [])

    def rests(self, subject: Subject, tonight: int) -> bool:
        """
        Whether a VM waits whose last test failed, or could not tell.

        Longer after each such test in a row, so that VMs of which all tests end so leave room for
        the others; at most half the maximum age.
        """
        past, until = self.past(subject), 0
        again = max(1, self._drills.failed_again // DAY)
        for last, in_a_row, first in (
            (past.failed, past.failures, again),
            (past.tried, past.tries, 1),
        ):
            if last is not None:
                longer = first << min(max(0, in_a_row - 1), 16)
                rest = min(longer, max(1, subject.tier.nights // 2))
                until = max(until, self.night(last) + rest)
        return tonight < until

    def passes(self, subject: Subject, tonight: int, begins: datetime, *, partly: bool) -> None:
        """Take in that the VM's test of `tonight` passes."""
        vm = subject.vm.id
        self._pasts[vm] = self._pasts[vm].passed(begins, partly=partly)
        self._proofs[vm] = tonight
        self._put_to_sleep(subject)

    def settle(self, tonight: int) -> None:
        """Let those be that were proven `tonight`."""
        self.awake = [one for one in self.awake if self.proof(one) != tonight]

    def _put_to_sleep(self, subject: Subject) -> None:
        """Let a VM be until half of its tier's maximum age is over; it could not be due before."""
        proof = self.proof(subject)
        if proof is None:
            self.awake.append(subject)
            return
        wakes = proof + -(-subject.tier.nights // 2)
        self._asleep.setdefault(max(wakes, self._first), []).append(subject)
