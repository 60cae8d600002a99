"""Where `vmbackup.toml` lies: a file beside the app, or a blob that is followed by its ETag."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vmbackup_core.domain.errors import Rejected

ACTIONS: Mapping[str, tuple[str, ...]] = {
    "read_configuration": ("Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read",),
}


def read_configuration(
    where: str, known: str, credential: Any, *, transport: Any = None
) -> tuple[bytes, str] | None:
    """
    Return content and ETag of the configuration at `where` (a path, or the address of a blob).

    None where it still has the ETag `known`. Raises Rejected for a file that cannot be read.
    """
    if not where.startswith("https://"):
        try:
            content = Path(where).read_bytes()
        except OSError as error:
            raise Rejected(
                f"cannot read {where}: {error.strerror}; VMBACKUP_CONFIG names another place"
            ) from error
        etag = hashlib.sha256(content).hexdigest()
        return None if etag == known else (content, etag)

    from azure.core import MatchConditions
    from azure.core.exceptions import HttpResponseError
    from azure.storage.blob import BlobClient

    from vmbackup_core.adapters.boundary import azure_errors
    from vmbackup_core.adapters.deed_forms import Host, Identity
    from vmbackup_core.adapters.gate import Gate

    gate = Gate(where.rpartition("/")[0], Host.READ_ONLY, transport, Identity.READER)
    blob = BlobClient.from_blob_url(where, credential=credential, transport=gate)
    conditions: dict[str, Any] = (
        {"etag": known, "match_condition": MatchConditions.IfModified} if known else {}
    )
    with azure_errors(f"reading the configuration {where}"):
        try:
            found = blob.download_blob(**conditions)
        except HttpResponseError as error:
            if error.status_code == 304:
                return None
            raise
        return found.readall(), str(found.properties.etag)
