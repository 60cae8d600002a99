"""What every store of documents promises, on Azurite: azsim's blobs must not differ in it."""

from itertools import count

import pytest

from tests.contract import test_adapters_blobs as suite
from tests.long.azurite import Azurite, UnsignedToken
from tests.long.suites import promises
from vmbackup_core.adapters.blobs_azure import AzureBlobs
from vmbackup_core.ports import Blobs

pytestmark = [pytest.mark.long, pytest.mark.node, pytest.mark.enable_socket]
_numbers = count(1)


@pytest.fixture
def opened(storage: Azurite) -> suite.Open:
    container, token = f"state{next(_numbers)}", UnsignedToken()
    return lambda: AzureBlobs(storage.blobs, container, token, transport=storage.transport())


@pytest.fixture
def blobs(opened: suite.Open) -> Blobs:
    return opened()


globals().update(promises(suite, "blobs", "opened"))
