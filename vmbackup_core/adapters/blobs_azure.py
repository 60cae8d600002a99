"""Documents in a container of Azure Blob Storage, created on first need."""

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from vmbackup_core.adapters.arm import USER_AGENT
from vmbackup_core.adapters.blob_rules import check_name
from vmbackup_core.adapters.boundary import azure_errors
from vmbackup_core.adapters.deed_forms import Host
from vmbackup_core.adapters.gate import Gate
from vmbackup_core.domain.errors import Stale
from vmbackup_core.ports import Blob

if TYPE_CHECKING:
    from azure.storage.blob import ContainerClient

_CONTAINERS = "Microsoft.Storage/storageAccounts/blobServices/containers"
ACTIONS: Mapping[str, tuple[str, ...]] = {
    "read": (f"{_CONTAINERS}/blobs/read",),
    "create": (f"{_CONTAINERS}/write", f"{_CONTAINERS}/blobs/add/action"),
    "replace": (f"{_CONTAINERS}/blobs/write",),
    "names": (f"{_CONTAINERS}/blobs/read",),
}


class AzureBlobs:
    """The port Blobs on azure-storage-blob."""

    def __init__(self, url: str, container: str, credential: Any, *, transport: Any = None) -> None:
        self._url = url
        self._container = container
        self._credential = credential
        self._gate = Gate(url, Host.BLOBS, transport)

    def read(self, name: str) -> Blob | None:
        from azure.core.exceptions import ResourceNotFoundError

        check_name(name)
        with azure_errors(f"reading the document {name}"):
            try:
                found = self._client.download_blob(name)
                return Blob(name, found.readall(), str(found.properties.etag))
            except ResourceNotFoundError:  # The document, or the whole container as yet.
                return None

    def create(self, name: str, content: bytes) -> Blob:
        """Write with If-None-Match: *, so that of two who create one loses."""
        from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError

        check_name(name)
        blob = self._client.get_blob_client(name)
        with azure_errors(f"writing the document {name}", writes=True):
            try:
                try:
                    written = blob.upload_blob(content, overwrite=False)
                except ResourceNotFoundError:
                    self._create_container()
                    written = blob.upload_blob(content, overwrite=False)
            except ResourceExistsError as error:
                if _being_deleted(error):
                    raise
                raise Stale(f"the document {name} is there already", status=409) from error
            return Blob(name, content, str(written["etag"]))

    def replace(self, blob: Blob, content: bytes) -> Blob:
        from azure.core import MatchConditions
        from azure.core.exceptions import ResourceModifiedError, ResourceNotFoundError

        check_name(blob.name)
        with azure_errors(f"writing the document {blob.name}", writes=True):
            try:
                written = self._client.get_blob_client(blob.name).upload_blob(
                    content,
                    overwrite=True,
                    etag=blob.etag,
                    match_condition=MatchConditions.IfNotModified,
                )
            except (ResourceModifiedError, ResourceNotFoundError) as error:
                lost = f"the document {blob.name} was changed by somebody else"
                raise Stale(lost, status=412) from error
            return Blob(blob.name, content, str(written["etag"]))

    def names(self, prefix: str) -> Iterator[str]:
        from azure.core.exceptions import ResourceNotFoundError

        with azure_errors(f"listing the documents {prefix}*"):
            try:
                yield from self._client.list_blob_names(name_starts_with=prefix)
            except ResourceNotFoundError:  # No container as yet.
                return

    def _create_container(self) -> None:
        from azure.core.exceptions import ResourceExistsError

        try:
            self._client.create_container()
        except ResourceExistsError as error:
            if _being_deleted(error):
                raise
            # Else somebody was faster.

    @cached_property
    def _client(self) -> "ContainerClient":
        from azure.storage.blob import ContainerClient

        return ContainerClient(
            self._url,
            self._container,
            credential=self._credential,
            transport=self._gate,
            user_agent=USER_AGENT,
            retry_total=0,  # Whether to repeat is decided above, after looking again.
        )


def _being_deleted(error: Any) -> bool:
    return "BeingDeleted" in str(getattr(error, "error_code", ""))
