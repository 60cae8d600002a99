"""What every store of documents promises, wherever it keeps them."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from azsim.transport import SimTransport
from azsim.world import World
from tests.blobs import MemoryBlobs
from tests.credentials import StaticCredential
from vmbackup_core.adapters.blobs_azure import AzureBlobs
from vmbackup_core.adapters.blobs_files import FileBlobs
from vmbackup_core.domain.errors import Retryable, Stale
from vmbackup_core.ports import Blobs

ACCOUNT = "ledger"
URL = f"https://{ACCOUNT}.blob.core.windows.net"

Open = Callable[[], Blobs]


def azure_blobs(world: World, container: str = "state") -> AzureBlobs:
    return AzureBlobs(URL, container, StaticCredential(), transport=SimTransport(world))


@pytest.fixture(params=["azure", "files", "memory"])
def opened(request: pytest.FixtureRequest, tmp_path: Path, world: World) -> Open:
    """Open the same documents, as often as there are processes."""
    match request.param:
        case "azure":
            world.storage.create_account(ACCOUNT)
            return lambda: azure_blobs(world)
        case "files":
            return lambda: FileBlobs(tmp_path / "state")
        case _:
            memory = MemoryBlobs()
            return lambda: memory


@pytest.fixture
def blobs(opened: Open) -> Blobs:
    return opened()


def test_a_document_that_was_never_written_is_none(blobs: Blobs) -> None:
    assert blobs.read("snapshots/a.json") is None


def test_an_empty_store_has_no_names(blobs: Blobs) -> None:
    assert list(blobs.names("")) == []


@pytest.mark.parametrize("content", [b"{}", b"", "größe: 9 €".encode(), bytes(range(256)) * 5_000])
def test_what_is_written_is_read(blobs: Blobs, content: bytes) -> None:
    written = blobs.create("snapshots/a.json", content)

    assert blobs.read("snapshots/a.json") == written
    assert written.content == content


def test_another_process_reads_it_too(opened: Open) -> None:
    written = opened().create("a.json", b"1")

    assert opened().read("a.json") == written


def test_of_two_who_create_a_document_one_loses(opened: Open) -> None:
    opened().create("a.json", b"1")

    with pytest.raises(Stale):
        opened().create("a.json", b"2")

    found = opened().read("a.json")
    assert found is not None
    assert found.content == b"1"


def test_of_two_who_replace_a_document_one_loses(opened: Open) -> None:
    mine = opened().create("a.json", b"1")
    opened().replace(mine, b"2")

    with pytest.raises(Stale):
        opened().replace(mine, b"3")

    found = opened().read("a.json")
    assert found is not None
    assert found.content == b"2"


def test_the_loser_reads_again_and_wins(opened: Open) -> None:
    mine = opened().create("a.json", b"1")
    theirs = opened().replace(mine, b"2")

    assert opened().replace(theirs, b"3").content == b"3"


def test_writing_the_same_content_again_gives_another_etag(blobs: Blobs) -> None:
    first = blobs.create("a.json", b"1")

    assert blobs.replace(first, b"1").etag != first.etag


def test_a_document_that_is_gone_cannot_be_replaced(blobs: Blobs) -> None:
    there = blobs.create("a.json", b"1")

    with pytest.raises(Stale):
        blobs.replace(type(there)("b.json", there.content, there.etag), b"2")


def test_names_come_in_order_below_their_prefix(blobs: Blobs) -> None:
    for name in ("b/2.json", "b/10.json", "a/1.json", "b.json", "b/c/1.json"):
        blobs.create(name, b"{}")

    assert list(blobs.names("b/")) == ["b/10.json", "b/2.json", "b/c/1.json"]
    assert list(blobs.names("")) == ["a/1.json", "b.json", "b/10.json", "b/2.json", "b/c/1.json"]


@pytest.mark.parametrize(
    "name", ["", "/a", "a/", "a//b", "../a", "a/../b", ".a", "a b", "a%2Fb", "ä", "a.", "a" * 501]
)
def test_a_name_that_a_store_could_not_keep_is_a_bug(
    tmp_path: Path, world: World, name: str
) -> None:
    with pytest.raises(ValueError, match="not a name"):
        FileBlobs(tmp_path).create(name, b"")
    with pytest.raises(ValueError, match="not a name"):
        azure_blobs(world).create(name, b"")


def test_a_document_in_an_immutable_container_is_written_once(world: World) -> None:
    account = world.storage.create_account(ACCOUNT)
    account.create_container("evidence", immutable_for=timedelta(days=30))
    blobs = azure_blobs(world, "evidence")
    written = blobs.create("1.json", b"1")

    with pytest.raises(Stale):
        blobs.create("1.json", b"2")

    assert blobs.read("1.json") == written


def test_a_document_costs_one_call_a_read_and_one_a_write(world: World) -> None:
    world.storage.create_account(ACCOUNT)
    blobs = azure_blobs(world)
    first = blobs.create("a.json", b"1")
    before = len(world.exchanges)

    blobs.read("a.json")
    blobs.replace(first, b"2")

    assert len(world.exchanges) - before == 2


def test_an_account_that_does_not_answer_is_tried_later(world: World) -> None:
    with pytest.raises(Retryable):
        azure_blobs(world).read("a.json")


def test_a_file_is_plain_for_a_person_to_read(tmp_path: Path) -> None:
    FileBlobs(tmp_path).create("evidence/2026-03/000001.json", b'{"seq":1}')

    assert (tmp_path / "evidence/2026-03/000001.json").read_bytes() == b'{"seq":1}'
