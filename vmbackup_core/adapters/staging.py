"""The staging accounts: which one a place has, and the blobs in it. The port Staging."""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from vmbackup_core.adapters.api_versions import STORAGE_ACCOUNTS
from vmbackup_core.adapters.arm import USER_AGENT, Arm
from vmbackup_core.adapters.boundary import azure_errors
from vmbackup_core.adapters.deed_forms import Host, Identity
from vmbackup_core.adapters.gate import Gate
from vmbackup_core.adapters.wire import Json, needed, place, text
from vmbackup_core.adapters.wire_recipes import parse_recipe
from vmbackup_core.domain.drill.facts import Recipe, StagingContainer
from vmbackup_core.domain.drill.slots import PREFIX, Place
from vmbackup_core.domain.errors import Denied, Rejected, Stale

if TYPE_CHECKING:
    from azure.storage.blob import BlobServiceClient

_CONTAINERS = "Microsoft.Storage/storageAccounts/blobServices/containers"
ACTIONS: Mapping[str, tuple[str, ...]] = {
    "find_account": ("Microsoft.Storage/storageAccounts/read",),
    "read_recipe": (f"{_CONTAINERS}/blobs/read",),
    "list_containers": (f"{_CONTAINERS}/read",),
    "remove_container": (f"{_CONTAINERS}/delete",),
}

LARGEST_BLOB = 4 * 1024 * 1024  # Bytes; what a machine's description is far below.

_ACCOUNT = re.compile(
    rf"/subscriptions/[0-9a-f-]+/resourcegroups/{PREFIX}-[a-z0-9]+"
    r"/providers/microsoft\.storage/storageaccounts/([a-z0-9]{3,24})",
    re.ASCII,
)
# As a restore names its container: for the machine, and 32 hex digits (recorded).
_RESTORED_TO = re.compile(r"(?:[a-z0-9-]*-)?[0-9a-f]{32}", re.ASCII)
_KINDS = frozenset({"storage", "storagev2"})
_SKUS = frozenset({"standard_lrs", "standard_grs", "standard_ragrs"})


class AzureStaging:
    """
    The port Staging on ARM and azure-storage-blob.

    `storage_suffix` is the cloud's (`core.windows.net`); `credential` is the restorer's. Only
    accounts in the group of a place are read or written.
    """

    def __init__(
        self, reader: Arm, credential: Any, storage_suffix: str, *, transport: Any = None
    ) -> None:
        self._reader = reader
        self._credential = credential
        self._suffix = storage_suffix
        self._transport = transport
        self._clients: dict[str, BlobServiceClient] = {}

    def find_account(self, place: Place) -> str | None:
        """
        Return the id, in lower case, of the only account in the place's group.

        Azure Backup restores through no account of another region, zone-redundant ones, those that
        hold blobs alone and, for machines with standard disks, premium ones (AZURE: restore).
        """
        path = f"{place.group_id}/providers/Microsoft.Storage/storageAccounts"
        doing = f"looking for the staging account of {place}"
        try:
            found = list(self._reader.pages(path, STORAGE_ACCOUNTS, doing))
        except Stale as error:
            if error.status == 404:  # Not even the group is there.
                return None
            raise
        if len(found) > 1:
            raise Rejected(f"{place.group} holds {len(found)} storage accounts instead of one")
        if not found:
            return None
        if unfit := _unfit(found[0], place.location):
            raise Rejected(f"the staging account {text(found[0], 'name')} {unfit}")
        return needed(found[0], "id").lower()

    def read_recipe(self, account: str, container: str, config: str, template: str) -> Recipe:
        read = (self._read(account, container, name) for name in (config, template))
        return parse_recipe(*read)

    def _read(self, account: str, container: str, name: str) -> bytes | None:
        """Return a blob, cut off where it is too long; None where there is none."""
        from azure.core.exceptions import ResourceNotFoundError

        if not (container and name):
            return None
        blob = self._client(account).get_blob_client(container, name)
        with azure_errors(f"reading {name} of the staging account"):
            try:
                content: bytes = blob.download_blob(offset=0, length=LARGEST_BLOB).readall()
            except ResourceNotFoundError:
                return None
        return content

    def list_containers(self, account: str) -> tuple[StagingContainer, ...]:
        """List the containers that restores have made, by the form of their names."""
        with azure_errors("listing the containers of the staging account"):
            return tuple(
                StagingContainer(listed.name, listed.last_modified)
                for listed in self._client(account).list_containers()
                if _RESTORED_TO.fullmatch(listed.name)
            )

    def remove_container(self, account: str, container: str) -> None:
        from azure.core.exceptions import ResourceNotFoundError

        doing = f"removing the container {container} of the staging account"
        with azure_errors(doing, writes=True):
            try:
                self._client(account).delete_container(container)
            except ResourceNotFoundError:
                return

    def _client(self, account: str) -> "BlobServiceClient":
        if account not in self._clients:
            from azure.storage.blob import BlobServiceClient

            named = _ACCOUNT.fullmatch(account.lower())
            if named is None:
                raise Denied(f"no staging account of restore tests: {account}")
            url = f"https://{named[1]}.blob.{self._suffix}"
            self._clients[account] = BlobServiceClient(
                url,
                credential=self._credential,
                transport=Gate(url, Host.STAGING, self._transport, Identity.RESTORER),
                user_agent=USER_AGENT,
                retry_total=0,  # Whether to repeat is decided above, after looking again.
            )
        return self._clients[account]


def _unfit(account: Json, location: str) -> str:
    """Return why Azure cannot restore through an account, in words; "" where it can."""
    sku = text(account, "sku", "name")
    if place(text(account, "location")) != location:
        return f"lies in {text(account, 'location')}"
    if text(account, "kind").lower() not in _KINDS:
        return f"is of kind {text(account, 'kind')}"
    return "" if sku.lower() in _SKUS else f"is {sku}: neither zone-redundant nor premium will do"
