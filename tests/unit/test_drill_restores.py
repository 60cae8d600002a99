"""Other people's restores, as the plan heeds them."""

from datetime import datetime

from tests.builders import NOW, VAULT, WEB, vm
from tests.drills import RULES, backed_up, drill_rules, drills_of, proven
from vmbackup_core.domain.drill.choice import plan_drills
from vmbackup_core.domain.drill.facts import RestoreFacts, RestoreProgress
from vmbackup_core.domain.drill.restores import with_restores
from vmbackup_core.domain.drill.rules import Past
from vmbackup_core.domain.schedules import HOUR

CONTAINER = "iaasvmcontainerv2;rg-app;web"
RUNNING, DONE = RestoreProgress.RUNNING, RestoreProgress.SUCCEEDED


def restore(
    job: str = "job-1", began: datetime = NOW - HOUR, progress: RestoreProgress = DONE
) -> RestoreFacts:
    return RestoreFacts(job, CONTAINER, progress, began, vault=VAULT)


def test_restores_of_the_last_day_count_whoever_ran_them() -> None:
    seen = [restore("a"), restore("b", NOW - 23 * HOUR), restore("c", NOW - 24 * HOUR)]

    found = with_restores({}, seen, ours={"a"}, now=NOW)

    assert found == {WEB: Past(restores=(NOW - 23 * HOUR, NOW - HOUR))}


def test_a_running_restore_of_nobody_here_is_a_persons() -> None:
    seen = [restore(progress=RUNNING)]

    assert with_restores({}, seen, ours=(), now=NOW)[WEB].restoring
    assert not with_restores({}, seen, ours=["JOB-1"], now=NOW)[WEB].restoring


def test_one_that_runs_for_longer_than_a_day_still_runs() -> None:
    found = with_restores({}, [restore(began=NOW - 30 * HOUR, progress=RUNNING)], (), NOW)

    assert found == {WEB: Past(restoring=True)}


def test_what_was_known_stays_and_old_restores_go() -> None:
    known = {WEB: proven(3, restores=(NOW,), restoring=True)}

    assert with_restores(known, [], (), NOW) == {WEB: proven(3)}


def test_a_restore_of_something_else_is_passed_over() -> None:
    odd = [
        RestoreFacts("a", "storagecontainer;rg;files", DONE, NOW, vault=VAULT),
        RestoreFacts("b", "", DONE, NOW, vault=VAULT),
        RestoreFacts("c", CONTAINER, DONE, NOW),
    ]

    assert with_restores({}, odd, (), NOW) == {}


def test_the_plan_leaves_a_vm_alone_that_a_person_restores() -> None:
    pasts = with_restores({}, [restore(progress=RUNNING)], (), NOW)

    found = plan_drills(backed_up([vm()]), RULES, drill_rules(), pasts, NOW, 1)

    assert drills_of(found) == []
