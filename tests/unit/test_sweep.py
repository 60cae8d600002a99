from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from tests.builders import HERE, VAULT, WEB, at, book, item, ours, vault, vm
from tests.small_app import Killed, SmallApp, small_app
from vmbackup_core.app.sweep import LEDGER
from vmbackup_core.domain.intents import EnsureProtected
from vmbackup_core.domain.memory import Memory
from vmbackup_core.domain.reasons import Reason
from vmbackup_core.domain.rules import Mode

TWENTY = [vm(f"vm-{number:02}") for number in range(20)]


def records(app: SmallApp) -> list[Mapping[str, Any]]:
    return [record["body"] for _, record in app.evidence.chain("sweep/")]


def shrunk() -> SmallApp:
    """Return an app whose scope shrank from 20 VMs to 5 between two sweeps."""
    app = small_app(*TWENTY)
    app.sweep.run()
    for gone in TWENTY[5:]:
        del app.azure.vms[gone.id]
    return app


def test_a_sweep_names_what_differs_and_nothing_else() -> None:
    done, bare, silent = vm("done"), vm("bare"), vm("silent", tag=None)
    app = small_app(done, bare, silent)
    app.azure.items[done.id, VAULT] = item(vm=done.id)

    assert app.sweep.run().intents == (EnsureProtected(bare.id),)
    assert app.wrote() == []


def test_a_survey_writes_nothing_at_all() -> None:
    app = small_app()
    app.sweep.survey()

    assert (app.rows.writes, app.blobs.writes, app.evidence_blobs.writes) == (0, 0, 0)


def test_a_vm_that_lost_its_event_is_protected_by_the_next_sweep() -> None:
    app = small_app()

    assert app.sweep_and_run() == ["PROTECTED"]
    assert app.sweep_and_run() == []


def test_in_observe_mode_a_sweep_starts_nothing() -> None:
    app = small_app(rulebook=book(mode=Mode.OBSERVE))

    swept = app.sweep.run()
    assert (swept.intents, swept.survey.count.unprotected) == ((), {"OBSERVING": 1})


def test_a_sweep_writes_one_summary_with_the_verdicts_that_changed() -> None:
    app = small_app()
    app.sweep.run()
    app.sweep.run()
    app.azure.vms[WEB] = vm(tag="off")
    app.sweep.run()

    told = [[(v["vm"], v["reason"]) for v in body["changed"]] for body in records(app)]
    assert told == [[(str(WEB), "TO_PROTECT")], [], [(str(WEB), "OPTED_OUT")]]


def test_an_opt_out_is_told_with_since_when() -> None:
    app = small_app(vm(tag="off"))
    app.sweep.run()
    app.clock.move_to(at(600))

    (verdict,) = app.sweep.run().survey.verdicts
    assert verdict.since == at(0)
    seen = app.sweep.seen(WEB)
    assert seen is not None
    assert (seen.reason, seen.since) == (Reason.OPTED_OUT, at(0))


def test_a_vm_that_is_gone_is_told_once_and_its_item_as_an_orphan() -> None:
    app = small_app()
    app.azure.items[WEB, VAULT] = item()
    app.sweep.run()
    app.azure.vms.clear()
    app.sweep.run()
    app.sweep.run()

    assert [body["gone"] for body in records(app)] == [[], [str(WEB)], []]
    assert [body["orphans"] for body in records(app)] == [[], [str(WEB)], [str(WEB)]]


def test_a_vm_moved_to_another_group_is_a_new_vm_and_leaves_an_orphan() -> None:
    moved = vm(group="rg-new")
    app = small_app(moved)
    app.azure.items[WEB, VAULT] = item()

    swept = app.sweep.run()
    assert swept.intents == (EnsureProtected(moved.id),)
    assert [orphan.vm for orphan in swept.survey.orphans] == [WEB]


def test_what_a_workflow_learned_is_in_the_next_sweep() -> None:
    app = small_app()
    app.sweep.run()
    app.notebook.remember(WEB, Memory(reason=Reason.NO_PERMISSION, reason_at=at(0)))
    app.clock.move_to(at(30))
    told = app.sweep.run()
    app.clock.move_to(at(60))
    still = app.sweep.run()
    app.clock.move_to(at(121))
    again = app.sweep.run()

    assert [s.survey.verdicts[0].reason.name for s in (told, still, again)] == ["NO_PERMISSION"] * 3
    assert [len(s.intents) for s in (told, still, again)] == [0, 0, 1]


def test_a_re_created_vm_is_found_by_the_sweep() -> None:
    app = small_app(vm(machine="new"))
    app.azure.items[WEB, VAULT] = item()
    app.notebook.remember(WEB, ours(machine="old"))

    assert app.sweep_and_run() == ["PROTECTED"]


def test_the_vaults_of_another_place_do_not_count() -> None:
    app = small_app(vm(location="northeurope"))
    app.azure.vaults[VAULT] = vault(location=HERE)

    assert app.sweep.run().survey.count.unprotected == {"NO_VAULT": 1}


# The scope shrinks.


def test_a_sudden_shrinking_stops_the_sweep_and_is_told() -> None:
    app = shrunk()

    swept = app.sweep.run()
    assert swept.intents == ()
    assert records(app)[-1]["stopped"] == {"before": 20, "now": 5}


def test_a_sweep_that_stopped_stays_stopped() -> None:
    app = shrunk()

    assert [app.sweep.run().intents for _ in range(3)] == [(), (), ()]


def test_a_shrinking_that_somebody_approved_goes_on_and_stays_approved() -> None:
    app = shrunk()
    shown = app.sweep.run().survey
    app.approvals.give(shown.hash, shown.verdicts)

    assert len(app.sweep.run().intents) == 5
    app.clock.move_to(at(25 * 60))
    assert len(app.sweep.run().intents) == 5


def test_an_approval_does_not_accept_a_further_shrinking() -> None:
    app = shrunk()
    shown = app.sweep.run().survey
    app.approvals.give(shown.hash, shown.verdicts)
    del app.azure.vms[TWENTY[0].id]

    assert app.sweep.run().intents == ()


def test_a_slow_shrinking_is_life() -> None:
    app = small_app(*TWENTY)
    app.sweep.run()
    del app.azure.vms[TWENTY[0].id]

    assert len(app.sweep.run().intents) == 19


# Races and deaths.


@pytest.mark.parametrize("calls", range(3))
def test_a_sweep_that_died_has_told_what_changed(calls: int) -> None:
    app = small_app()
    app.fuse.left = calls
    with pytest.raises(Killed):
        app.sweep.run()
    app.fuse.left = None
    app.sweep.run()

    assert any(body["changed"] for body in records(app))


def test_two_sweeps_at_once_do_not_both_start() -> None:
    app = small_app()
    seen = []

    def another_sweeps() -> None:
        app.blobs.before_write = app.fuse.burn
        seen.append(app.sweep.run().intents)

    app.blobs.before_write = another_sweeps

    assert app.sweep.run().intents == ()
    assert seen == [(EnsureProtected(WEB),)]
    assert app.blobs.read(LEDGER) is not None


def test_a_vm_that_others_protected_is_confirmed_when_it_was_re_created() -> None:
    app = small_app()
    app.azure.items[WEB, VAULT] = item()
    app.sweep.run()
    app.azure.vms[WEB] = vm(machine="another-machine")

    swept = app.sweep.run()

    assert swept.survey.count.reasons == {"TO_CONFIRM": 1}
    assert app.notebook.memory(WEB).machine == "machine-of-web"


def test_what_a_newer_version_left_is_begun_anew() -> None:
    app = small_app()
    app.sweep.run()
    blob = app.blobs.read(LEDGER)
    assert blob is not None
    app.blobs.replace(blob, b'{"schema": 99, "unheard": "of"}')

    assert app.sweep.run().survey.count.vms == 1
    assert app.sweep.seen(WEB) is not None


def test_what_is_remembered_of_vms_that_are_gone_does_not_pile_up() -> None:
    app = small_app()
    app.sweep_and_run()
    app.azure.vms.clear()
    app.azure.items.clear()
    app.sweep.run()

    blob = app.blobs.read(LEDGER)
    assert blob is not None
    assert str(WEB) not in blob.content.decode()


def test_what_is_remembered_of_a_vm_outlives_its_absence_from_one_sweep() -> None:
    app = small_app()
    app.sweep_and_run()
    there = app.azure.vms.pop(WEB)
    app.sweep.run()
    app.clock.move_to(at(600))
    app.azure.vms[WEB] = replace(there, machine="another-machine")

    assert app.sweep.run().survey.count.reasons == {"TO_CONFIRM": 1}


def test_a_pause_is_seen_in_a_survey_only_while_it_holds() -> None:
    app = small_app()
    app.notebook.set_pause("asked by Alice")
    paused = app.sweep.run()
    app.notebook.set_pause(None)

    assert (paused.intents, paused.survey.count.reasons) == ((), {"PAUSED": 1})
    assert app.sweep.survey().count.reasons == {"TO_PROTECT": 1}
    told = [record for _, record in app.evidence.chain("")]
    assert "Alice" not in str(told)


def test_items_that_make_no_sense_are_told_and_do_not_end_the_sweep() -> None:
    app = small_app()
    app.azure.unreadable = ("/an/odd/item",)

    app.sweep.run()

    assert [body["unreadable"] for body in records(app)] == [["/an/odd/item"]]
