"""What is folded from evidence: a record counts once, and no control can leave a false proof."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from tests.builders import NOW, vm
from tests.drill_runs import order, record
from vmbackup_core.domain.drill.evidence import body_of
from vmbackup_core.domain.drill.history import Histories, fold
from vmbackup_core.domain.drill.rungs import Control, Verdict

HOUR = timedelta(hours=1)
NAMES = ("web", "db")

# (VM, machine, verdict, control), one each hour.
RECORDS = st.lists(
    st.tuples(
        st.sampled_from(NAMES),
        st.sampled_from(("old", "new")),
        st.sampled_from(Verdict),
        st.sampled_from([None, None, *Control]),
    ),
    max_size=7,
)


def bodies(drawn):
    return [
        body_of(
            record(
                verdict,
                of=order(vm(name).id, machine=machine, night=None, asked=NOW + number * HOUR),
                control=control,
            ),
            "digest",
        )
        for number, (name, machine, verdict, control) in enumerate(drawn)
    ]


@given(RECORDS, st.integers(0, 7))
def test_folding_in_two_parts_is_folding_at_once(drawn, cut):
    written = bodies(drawn)

    assert fold(fold(Histories(), written[:cut]), written[cut:]) == fold(Histories(), written)


@given(RECORDS)
def test_a_record_that_is_written_twice_counts_once(drawn):
    written = bodies(drawn)
    twice = [body for body in written for _ in range(2)]

    assert fold(Histories(), twice) == fold(Histories(), written)


@given(RECORDS)
def test_no_proof_stands_that_came_after_the_last_control_that_held_before_a_broken_one(drawn):
    found = fold(Histories(), bodies(drawn))

    proofs = [history.past.proven for history in found.vms.values() if history.past.proven]
    assert not found.broken or all(found.held and proof <= found.held for proof in proofs)


@given(RECORDS)
def test_a_proof_is_of_a_record_that_proved_the_same_machine(drawn):
    found = fold(Histories(), bodies(drawn))

    proved = {
        (vm(name).id, machine, NOW + number * HOUR)
        for number, (name, machine, verdict, _) in enumerate(drawn)
        if verdict is Verdict.PROVEN
    }
    proofs = {
        (one, history.past.machine, proof.at)
        for one, history in found.vms.items()
        for proof in history.proofs
    }
    assert proofs <= proved
