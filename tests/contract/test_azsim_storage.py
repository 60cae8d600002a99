"""Azure Tables and Blobs as their real clients see them."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from azure.core import MatchConditions
from azure.core.exceptions import (
    ClientAuthenticationError,
    HttpResponseError,
    ResourceExistsError,
    ResourceModifiedError,
    ResourceNotFoundError,
    ServiceRequestError,
)
from azure.core.pipeline.transport import HttpRequest
from azure.data.tables import (
    EdmType,
    EntityProperty,
    TableClient,
    TableServiceClient,
    TableTransactionError,
    UpdateMode,
)
from azure.storage.blob import BlobServiceClient, ContainerClient

from azsim.transport import SimTransport
from azsim.world import World
from tests.credentials import StaticCredential

TABLES = "https://ledger.table.core.windows.net"
BLOBS = "https://ledger.blob.core.windows.net"


@pytest.fixture
def service(world: World, credential: StaticCredential) -> TableServiceClient:
    world.storage.create_account("ledger")
    return TableServiceClient(TABLES, credential=credential, transport=SimTransport(world))


@pytest.fixture
def table(service: TableServiceClient) -> TableClient:
    return service.create_table("hints")


@pytest.fixture
def blobs(world: World, credential: StaticCredential) -> BlobServiceClient:
    world.storage.create_account("ledger")
    return BlobServiceClient(
        BLOBS,
        credential=credential,
        transport=SimTransport(world),
        max_single_put_size=4096,
        max_block_size=1024,
        max_single_get_size=4096,
        max_chunk_get_size=4096,
    )


@pytest.fixture
def evidence(blobs: BlobServiceClient) -> ContainerClient:
    return blobs.create_container("evidence")


def test_an_entity_comes_back_with_the_types_it_was_written_with(table: TableClient):
    when = datetime(2026, 3, 1, 12, 30, 15, 123456, tzinfo=UTC)
    guid = UUID("7f3c1a52-9a41-4f6e-8a57-2f5f0c1d9b10")
    entity = {
        "PartitionKey": "it's",
        "RowKey": "1",
        "text": "hé",
        "small": 7,
        "big": EntityProperty(2**40, EdmType.INT64),
        "share": 0.5,
        "whole": 3.0,
        "on": True,
        "when": when,
        "guid": guid,
        "raw": b"\x00\xff",
        "missing": None,
    }

    table.create_entity(entity)
    read = dict(table.get_entity("it's", "1"))

    assert read == {
        "PartitionKey": "it's",
        "RowKey": "1",
        "text": "hé",
        "small": 7,
        "big": EntityProperty(2**40, EdmType.INT64),
        "share": 0.5,
        "whole": 3.0,
        "on": True,
        "when": when,
        "guid": guid,
        "raw": b"\x00\xff",
    }


def test_an_entity_is_inserted_once(table: TableClient):
    table.create_entity({"PartitionKey": "a", "RowKey": "1"})

    with pytest.raises(ResourceExistsError) as refused:
        table.create_entity({"PartitionKey": "a", "RowKey": "1"})

    assert "EntityAlreadyExists" in str(refused.value)


def test_a_write_with_a_stale_etag_is_refused(table: TableClient):
    written = table.create_entity({"PartitionKey": "a", "RowKey": "1", "n": 1})
    table.upsert_entity({"PartitionKey": "a", "RowKey": "1", "n": 2})

    with pytest.raises(ResourceModifiedError) as refused:
        table.update_entity(
            {"PartitionKey": "a", "RowKey": "1", "n": 3},
            mode=UpdateMode.REPLACE,
            etag=written["etag"],
            match_condition=MatchConditions.IfNotModified,
        )

    assert refused.value.error_code == "UpdateConditionNotSatisfied"
    assert table.get_entity("a", "1")["n"] == 2


def test_two_writes_of_one_instant_have_different_etags(table: TableClient):
    first = table.upsert_entity({"PartitionKey": "a", "RowKey": "1"})
    second = table.upsert_entity({"PartitionKey": "a", "RowKey": "1"})

    assert first["etag"] != second["etag"]


def test_merging_keeps_what_replacing_drops(table: TableClient):
    table.create_entity({"PartitionKey": "a", "RowKey": "1", "old": 1})
    table.update_entity({"PartitionKey": "a", "RowKey": "1", "new": 2}, mode=UpdateMode.MERGE)
    merged = dict(table.get_entity("a", "1"))
    table.update_entity({"PartitionKey": "a", "RowKey": "1", "new": 3}, mode=UpdateMode.REPLACE)
    replaced = dict(table.get_entity("a", "1"))

    assert merged == {"PartitionKey": "a", "RowKey": "1", "old": 1, "new": 2}
    assert replaced == {"PartitionKey": "a", "RowKey": "1", "new": 3}


@pytest.mark.parametrize("mode", [UpdateMode.MERGE, UpdateMode.REPLACE])
def test_updating_what_is_not_there_is_refused(table: TableClient, mode: UpdateMode):
    with pytest.raises(ResourceNotFoundError):
        table.update_entity({"PartitionKey": "a", "RowKey": "1"}, mode=mode)


def test_a_table_that_is_missing_says_so(service: TableServiceClient):
    with pytest.raises(ResourceNotFoundError) as missing:
        list(service.get_table_client("nothing").list_entities())

    assert missing.value.error_code == "TableNotFound"


def test_an_entity_that_is_missing_says_so(table: TableClient):
    with pytest.raises(ResourceNotFoundError) as missing:
        table.get_entity("a", "1")

    assert missing.value.error_code == "ResourceNotFound"


def test_a_deleted_entity_is_gone_and_deleting_it_again_does_no_harm(table: TableClient):
    table.create_entity({"PartitionKey": "a", "RowKey": "1"})
    table.delete_entity("a", "1")
    table.delete_entity("a", "1")

    assert list(table.list_entities()) == []


def test_a_table_is_created_once_and_its_name_is_free_again_only_later(
    world: World, service: TableServiceClient
):
    service.create_table("hints")
    with pytest.raises(ResourceExistsError) as twice:
        service.create_table("Hints")
    service.delete_table("hints")
    with pytest.raises(HttpResponseError) as too_soon:
        service.create_table("hints", retry_total=0)
    world.clock.advance(timedelta(seconds=40))
    service.create_table("hints")

    assert twice.value.error_code == "TableAlreadyExists"
    assert too_soon.value.error_code == "TableBeingDeleted"
    assert [table.name for table in service.list_tables()] == ["hints"]


@pytest.mark.parametrize(
    ("query", "rows"),
    [
        ("PartitionKey eq 'a'", ["1", "2", "3"]),
        ("PartitionKey eq 'a' and RowKey gt '1'", ["2", "3"]),
        ("n ge 2 and n lt 3", ["2"]),
        ("n eq 1 or name eq 'it''s'", ["1", "3"]),
        ("not (n eq 1) and PartitionKey eq 'a'", ["2", "3"]),
        ("(n eq 1 or n eq 2) and on", ["1"]),
        ("on eq false", ["2"]),
        ("when ge datetime'2026-03-02T00:00:00Z'", ["2"]),
        ("big gt 5000000000L", ["1"]),
        ("share le 0.25", ["2"]),
        ("guid eq guid'7f3c1a52-9a41-4f6e-8a57-2f5f0c1d9b10'", ["3"]),
        ("raw eq X'00ff'", ["3"]),
        ("nothing eq 1", []),
        ("name eq 1", []),
        ("Timestamp gt datetime'2020-01-01T00:00:00Z' and PartitionKey ne 'a'", ["9"]),
    ],
)
def test_a_filter_finds_its_rows(table: TableClient, query: str, rows: list[str]):
    written = [
        {"RowKey": "1", "n": 1, "on": True, "big": EntityProperty(2**40, EdmType.INT64)},
        {
            "RowKey": "2",
            "n": 2,
            "on": False,
            "share": 0.25,
            "when": datetime(2026, 3, 2, tzinfo=UTC),
        },
        {
            "RowKey": "3",
            "name": "it's",
            "raw": b"\x00\xff",
            "guid": UUID("7f3c1a52-9a41-4f6e-8a57-2f5f0c1d9b10"),
        },
    ]
    table.submit_transaction([("create", {"PartitionKey": "a", **row}) for row in written])
    table.create_entity({"PartitionKey": "b", "RowKey": "9"})

    assert [row["RowKey"] for row in table.query_entities(query)] == rows


@pytest.mark.parametrize("query", ["PartitionKey eq", "PartitionKey = 'a'", "(n eq 1", "n eq 1 n"])
def test_a_filter_that_does_not_parse_is_refused(table: TableClient, query: str):
    with pytest.raises(HttpResponseError) as refused:
        list(table.query_entities(query))

    assert refused.value.status_code == 400
    assert refused.value.error_code == "InvalidInput"


def test_a_query_comes_in_pages_of_a_thousand(world: World, table: TableClient):
    rows = [f"{number:04}" for number in range(1, 2502)]
    for start in range(0, 2501, 100):
        table.submit_transaction(
            [("create", {"PartitionKey": "a", "RowKey": row}) for row in rows[start : start + 100]]
        )
    pages = table.list_entities().by_page()

    read = [[row["RowKey"] for row in page] for page in pages]

    assert [len(page) for page in read] == [1000, 1000, 501]
    assert [row for page in read for row in page] == rows


def test_a_selection_returns_only_what_was_asked_for(table: TableClient):
    table.create_entity({"PartitionKey": "a", "RowKey": "1", "n": 1, "m": 2})

    assert [dict(row) for row in table.list_entities(select=["n"])] == [{"n": 1}]


def test_a_transaction_happens_as_a_whole_or_not_at_all(table: TableClient):
    table.create_entity({"PartitionKey": "a", "RowKey": "2"})

    with pytest.raises(TableTransactionError) as refused:
        table.submit_transaction(
            [
                ("create", {"PartitionKey": "a", "RowKey": "1"}),
                ("create", {"PartitionKey": "a", "RowKey": "2"}),
            ]
        )

    assert refused.value.error_code == "EntityAlreadyExists"
    assert refused.value.index == 1
    assert [row["RowKey"] for row in table.list_entities()] == ["2"]


def test_a_transaction_tells_the_etags_of_what_it_wrote(table: TableClient):
    results = table.submit_transaction(
        [
            ("upsert", {"PartitionKey": "a", "RowKey": "1", "n": 1}),
            ("create", {"PartitionKey": "a", "RowKey": "2"}),
        ]
    )

    assert [result["etag"] for result in results] == [
        row.metadata["etag"] for row in table.list_entities()
    ]


@pytest.mark.parametrize(
    ("entity", "code"),
    [
        ({"PartitionKey": "a", "RowKey": "x" * 513}, "KeyValueTooLarge"),
        ({"PartitionKey": "a", "RowKey": "a#b"}, "OutOfRangeInput"),
        ({"PartitionKey": "a", "RowKey": "1", "text": "x" * 32769}, "PropertyValueTooLarge"),
        (
            {"PartitionKey": "a", "RowKey": "1", **{f"p{n}": "x" * 32000 for n in range(17)}},
            "EntityTooLarge",
        ),
        (
            {"PartitionKey": "a", "RowKey": "1", **{f"p{n}": n for n in range(253)}},
            "TooManyProperties",
        ),
        ({"RowKey": "1"}, "PropertiesNeedValue"),
    ],
)
def test_an_entity_beyond_the_limits_is_refused(world: World, entity: dict[str, str], code: str):
    account = world.storage.create_account("ledger")
    account.create_table("hints")
    request = HttpRequest("POST", f"{TABLES}/hints", {"Authorization": "Bearer t"})
    request.set_json_body(entity)

    answer = SimTransport(world).send(request)

    assert answer.status_code == 400
    assert answer.internal_response.json()["odata.error"]["code"] == code


@pytest.mark.parametrize("host", [TABLES, BLOBS])
@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({}, 401, "NoAuthenticationInformation"),
        ({"Authorization": "SharedKey a:b"}, 403, "KeyBasedAuthenticationNotPermitted"),
    ],
)
def test_only_a_token_opens_an_account(
    world: World, host: str, headers: dict[str, str], status: int, code: str
):
    world.storage.create_account("ledger")

    answer = SimTransport(world).send(HttpRequest("GET", f"{host}/?comp=list", headers))

    assert answer.status_code == status
    assert code in answer.text()


def test_an_account_that_does_not_exist_does_not_resolve(
    world: World, credential: StaticCredential
):
    client = TableServiceClient(
        TABLES, credential=credential, transport=SimTransport(world), retry_total=0
    )

    with pytest.raises(ServiceRequestError):
        client.create_table("hints")


def test_a_blob_comes_back_as_it_was_written(evidence: ContainerClient):
    evidence.upload_blob(
        "a b/1//é.json", b"{}", metadata={"kind": "sweep"}, content_type="application/json"
    )

    found = evidence.get_blob_client("a b/1//é.json").download_blob()

    assert found.readall() == b"{}"
    assert found.properties.metadata == {"kind": "sweep"}
    assert found.properties.content_settings.content_type == "application/json"
    assert found.properties.etag.startswith('"0x8D')


def test_an_empty_blob_can_be_read(evidence: ContainerClient):
    evidence.upload_blob("empty", b"")

    assert evidence.download_blob("empty").readall() == b""


def test_a_large_blob_goes_in_blocks_and_comes_in_ranges(world: World, evidence: ContainerClient):
    content = bytes(range(256)) * 40
    evidence.upload_blob("large", content)

    assert evidence.download_blob("large").readall() == content
    assert evidence.download_blob("large", offset=5, length=7).readall() == content[5:12]
    statuses = [e.response.status for e in world.exchanges if e.route == "blobs.get"]
    assert statuses == [206, 206, 206, 206]


def test_a_blob_is_created_once_when_creation_was_asked_for(evidence: ContainerClient):
    evidence.upload_blob("head", b"1")

    with pytest.raises(ResourceExistsError) as refused:
        evidence.upload_blob("head", b"2")

    assert refused.value.error_code == "BlobAlreadyExists"
    assert evidence.download_blob("head").readall() == b"1"


def test_a_blob_is_overwritten_only_by_who_knows_its_etag(evidence: ContainerClient):
    client = evidence.get_blob_client("snapshot")
    first = client.upload_blob(b"1")
    second = client.upload_blob(
        b"2", overwrite=True, etag=first["etag"], match_condition=MatchConditions.IfNotModified
    )

    with pytest.raises(ResourceModifiedError) as refused:
        client.upload_blob(
            b"3", overwrite=True, etag=first["etag"], match_condition=MatchConditions.IfNotModified
        )

    assert refused.value.error_code == "ConditionNotMet"
    assert client.get_blob_properties().etag == second["etag"]


def test_a_reader_that_has_the_present_blob_is_told_so(evidence: ContainerClient):
    client = evidence.get_blob_client("rules")
    written = client.upload_blob(b"1")

    with pytest.raises(HttpResponseError) as unchanged:
        client.download_blob(etag=written["etag"], match_condition=MatchConditions.IfModified)

    assert unchanged.value.status_code == 304


def test_a_missing_blob_and_a_missing_container_say_so(
    blobs: BlobServiceClient, evidence: ContainerClient
):
    with pytest.raises(ResourceNotFoundError) as blob:
        evidence.download_blob("nothing")
    with pytest.raises(ResourceNotFoundError) as container:
        blobs.get_blob_client("nowhere", "x").upload_blob(b"")

    assert blob.value.error_code == "BlobNotFound"
    assert container.value.error_code == "ContainerNotFound"
    assert evidence.get_blob_client("nothing").exists() is False


def test_blobs_are_listed_by_prefix_in_order_and_in_pages(evidence: ContainerClient):
    for name in ("b/2", "a/1", "b/1", "b/10", "c"):
        evidence.upload_blob(name, name.encode(), metadata={"n": name})

    listed = list(
        evidence.list_blobs(name_starts_with="b/", results_per_page=2, include=["metadata"])
    )

    assert [blob.name for blob in listed] == ["b/1", "b/10", "b/2"]
    assert [blob.metadata for blob in listed] == [{"n": "b/1"}, {"n": "b/10"}, {"n": "b/2"}]
    assert [blob.size for blob in listed] == [3, 4, 3]


def test_a_delimiter_folds_names_into_prefixes(evidence: ContainerClient):
    for name in ("a/1", "a/2", "b", "c/1"):
        evidence.upload_blob(name, b"")

    assert [entry.name for entry in evidence.walk_blobs(results_per_page=1)] == ["a/", "b", "c/"]


def test_a_deleted_blob_is_gone(evidence: ContainerClient):
    evidence.upload_blob("x", b"1")
    evidence.delete_blob("x")

    assert list(evidence.list_blob_names()) == []
    with pytest.raises(ResourceNotFoundError):
        evidence.delete_blob("x")


def test_an_immutable_blob_can_be_neither_changed_nor_removed_until_its_time_is_over(
    world: World, blobs: BlobServiceClient
):
    account = world.storage.account("ledger")
    account.create_container("worm", immutable_for=timedelta(days=365))
    worm = blobs.get_container_client("worm")
    worm.upload_blob("1", b"kept")
    with pytest.raises(HttpResponseError) as overwritten:
        worm.upload_blob("1", b"forged", overwrite=True)
    with pytest.raises(HttpResponseError) as deleted:
        worm.delete_blob("1")
    with pytest.raises(HttpResponseError) as removed:
        worm.delete_container()
    kept = worm.download_blob("1").readall()
    world.clock.advance(timedelta(days=365))
    worm.delete_blob("1")

    assert kept == b"kept"
    for refused in (overwritten, deleted, removed):
        assert refused.value.status_code == 409
        assert refused.value.error_code == "BlobImmutableDueToPolicy"


def test_containers_are_listed_and_their_names_are_free_again_only_later(
    world: World, blobs: BlobServiceClient, evidence: ContainerClient
):
    with pytest.raises(ResourceExistsError) as twice:
        blobs.create_container("evidence")
    names = [container.name for container in blobs.list_containers()]
    blobs.delete_container("evidence")
    with pytest.raises(ResourceExistsError) as too_soon:
        blobs.create_container("evidence")
    world.clock.advance(timedelta(seconds=30))
    blobs.create_container("evidence")

    assert twice.value.error_code == "ContainerAlreadyExists"
    assert names == ["evidence"]
    assert too_soon.value.error_code == "ContainerBeingDeleted"


def test_a_damaged_upload_is_refused(world: World):
    world.storage.create_account("ledger").create_container("evidence")
    headers = {
        "Authorization": "Bearer t",
        "x-ms-blob-type": "BlockBlob",
        "Content-MD5": "AAAAAAAAAAAAAAAAAAAAAA==",
    }
    request = HttpRequest("PUT", f"{BLOBS}/evidence/x", headers, data=b"1")

    answer = SimTransport(world).send(request)

    assert (answer.status_code, answer.headers["x-ms-error-code"]) == (400, "Md5Mismatch")


def test_a_refusal_for_want_of_a_token_is_an_authentication_error(world: World):
    world.storage.create_account("ledger").create_container("evidence")
    anonymous = ContainerClient(BLOBS, "evidence", transport=SimTransport(world))

    with pytest.raises(ClientAuthenticationError):
        anonymous.get_container_properties()
