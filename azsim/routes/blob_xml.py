"""The Blob service's XML: pages of containers and blobs, and errors."""

from collections.abc import Iterable, Mapping
from xml.etree import ElementTree as ET

from azsim.blobs import Blob, Container
from azsim.http import Response
from azsim.router import Call
from azsim.ticks import blob_etag, http_date, when_of


def stamps(ticks: int) -> dict[str, str]:
    return {"ETag": blob_etag(ticks), "Last-Modified": http_date(when_of(ticks))}


def container_item(container: Container) -> ET.Element:
    item = ET.Element("Container")
    ET.SubElement(item, "Name").text = container.name
    properties = {
        **{name: value.strip('"') for name, value in stamps(container.ticks).items()},
        "LeaseStatus": "unlocked",
        "LeaseState": "available",
        "HasImmutabilityPolicy": str(container.immutable_for is not None).lower(),
        "HasLegalHold": "false",
    }
    properties["Etag"] = properties.pop("ETag")
    add_all(ET.SubElement(item, "Properties"), properties)
    return item


def blob_item(blob: Blob, *, with_metadata: bool) -> ET.Element:
    item = ET.Element("Blob")
    ET.SubElement(item, "Name").text = blob.name
    properties = {
        "Creation-Time": http_date(when_of(blob.created)),
        "Last-Modified": http_date(blob.modified),
        "Etag": blob.etag.strip('"'),
        "Content-Length": str(len(blob.content)),
        "Content-Type": blob.content_type,
        "Content-MD5": blob.md5,
        **blob.headers,
        "BlobType": "BlockBlob",
        "AccessTier": "Hot",
        "AccessTierInferred": "true",
        "LeaseStatus": "unlocked",
        "LeaseState": "available",
        "ServerEncrypted": "true",
    }
    add_all(ET.SubElement(item, "Properties"), properties)
    if with_metadata:
        add_all(ET.SubElement(item, "Metadata"), blob.metadata)
    return item


def add_all(parent: ET.Element, values: Mapping[str, str]) -> None:
    for name, value in values.items():
        ET.SubElement(parent, name).text = value


def xml_page(
    call: Call,
    asked: Mapping[str, str],
    wrapper: str,
    items: Iterable[ET.Element],
    next_marker: str,
    attributes: dict[str, str],
) -> Response:
    root = ET.Element("EnumerationResults", attributes)
    add_all(root, {name: value for name, value in asked.items() if value})
    if size := call.request.query.get("maxresults"):
        ET.SubElement(root, "MaxResults").text = size
    ET.SubElement(root, wrapper).extend(items)
    ET.SubElement(root, "NextMarker").text = next_marker
    return Response(200, _xml(root), {"Content-Type": "application/xml"})


def _xml(root: ET.Element) -> bytes:
    return b'\xef\xbb\xbf<?xml version="1.0" encoding="utf-8"?>' + ET.tostring(root)


def xml_error(_call: Call, code: str, message: str) -> tuple[str, bytes]:
    root = ET.Element("Error")
    add_all(root, {"Code": code, "Message": message})
    return "application/xml", _xml(root)
