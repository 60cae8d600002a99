"""Links to the console are followed to Azure's storage, no further, and only so far."""

import re
from typing import Any

import pytest

from azsim.http import Request, Response
from azsim.transport import SimTransport
from azsim.world import World
from vmbackup_core.adapters.consoles import LARGEST_PICTURE, LONGEST_LOG, Consoles
from vmbackup_core.domain.errors import Denied, Malformed, Rejected, Retryable
from vmbackup_core.settings.clouds import CLOUDS, Cloud

# As recorded, but for the key.
LINK = (
    "https://md-visihbpdz0qcrb3b.z13.blob.storage.azure.net:443/914cab6a-ef5b-4e0a-94b7-92548d353c99"
    "/myvm.51384c8c.serialconsole.log?sv=2018-03-28&sr=b&sig=a%2Fb%2Bc%3D&se=2024-08-26&sp=r"
)


class Held(World):
    """A world that answers every call with one blob, or with a status."""

    def __init__(self, content: bytes = b"", status: int = 200, **headers: str) -> None:
        super().__init__(seed=1)
        self.content, self.status, self.more = content, status, headers
        self.asked: list[Request] = []

    def handle(self, request: Request) -> Response:
        self.asked.append(request)
        start = re.match(r"bytes=(\d+)-", request.header("x-ms-range") or "bytes=0-")
        assert start is not None
        content = self.content[int(start[1]) :]
        return Response(self.status, content, {"Content-Type": "text/plain", **self.more})


def consoles(held: World, cloud: Cloud = Cloud.PUBLIC) -> Consoles:
    where = CLOUDS[cloud]
    return Consoles(where.storage_suffix, where.consoles, transport=SimTransport(held))


def test_a_log_is_read_as_it_is_whatever_the_guest_wrote() -> None:
    held = Held("login: \u00e9\n".encode() + b"\xff\x00")

    assert consoles(held).read_log(LINK) == "login: \u00e9\n\ufffd\x00"


def test_a_link_is_followed_as_it_was_given_and_without_a_token() -> None:
    held = Held(b"x")

    consoles(held).read_log(LINK)

    (asked,) = held.asked
    assert (asked.method, asked.url, asked.header("authorization")) == ("GET", LINK, None)


def test_of_a_long_log_the_end_is_read() -> None:
    held = Held(b"a" * LONGEST_LOG + b"the end")

    log = consoles(held).read_log(LINK)

    assert log is not None
    assert (len(log), log[-8:]) == (LONGEST_LOG, "athe end")


def test_a_picture_comes_as_it_is() -> None:
    held = Held(b"BM" + b"\x00" * (LARGEST_PICTURE - 2))

    assert consoles(held).read_picture(LINK) == held.content


def test_what_is_too_large_for_a_picture_is_none() -> None:
    assert consoles(Held(b"B" * (LARGEST_PICTURE + 1))).read_picture(LINK) is None


def test_what_is_not_there_yet_is_none() -> None:
    held = Held(b"<Error><Code>BlobNotFound</Code></Error>", 404)

    assert (consoles(held).read_log(LINK), consoles(held).read_picture(LINK)) == (None, None)


@pytest.mark.parametrize(
    ("status", "expected"), [(403, Denied), (500, Retryable), (503, Retryable)]
)
def test_a_refusal_is_no_empty_console(status: int, expected: Any) -> None:
    with pytest.raises(expected):
        consoles(Held(b"", status)).read_log(LINK)


def test_nobody_is_followed_to_another_place() -> None:
    held = Held(b"", 302, Location="https://evil.example/")

    with pytest.raises(Rejected):
        consoles(held).read_log(LINK)

    assert len(held.asked) == 1


@pytest.mark.parametrize(
    "link",
    [
        "http://a.blob.storage.azure.net/x",
        "https://evil.example/x",
        "https://blob.storage.azure.net/x",
        "https://a.blob.storage.azure.net.evil.example/x",
        "https://a.blob.storage.azure.net@evil.example/x",
        "https://user@a.blob.storage.azure.net/x",
        "https://a.blob.storage.azure.net:8443/x",
        "https://evil.example/.blob.storage.azure.net",
        "https://evil.example#.blob.storage.azure.net",
        "https://evil.example\\.blob.storage.azure.net/x",
        "https://a.table.core.windows.net/x",
        "https://management.azure.com/x",
        "https://169.254.169.254/metadata",
        "https://evilblob.storage.azure.net/x",
        "file:///etc/passwd",
        "//a.blob.storage.azure.net/x",
        "",
    ],
)
def test_a_link_to_another_place_is_not_followed(link: str) -> None:
    held = Held(b"x")

    with pytest.raises((Malformed, Denied)):
        consoles(held).read_log(link)

    assert held.asked == []


@pytest.mark.parametrize(
    ("cloud", "host"),
    [
        (Cloud.PUBLIC, "a.blob.core.windows.net"),
        (Cloud.PUBLIC, "md-a.z1.blob.storage.azure.net"),
        (Cloud.USGOV, "a.blob.core.usgovcloudapi.net"),
        (Cloud.CHINA, "a.blob.core.chinacloudapi.cn"),
    ],
)
def test_each_cloud_has_its_own_storage(cloud: Cloud, host: str) -> None:
    assert consoles(Held(b"x"), cloud).read_log(f"https://{host}/x") == "x"


def test_a_link_to_another_cloud_is_not_followed() -> None:
    with pytest.raises(Malformed):
        consoles(Held(b"x"), Cloud.CHINA).read_log(LINK)
