"""The ledger in an Azure table (of a storage account of our own), created on first need."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from vmbackup_core.adapters.arm import USER_AGENT
from vmbackup_core.adapters.boundary import azure_errors
from vmbackup_core.adapters.deed_forms import Host
from vmbackup_core.adapters.gate import Gate
from vmbackup_core.adapters.row_rules import check_key, check_row
from vmbackup_core.domain.errors import Stale
from vmbackup_core.ports import Row

if TYPE_CHECKING:
    from azure.data.tables import TableClient

_TABLES = "Microsoft.Storage/storageAccounts/tableServices/tables"
ACTIONS: Mapping[str, tuple[str, ...]] = {
    "get": (f"{_TABLES}/entities/read",),
    "put": (
        f"{_TABLES}/entities/add/action",
        f"{_TABLES}/entities/update/action",
        f"{_TABLES}/entities/write",
        f"{_TABLES}/write",
    ),
    "list": (f"{_TABLES}/entities/read",),
}

LEDGER = "vmbackup"


class TableRows:
    """The port Rows on azure-data-tables."""

    def __init__(
        self, url: str, credential: Any, *, transport: Any = None, table: str = LEDGER
    ) -> None:
        self._url = url
        self._credential = credential
        self._gate = Gate(url, Host.TABLES, transport)
        self._table = table

    def get(self, partition: str, key: str) -> Row | None:
        from azure.core.exceptions import ResourceNotFoundError

        check_key(partition)
        check_key(key)
        with azure_errors(f"reading row {partition}/{key}"):
            try:
                return _row(self._client.get_entity(partition, key))
            except ResourceNotFoundError:  # The row, or the whole table as yet.
                return None

    def put(self, row: Row) -> Row:
        check_row(row)
        with azure_errors(f"writing row {row.partition}/{row.key}", writes=True):
            return self._insert(row) if row.etag == "" else self._replace(row)

    def list(self, partition: str, *, changed_since: datetime | None = None) -> Iterator[Row]:
        from azure.core.exceptions import ResourceNotFoundError

        check_key(partition)
        condition = f"PartitionKey eq '{partition}'"
        if changed_since is not None:
            since = changed_since.astimezone(UTC)
            condition += f" and Timestamp ge datetime'{since:%Y-%m-%dT%H:%M:%S.%f}Z'"
        with azure_errors(f"listing the rows of {partition}"):
            try:
                yield from map(_row, self._client.query_entities(condition))
            except ResourceNotFoundError:  # No table as yet.
                return

    def _insert(self, row: Row) -> Row:
        from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError

        try:
            try:
                written = self._client.create_entity(_entity(row))
            except ResourceNotFoundError:
                self._create_table()
                written = self._client.create_entity(_entity(row))
        except ResourceExistsError as error:
            if "BeingDeleted" in str(getattr(error, "error_code", "")):
                raise
            raise Stale(f"row {row.partition}/{row.key} is there already", status=409) from error
        return Row(row.partition, row.key, row.values, written["etag"])

    def _replace(self, row: Row) -> Row:
        from azure.core import MatchConditions
        from azure.core.exceptions import ResourceModifiedError, ResourceNotFoundError
        from azure.data.tables import UpdateMode

        try:
            written = self._client.update_entity(
                _entity(row),
                mode=UpdateMode.REPLACE,
                etag=row.etag,
                match_condition=MatchConditions.IfNotModified,
            )
        except (ResourceModifiedError, ResourceNotFoundError) as error:
            lost = f"row {row.partition}/{row.key} was changed by somebody else"
            raise Stale(lost, status=412) from error
        return Row(row.partition, row.key, row.values, written["etag"])

    def _create_table(self) -> None:
        from azure.core.exceptions import ResourceExistsError

        try:
            self._client.create_table()
        except ResourceExistsError:
            return  # Somebody was faster.

    @cached_property
    def _client(self) -> "TableClient":
        from azure.data.tables import TableClient

        return TableClient(
            self._url,
            self._table,
            credential=self._credential,
            transport=self._gate,
            user_agent=USER_AGENT,
            retry_total=0,  # Whether to repeat is decided above, after looking again.
        )


def _entity(row: Row) -> dict[str, str]:
    return {"PartitionKey": row.partition, "RowKey": row.key, **row.values}


def _row(entity: Any) -> Row:
    values = {k: v for k, v in entity.items() if k not in ("PartitionKey", "RowKey")}
    return Row(entity["PartitionKey"], entity["RowKey"], values, entity.metadata["etag"])
