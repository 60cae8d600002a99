"""
The Blob service's wire: containers and block blobs, XML lists and errors, ranges and conditions.

Source: the Blob service's REST reference and what azure-storage-blob sends. Leases, snapshots,
versions, tags, tiers, copies, page and append blobs are not modelled: 501.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from itertools import islice
from urllib.parse import unquote, urlsplit
from xml.etree import ElementTree as ET

from azsim.blobs import Blob, Conditions, md5_of
from azsim.http import ArmError, Request, Response
from azsim.router import Call, Route
from azsim.routes.blob_xml import blob_item, container_item, stamps, xml_error, xml_page
from azsim.routes.data_plane import (
    StorageHandler,
    allow_only,
    error_shape,
    guarded,
    not_simulated,
)
from azsim.storage import Account
from azsim.ticks import http_date, when_of

HOST = ".blob.core.windows.net"
PAGE = 5000

_NOT_MODELLED = frozenset(
    {
        "x-ms-copy-source",
        "x-ms-encryption-key",
        "x-ms-encryption-scope",
        "x-ms-if-tags",
        "x-ms-immutability-policy-until-date",
        "x-ms-lease-id",
        "x-ms-legal-hold",
        "x-ms-content-crc64",
        "x-ms-range-get-content-crc64",
        "x-ms-structured-body",
        "x-ms-tags",
    }
)
_KEPT = {
    f"x-ms-blob-{name}": name.title()
    for name in ("content-encoding", "content-language", "content-disposition", "cache-control")
}
_BYTES = "application/octet-stream"
_UNLEASED = {"x-ms-lease-status": "unlocked", "x-ms-lease-state": "available"}

Dispatch = Mapping[tuple[str, str], StorageHandler]


def _by_query(handlers: Dispatch) -> StorageHandler:
    """Return the handler that `restype` and `comp` choose: the service tells operations so."""

    def answer(call: Call, account: Account) -> Response:
        query = call.request.query
        chosen = (query.get("restype", ""), query.get("comp", ""))
        if (handler := handlers.get(chosen)) is None:
            raise not_simulated(call.request, f"restype={chosen[0]} comp={chosen[1]}")
        return handler(call, account)

    return answer


def _list_containers(call: Call, account: Account) -> Response:
    prefix, marker, limit = _paging(call.request)
    found = (c for c in account.containers if c.name.startswith(prefix) and c.name >= marker)
    page = list(islice(found, limit + 1))
    return xml_page(
        call,
        {"Prefix": prefix, "Marker": marker},
        "Containers",
        [container_item(container) for container in page[:limit]],
        page[limit].name if len(page) > limit else "",
        {"ServiceEndpoint": f"{call.request.origin}/"},
    )


def _create_container(call: Call, account: Account) -> Response:
    _only(call.request, "restype")
    if call.request.header("x-ms-blob-public-access"):
        raise ArmError(
            409,
            "PublicAccessNotPermitted",
            "Public access is not permitted on this storage account.",
        )
    container = account.create_container(call["container"])
    return Response(201, None, stamps(container.ticks))


def _container_properties(call: Call, account: Account) -> Response:
    _only(call.request, "restype")
    container = account.containers.get(call["container"])
    headers = {
        **stamps(container.ticks),
        **_UNLEASED,
        "x-ms-has-immutability-policy": str(container.immutable_for is not None).lower(),
        "x-ms-has-legal-hold": "false",
    }
    return Response(200, None, headers)


def _delete_container(call: Call, account: Account) -> Response:
    _only(call.request, "restype")
    account.containers.delete(call["container"], call.world.clock.now())
    return Response(202)


def _list_blobs(call: Call, account: Account) -> Response:
    container = account.containers.get(call["container"])
    prefix, marker, limit = _paging(call.request, "delimiter")
    delimiter = call.request.query.get("delimiter", "")
    page = container.list(prefix, delimiter, marker, limit)
    with_metadata = call.request.query.get("include") == "metadata"
    items = [blob_item(blob, with_metadata=with_metadata) for blob in page.blobs]
    for folder in page.prefixes:
        item = ET.Element("BlobPrefix")
        ET.SubElement(item, "Name").text = folder
        items.append(item)
    return xml_page(
        call,
        {"Prefix": prefix, "Marker": marker, "Delimiter": delimiter},
        "Blobs",
        items,
        page.next_marker,
        {"ServiceEndpoint": f"{call.request.origin}/", "ContainerName": container.name},
    )


def _put_blob(call: Call, account: Account) -> Response:
    _only(call.request)
    kind = call.request.header("x-ms-blob-type")
    if kind != "BlockBlob":
        raise not_simulated(call.request, f"x-ms-blob-type {kind}")
    container = account.containers.get(call["container"])
    _check_md5(call.request)
    blob = _sent_blob(call.request, call.request.body, call.request.header("content-type"))
    return _written(container.put(blob, call.world.clock.now(), _conditions(call.request)))


def _put_block(call: Call, account: Account) -> Response:
    _only(call.request, "comp", "blockid")
    container = account.containers.get(call["container"])
    _check_md5(call.request)
    container.stage(_name(call.request), call.request.query["blockid"], call.request.body)
    return Response(
        201,
        None,
        {"Content-MD5": md5_of(call.request.body), "x-ms-request-server-encrypted": "true"},
    )


def _put_block_list(call: Call, account: Account) -> Response:
    _only(call.request, "comp")
    container = account.containers.get(call["container"])
    try:
        listed = ET.fromstring(call.request.body)
    except ET.ParseError:
        raise ArmError(
            400, "InvalidXmlDocument", "XML specified is not syntactically valid."
        ) from None
    block_ids = [element.text or "" for element in listed]
    blob = _sent_blob(call.request, b"")
    conditions = _conditions(call.request)
    return _written(container.commit(blob, block_ids, call.world.clock.now(), conditions))


def _get_blob(call: Call, account: Account) -> Response:
    _only(call.request)
    blob = account.containers.get(call["container"]).get(_name(call.request))
    _conditions(call.request).check_read(blob)
    asked = call.request.header("x-ms-range") or call.request.header("range")
    if asked is None:
        headers = {**_blob_headers(blob), "Content-MD5": blob.md5}
        return Response(200, blob.content, headers)
    first, last = _range(asked, len(blob.content))
    content = blob.content[first : last + 1]
    headers = {
        **_blob_headers(blob),
        "Content-Length": str(len(content)),
        "Content-Range": f"bytes {first}-{last}/{len(blob.content)}",
        "x-ms-blob-content-md5": blob.md5,
    }
    if call.request.header("x-ms-range-get-content-md5") == "true":
        headers["Content-MD5"] = md5_of(content)
    return Response(206, content, headers)


def _blob_properties(call: Call, account: Account) -> Response:
    _only(call.request)
    blob = account.containers.get(call["container"]).get(_name(call.request))
    _conditions(call.request).check_read(blob)
    return Response(200, None, {**_blob_headers(blob), "Content-MD5": blob.md5})


def _delete_blob(call: Call, account: Account) -> Response:
    _only(call.request)
    container = account.containers.get(call["container"])
    container.delete(_name(call.request), call.world.clock.now(), _conditions(call.request))
    return Response(202, None, {"x-ms-delete-type-permanent": "true"})


def _only(request: Request, *query: str) -> None:
    allow_only(request, query=frozenset(query), refused_headers=_NOT_MODELLED)


def _name(request: Request) -> str:
    """Return the blob's name as sent: the router's own view joins doubled slashes."""
    return unquote(urlsplit(request.url).path.lstrip("/").partition("/")[2])


def _sent_blob(request: Request, content: bytes, content_type: str | None = None) -> Blob:
    return Blob(
        name=_name(request),
        content=content,
        ticks=0,
        created=0,
        content_type=request.header("x-ms-blob-content-type") or content_type or _BYTES,
        headers={
            answered: value for sent, answered in _KEPT.items() if (value := request.header(sent))
        },
        metadata={
            name.removeprefix("x-ms-meta-"): value
            for name, value in request.headers.items()
            if name.startswith("x-ms-meta-")
        },
    )


def _check_md5(request: Request) -> None:
    if (said := request.header("content-md5")) and said != md5_of(request.body):
        raise ArmError(
            400,
            "Md5Mismatch",
            "The MD5 value specified in the request did not match with the MD5 value calculated by "
            "the server.",
        )


def _conditions(request: Request) -> Conditions:
    def date(name: str) -> datetime | None:
        return parsedate_to_datetime(text) if (text := request.header(name)) else None

    return Conditions(
        request.header("if-match"),
        request.header("if-none-match"),
        date("if-modified-since"),
        date("if-unmodified-since"),
    )


def _range(text: str, size: int) -> tuple[int, int]:
    match = re.fullmatch(r"bytes=(\d+)-(\d*)", text)
    if match is None or int(match[1]) >= size:
        raise ArmError(
            416,
            "InvalidRange",
            "The range specified is invalid for the current size of the resource.",
            {"Content-Range": f"bytes */{size}"},
        )
    last = int(match[2]) if match[2] else size - 1
    return int(match[1]), min(last, size - 1)


def _written(blob: Blob) -> Response:
    headers = {
        **stamps(blob.ticks),
        "Content-MD5": blob.md5,
        "x-ms-request-server-encrypted": "true",
    }
    return Response(201, None, headers)


def _blob_headers(blob: Blob) -> dict[str, str]:
    return {
        **stamps(blob.ticks),
        **_UNLEASED,
        **blob.headers,
        **{f"x-ms-meta-{name}": value for name, value in blob.metadata.items()},
        "Content-Type": blob.content_type,
        "Content-Length": str(len(blob.content)),
        "Accept-Ranges": "bytes",
        "x-ms-blob-type": "BlockBlob",
        "x-ms-creation-time": http_date(when_of(blob.created)),
        "x-ms-server-encrypted": "true",
        "x-ms-access-tier": "Hot",
        "x-ms-access-tier-inferred": "true",
    }


def _paging(request: Request, *more: str) -> tuple[str, str, int]:
    _only(request, "restype", "comp", "prefix", "marker", "maxresults", "include", *more)
    if (include := request.query.get("include", "")) not in ("", "metadata"):
        raise not_simulated(request, f"include={include}")
    limit = min(int(request.query.get("maxresults") or PAGE), PAGE)
    return request.query.get("prefix", ""), request.query.get("marker", ""), limit


ERRORS = error_shape(xml_error, code_header=True)


def _route(name: str, method: str, path: str, handlers: Dispatch) -> Route:
    return Route(name, method, path, guarded(_by_query(handlers)), host=HOST, errors=ERRORS)


def _container(handler: StorageHandler) -> Dispatch:
    return {("container", ""): handler}


def _blob(handler: StorageHandler) -> Dispatch:
    return {("", ""): handler}


# models blob-operations
ROUTES: tuple[Route, ...] = (
    _route("blobs.list_containers", "GET", "/", {("", "list"): _list_containers}),
    _route("blobs.create_container", "PUT", "/{container}", _container(_create_container)),
    _route(
        "blobs.list",
        "GET",
        "/{container}",
        {("container", "list"): _list_blobs, ("container", ""): _container_properties},
    ),
    _route("blobs.container", "HEAD", "/{container}", _container(_container_properties)),
    _route("blobs.delete_container", "DELETE", "/{container}", _container(_delete_container)),
    _route(
        "blobs.put",
        "PUT",
        "/{container}/{*blob}",
        {("", ""): _put_blob, ("", "block"): _put_block, ("", "blocklist"): _put_block_list},
    ),
    _route("blobs.get", "GET", "/{container}/{*blob}", _blob(_get_blob)),
    _route("blobs.head", "HEAD", "/{container}/{*blob}", _blob(_blob_properties)),
    _route("blobs.delete", "DELETE", "/{container}/{*blob}", _blob(_delete_blob)),
)
