"""
What holds of one VM's workflow whatever Azure answers, wherever the process dies, however often a
turn is delivered.
"""

from collections import deque
from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.builders import NOW, VAULT, WEB, bare_vault, book, item, vm
from tests.small_app import MANY, SmallApp, small_app
from tests.tiny_azure import (
    Accepted,
    Answer,
    Forbidden,
    Lost,
    NotFound,
    Refused,
    Throttled,
    Write,
)
from vmbackup_core.domain.enabling import MAX_AGE, MAX_TRIES
from vmbackup_core.domain.facts import Agent, ItemState
from vmbackup_core.domain.reasons import Reason, Standing
from vmbackup_core.domain.rules import OnSoftDeleted

CODES = (
    "UserErrorGuestAgentStatusUnavailable",
    "BMSUserErrorInvalidConfigureProtectionRequest",
    "BMSUserErrorObjectLocked",
    "CloudInternalError",
    "UserErrorVmProvisioningStateFailed",
    "SomethingNew",
)
seconds = st.integers(0, 85).map(lambda n: timedelta(seconds=n))  # As long as recorded.
passing: st.SearchStrategy[Answer] = st.one_of(
    st.builds(Accepted, takes=seconds),
    st.builds(Lost, st.booleans()),
    st.builds(Throttled, st.sampled_from([timedelta(seconds=1), timedelta(hours=1)])),
    st.builds(NotFound),
    st.builds(Accepted, st.sampled_from(CODES[:4]), seconds),
    st.builds(Refused, st.sampled_from(CODES[:4])),
)
answers: st.SearchStrategy[Answer] = st.one_of(
    passing,
    st.builds(Accepted, st.sampled_from(CODES), seconds),
    st.builds(Refused, st.sampled_from(CODES), st.sampled_from(["no", "vault limit of items"])),
    st.builds(Forbidden, st.sampled_from(["AuthorizationFailed", "ScopeLocked"])),
)
some = settings(max_examples=40, deadline=None)


def new(given_answers: list[Answer], *, listed: bool, deaths: int | None) -> SmallApp:
    """Return an app whose vault lacks the policy, with the answers and the death to come."""
    app = small_app(vm(agent=Agent.READY))
    app.azure.vaults[VAULT] = bare_vault()
    app.azure.answers = deque(given_answers)
    app.azure.jobs_are_listed = listed
    app.fuse.left = deaths
    return app


def protects(app: SmallApp) -> list[Write]:
    return [write for write in app.azure.effective if write.what == "protect"]


def sweep_later(app: SmallApp) -> None:
    """Sweep when refusals are tried again, in a process that lives."""
    app.fuse.left = None
    app.clock.move_to(app.clock.now() + timedelta(hours=2))
    app.sweep_and_run()


def run_with_each_turn_delivered_twice(app: SmallApp) -> str:
    """Run a workflow whose engine forgets each first answer."""
    given = app.begin()
    for _ in range(MANY):
        app.turn(given)
        given = app.turn(given)
        if given["until"] is None:
            return str(given["reason"])
        app.clock.move_to(datetime.fromisoformat(given["until"]))
    raise AssertionError("no end")


@some
@given(st.lists(answers, max_size=30), st.booleans(), st.none() | st.integers(0, 60))
def test_a_workflow_ends_within_its_bounds_and_leaves_a_verdict(
    given_answers: list[Answer], listed: bool, deaths: int | None
) -> None:
    app = new(given_answers, listed=listed, deaths=deaths)

    reason = Reason[app.run()]

    not_sent = sum(isinstance(a, Throttled | NotFound) for a in given_answers)
    lost_to_death = deaths is not None
    assert app.memory().reason is reason
    assert app.clock.now() - NOW <= MAX_AGE + timedelta(hours=2)
    assert len(app.wrote()) <= MAX_TRIES + 1 + not_sent + lost_to_death


@some
@given(st.lists(answers, max_size=8), st.booleans(), st.none() | st.integers(0, 60))
def test_two_writes_are_never_under_way_and_one_at_most_takes_effect(
    given_answers: list[Answer], listed: bool, deaths: int | None
) -> None:
    app = new(given_answers, listed=listed, deaths=deaths)

    app.run()

    assert app.azure.overlapping == []
    assert len(protects(app)) <= 1


@some
@given(st.lists(passing, max_size=4), st.booleans(), st.none() | st.integers(0, 60))
def test_what_passes_by_itself_ends_in_protection_after_at_most_one_sweep(
    given_answers: list[Answer], listed: bool, deaths: int | None
) -> None:
    app = new(given_answers, listed=listed, deaths=deaths)

    first = Reason[app.run()]
    sweep_later(app)

    assert first is Reason.PROTECTED or first.standing is not Standing.NOT_ASKED
    assert protects(app) == [Write("protect", VAULT, "gold")]
    assert (app.memory().policy, app.memory().asked_at) == ("gold", None)


@some
@given(st.lists(passing, max_size=3), st.booleans())
def test_a_turn_that_is_delivered_twice_is_as_good_as_once(
    given_answers: list[Answer], listed: bool
) -> None:
    app = new(given_answers, listed=listed, deaths=None)

    run_with_each_turn_delivered_twice(app)
    sweep_later(app)

    assert protects(app) == [Write("protect", VAULT, "gold")]


@some
@given(st.lists(passing, max_size=3), st.booleans(), st.none() | st.integers(0, 60))
def test_what_is_undeleted_is_resumed_or_told(
    given_answers: list[Answer], listed: bool, deaths: int | None
) -> None:
    app = small_app(vm(agent=Agent.READY), rulebook=book(on_soft_deleted=OnSoftDeleted.UNDELETE))
    app.azure.items[WEB, VAULT] = item(ItemState.SOFT_DELETED, policy="")
    app.azure.answers = deque(given_answers)
    app.azure.jobs_are_listed = listed
    app.fuse.left = deaths

    app.run()
    sweep_later(app)

    assert app.azure.items[WEB, VAULT].state is ItemState.PROTECTED
    assert not app.memory().undeleted
    assert app.azure.overlapping == []


@some
@given(st.lists(answers, max_size=6), st.booleans())
def test_azure_is_never_asked_again_before_the_time_it_named(
    given_answers: list[Answer], listed: bool
) -> None:
    app = new(given_answers, listed=listed, deaths=None)
    given_state = app.begin()

    for _ in range(MANY):
        left = len(app.azure.answers)
        given_state = app.turn(given_state)
        used = given_answers[len(given_answers) - left :][: left - len(app.azure.answers)]
        if given_state["until"] is None:
            return
        until = datetime.fromisoformat(given_state["until"])
        for answer in used:
            if isinstance(answer, Throttled):
                assert until - app.clock.now() >= answer.after
        app.clock.move_to(until)
