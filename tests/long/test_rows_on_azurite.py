"""What every ledger promises, on Azurite: azsim's tables and these must not differ in any of it."""

from itertools import count

import pytest

from tests.contract import test_adapters_rows as suite
from tests.long.azurite import Azurite, UnsignedToken
from tests.long.suites import promises
from vmbackup_core.adapters.clock import SystemClock
from vmbackup_core.adapters.rows_tables import TableRows
from vmbackup_core.ports import Rows

pytestmark = [pytest.mark.long, pytest.mark.node, pytest.mark.enable_socket]
_numbers = count(1)


@pytest.fixture
def shelf(storage: Azurite) -> suite.Shelf:
    """Open one table of its own; its clock is the wall's, which no test needs to move far."""
    clock, table, token = SystemClock(), f"ledger{next(_numbers)}", UnsignedToken()
    return suite.Shelf(
        clock.now,
        lambda span: clock.pause(span / 3600),
        lambda: TableRows(storage.tables, token, transport=storage.transport(), table=table),
    )


@pytest.fixture
def rows(shelf: suite.Shelf) -> Rows:
    return shelf.rows()


globals().update(promises(suite, "rows", "shelf"))
