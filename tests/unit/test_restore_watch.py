"""One list of a vault's restores for all who wait on it."""

from datetime import timedelta

import pytest

from tests.blobs import MemoryBlobs
from tests.builders import NOW, SECOND_VAULT, VAULT
from tests.clocks import HandClock
from tests.tiny_drills import Answer, TinyDrills, others_restore
from vmbackup_core.app.drill.restore_watch import AGE, RestoreWatch
from vmbackup_core.app.snapshots import Snapshots
from vmbackup_core.domain.drill.outcomes import Listing, Unavailable

MINUTE = timedelta(minutes=1)


@pytest.fixture
def azure():
    return TinyDrills(HandClock(NOW))


@pytest.fixture
def watch(azure):
    return RestoreWatch(Snapshots(MemoryBlobs(), azure.clock), azure, azure.clock)


def test_a_list_says_when_it_was_taken(azure, watch):
    azure.restores.append(others_restore(NOW - MINUTE, ended=True))

    listing = watch.look(VAULT)

    assert listing.taken == NOW
    assert [one.id for one in listing.restores] == ["theirs-115900"]


def test_whoever_looks_within_five_minutes_reads_the_same_list(azure, watch):
    watch.look(VAULT)
    azure.clock.pause(AGE)

    assert watch.look(VAULT).taken == NOW
    assert azure.calls == ["list restores"]


def test_a_vault_is_listed_at_most_twelve_times_an_hour(azure, watch):
    for _ in range(60):
        watch.look(VAULT)
        azure.clock.pause(MINUTE)

    assert len(azure.calls) <= 12


def test_each_vault_has_its_own_list(azure, watch):
    watch.look(VAULT)
    watch.look(SECOND_VAULT)

    assert len(azure.calls) == 2


def test_a_list_that_could_not_be_read_is_not_asked_for_again_at_once(azure, watch):
    azure.answers.append(Answer.BUSY)
    first = watch.look(VAULT)
    azure.clock.pause(AGE)
    second = watch.look(VAULT)
    azure.clock.pause(MINUTE)

    assert first == second == Unavailable("busy", AGE)
    assert isinstance(watch.look(VAULT), Listing)
    assert len(azure.calls) == 2
