"""What looking for failed backups and telling of them say that they need is what they use."""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta

import pytest

from azsim.world import World
from tests.contract.test_adapters_backup_estate import CODE, HERE, Watcher
from tests.contract.test_adapters_mailer import LETTER, OPERATION, Post
from vmbackup_core.adapters import backup_estate, job_log, mailer

ACTIONS = {**backup_estate.ACTIONS, **job_log.ACTIONS, **mailer.ACTIONS}
GRAPH = "microsoft.resourcegraph/resources/read"  # It shows what can be read anyway.


def said(operation: str) -> set[str]:
    return {action.lower() for action in ACTIONS[operation]}


def used(world: World, before: int) -> set[str]:
    """Return the actions of the routes that were called since there were `before` calls."""
    routes = {route.name: route.action.lower() for route in world.router.routes}
    return {routes[exchange.route] for exchange in world.exchanges[before:]}


@pytest.fixture
def desk(world: World) -> Watcher:
    desk = Watcher(world)
    world.vaults.fail_backups(desk.web, CODE)
    desk.later(days=2)
    return desk


THROUGH_GRAPH: Mapping[str, Callable[[Watcher], object]] = {
    "observe_backups": lambda desk: desk.estate.observe_backups(HERE),
    "observe_unfinished": lambda desk: desk.estate.observe_unfinished(
        HERE, desk.clock.now() - timedelta(days=2)
    ),
}


@pytest.mark.parametrize("operation", THROUGH_GRAPH)
def test_what_is_read_through_graph_takes_reading_each_kind_of_row(
    desk: Watcher, operation: str
) -> None:
    before = len(desk.world.exchanges)

    THROUGH_GRAPH[operation](desk)

    sent = [one.request.body.decode() for one in desk.world.exchanges[before:]]
    kinds = re.findall(r"\btype =~ '([^']+)'", " ".join(sent))
    assert used(desk.world, before) == {GRAPH}
    assert {f"{kind}/read".lower() for kind in kinds} == said(operation)


def test_the_words_of_a_job_take_reading_jobs(desk: Watcher) -> None:
    (run,) = desk.estate.observe_unfinished(HERE, desk.clock.now() - timedelta(days=2))
    before = len(desk.world.exchanges)

    desk.estate.observe_failure(replace(run, code="", number=0, message=""))

    assert used(desk.world, before) == said("observe_failure")


def test_the_log_takes_querying_workspaces(desk: Watcher) -> None:
    before = len(desk.world.exchanges)

    desk.log().observe_ingested(desk.clock.now() - timedelta(days=2))

    workspaces = "microsoft.operationalinsights/workspaces"
    besides = {f"{workspaces}/read", f"{workspaces}/query/addonazurebackupjobs/read"}
    assert used(desk.world, before) | besides == said("observe_ingested")
    assert "\nAddonAzureBackupJobs\n" in job_log.JOBS


# Azure does not publish what sending takes, so azsim asks for nothing: what stands beside these is
# what public examples name, and each is one request.
MAILS: Mapping[str, tuple[Callable[[Post], object], str]] = {
    "send": (lambda post: post.mailer.send(LETTER, OPERATION), "email.send"),
    "knows": (lambda post: post.mailer.knows(OPERATION), "email.operation"),
}


@pytest.mark.parametrize("operation", MAILS)
def test_a_mail_takes_one_request(world: World, operation: str) -> None:
    post = Post(world)
    act, route = MAILS[operation]

    act(post)

    assert [one.route for one in world.exchanges] == [route]
    assert said(operation)


def test_every_operation_is_tried_here() -> None:
    assert ACTIONS.keys() == {*THROUGH_GRAPH, *MAILS, "observe_failure", "observe_ingested"}
