"""The ground of the long tests: programs that nobody here wrote, started and ended by us."""

from collections.abc import Iterator

import pytest

from tests.long.azurite import Azurite, azurite


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "node: needs node; left out where VMBACKUP_NO_NODE is set")


@pytest.fixture(scope="session")
def storage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Azurite]:
    with azurite(tmp_path_factory.mktemp("azurite")) as running:
        yield running
