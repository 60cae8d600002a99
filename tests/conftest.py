"""The ground that tests stand on: a world that checks itself, and a credential for its clients."""

import zlib
from collections.abc import Iterator

import pytest

from azsim.world import World
from tests.credentials import StaticCredential
from tests.openapi import ABSENT, SPECIFICATIONS, Checker


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--sample",
        metavar="DATE/N",
        help="of the cases of each long test run one in N, another one each DATE",
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if sample := config.getoption("--sample"):
        date, _, one_in = sample.rpartition("/")
        kept = [item for item in items if _is_due(item, date, int(one_in))]
        config.hook.pytest_deselected(items=[item for item in items if item not in kept])
        items[:] = kept


def _is_due(item: pytest.Item, date: str, one_in: int) -> bool:
    """Whether a test runs on `date`: all do but the cases of long ones, which take turns."""
    if item.get_closest_marker("long") is None or "[" not in item.name:
        return True
    return zlib.crc32(f"{date} {item.nodeid}".encode()) % one_in == 0


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "asks_in_vain: the test asks azsim for what it does not have, on purpose"
    )


def pytest_report_header(config: pytest.Config) -> str:
    state = "checked against each exchange" if SPECIFICATIONS.exists() else f"not checked: {ABSENT}"
    return f"OpenAPI: {state}"


@pytest.fixture
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    """
    Yield a world whose every exchange is held against Azure's own OpenAPI documents.

    Fails at the end also where anything was asked that azsim does not have. Its seed is 1, or the
    one that an indirect parameter gives.
    """
    world = World(seed=getattr(request, "param", 1))
    checker = Checker()
    if SPECIFICATIONS.exists():
        world.observers.append(checker)
    yield world
    assert checker.problems == []
    if request.node.get_closest_marker("asks_in_vain") is None:
        assert world.unknown == [], [f"{r.method} {r.url}" for r in world.unknown]


@pytest.fixture
def credential() -> StaticCredential:
    return StaticCredential()
