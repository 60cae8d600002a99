"""The ground that tests stand on: a world that checks itself, and a credential for its clients."""

from collections.abc import Iterator

import pytest

from azsim.world import World
from tests.credentials import StaticCredential


@pytest.fixture
def world() -> Iterator[World]:
    """Yield a world; fails at the end where anything was asked that azsim does not have."""
    world = World(seed=1)
    yield world
    assert world.unknown == [], [f"{r.method} {r.url}" for r in world.unknown]


@pytest.fixture
def credential() -> StaticCredential:
    return StaticCredential()
