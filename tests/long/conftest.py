"""The ground of the long tests: programs that nobody here wrote, started and ended by us."""

from collections.abc import Iterator

import pytest

from tests.long.az_client import Az, az_at_work
from tests.long.azurite import Azurite, azurite
from tests.openapi import SPECIFICATIONS, Checker

_AZ = pytest.StashKey[Az]()


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "node: needs node; left out where VMBACKUP_NO_NODE is set")


@pytest.fixture(scope="session")
def storage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Azurite]:
    with azurite(tmp_path_factory.mktemp("azurite")) as running:
        yield running


@pytest.fixture(scope="session")
def one_az(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Az]:
    with az_at_work(tmp_path_factory.mktemp("az")) as az:
        request.config.stash[_AZ] = az
        yield az


@pytest.fixture
def az(one_az: Az) -> Iterator[Az]:
    """An operator whose every exchange is held against Azure's documents, as in all tests."""
    checker = Checker()
    if SPECIFICATIONS.exists():
        one_az.world.observers.append(checker)
    yield one_az
    one_az.world.observers.clear()
    unknown = [f"{r.method} {r.url}" for r in one_az.world.unknown]
    one_az.world.unknown.clear()
    assert checker.problems == []
    assert unknown == []


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Print what each command of az cost."""
    if (az := config.stash.get(_AZ, None)) is not None:
        terminalreporter.section("calls of az")
        terminalreporter.write_line(az.table())
        told = ", ".join(f"{name} {count}" for name, count in sorted(az.by_client().items()))
        terminalreporter.write_line(f"calls by client: {told}")
