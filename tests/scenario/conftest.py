"""Scenarios talk to the host's own loopback port (Durable's client does), and to nothing else."""

from collections.abc import Iterator

import pytest

from azsim.world import World
from tests.scenario.stage import Stage, opened

pytestmark = pytest.mark.enable_socket


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "/scenario/" in str(item.path):
            item.add_marker(pytest.mark.allow_hosts(["127.0.0.1"]))


@pytest.fixture
def stage(world: World) -> Iterator[Stage]:
    with opened(Stage(world)) as stage:
        yield stage
