from dataclasses import replace
from datetime import timedelta

import pytest

from tests.builders import HERE, NOW, VAULT, WEB, policy
from vmbackup_core.app.codec import from_json, to_json
from vmbackup_core.domain.telling.promises import (
    Immutability,
    SoftDelete,
    VaultPromise,
    compare_moved_vm,
    compare_promises,
)
from vmbackup_core.domain.telling.root_causes import RootCause
from vmbackup_core.domain.telling.troubles import Sighting, Subject, Wellness

DAY = timedelta(days=1)
GOOD = VaultPromise(
    VAULT, HERE, SoftDelete.ALWAYS_ON, 30 * DAY, Immutability.LOCKED, (policy("gold", 30),)
)


def troubles(found):
    return {one.cause: one.words.message for one in found if isinstance(one, Sighting)}


@pytest.mark.parametrize(
    ("change", "cause", "words"),
    [
        (
            {"soft_delete": SoftDelete.OFF},
            RootCause.SOFT_DELETE_OFF,
            "soft delete is off, not always on",
        ),
        (
            {"kept_deleted": 14 * DAY},
            RootCause.SOFT_DELETE_OFF,
            "deleted backups are kept for 14 instead of 30 days",
        ),
        (
            {"immutability": Immutability.UNLOCKED},
            RootCause.IMMUTABILITY_OFF,
            "immutability is unlocked, not locked",
        ),
        (
            {"policies": (policy("Gold", 14),)},
            RootCause.POLICY_WEAKENED,
            "Gold keeps daily backups for 14 instead of 30 days",
        ),
    ],
)
def test_less_than_was_promised_is_a_trouble_for_as_long_as_it_is(change, cause, words):
    best, found = compare_promises(GOOD, replace(GOOD, **change), NOW)
    _, again = compare_promises(best, replace(GOOD, **change), NOW + DAY)

    assert troubles(found) == troubles(again) == {cause: words}


def test_as_much_as_was_promised_is_well():
    best, found = compare_promises(GOOD, GOOD, NOW)

    assert best == GOOD
    assert troubles(found) == {}
    assert len(found) == 3


def test_more_than_was_promised_is_the_promise_from_then_on():
    better = replace(GOOD, kept_deleted=60 * DAY, policies=(policy("gold", 60),))

    best, _ = compare_promises(GOOD, better, NOW)
    _, found = compare_promises(best, GOOD, NOW)

    assert set(troubles(found)) == {RootCause.SOFT_DELETE_OFF, RootCause.POLICY_WEAKENED}


def test_what_a_look_does_not_tell_is_no_trouble_and_no_promise_lost():
    best, found = compare_promises(GOOD, VaultPromise(VAULT, HERE), NOW)

    assert troubles(found) == {}
    assert best == replace(GOOD, policies=())


def test_the_first_look_sets_the_mark():
    weak = VaultPromise(VAULT, HERE, SoftDelete.OFF)

    assert compare_promises(None, weak, NOW)[0] == weak


def test_a_vm_moved_to_a_weaker_policy_is_a_trouble_of_its_own():
    web = Subject.of_vm(WEB)

    worse = compare_moved_vm(web, policy("gold", 30), policy("bronze", 14), NOW)
    better = compare_moved_vm(web, policy("bronze", 14), policy("gold", 30), NOW)

    assert isinstance(worse, Sighting)
    assert worse.words.message.startswith("bronze instead of gold: keeps daily backups for 14")
    assert isinstance(better, Wellness)


def test_a_promise_can_be_kept_as_json():
    assert from_json(to_json(GOOD), VaultPromise) == GOOD
