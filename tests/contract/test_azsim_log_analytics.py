"""Log Analytics through its real client: what is in a workspace, since when, and in which words."""

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError
from azure.monitor.query import LogsQueryClient, LogsQueryPartialResult, LogsQueryResult

from azsim.log_analytics import Setting, Workspace
from azsim.recovery.known_failures import known_codes
from azsim.transport import SimTransport
from azsim.vaults import Vault
from azsim.world import World
from tests.contract.arm_calls import SUBSCRIPTION, ask, code
from tests.credentials import StaticCredential

JOBS = "AddonAzureBackupJobs | where JobOperation == 'Backup'"
NOW = timedelta()


@dataclass
class Stand:
    """A world with one protected VM, one vault and one workspace, and the SDK to ask it with."""

    world: World
    vault: Vault = field(init=False)
    workspace: Workspace = field(init=False)
    vm: str = field(init=False)

    def __post_init__(self) -> None:
        self.world.groups.add_subscription(SUBSCRIPTION)
        self.vault = self.world.vaults.create(SUBSCRIPTION, "rg", "rsv", "westeurope")
        self.vm = self.protect("web", self.vault)
        self.workspace = self.world.logs.add_workspace(SUBSCRIPTION, "rg", "law")
        self.world.logs.doubts.rows_repeated = 0

    def protect(self, name: str, vault: Vault) -> str:
        vm = self.world.machines.create(
            subscription=SUBSCRIPTION, group="rg", name=name, location=vault.location
        )
        self.world.vaults.protect(vm.id, vault)
        return vm.id

    def connect(self, **how: Any) -> Setting:
        return self.world.logs.connect(self.vault, self.workspace, **{"first_push": NOW, **how})

    def pass_days(self, days: float) -> None:
        self.world.clock.advance(timedelta(days=days))

    def client(self) -> LogsQueryClient:
        return LogsQueryClient(StaticCredential(), transport=SimTransport(self.world))

    def rows(self, query: str, **how: Any) -> list[dict[str, Any]]:
        how = {"timespan": None, **how}
        result = self.client().query_workspace(self.workspace.customer_id, query, **how)
        assert isinstance(result, LogsQueryResult)
        table = result.tables[0]
        return [dict(zip(table.columns, row, strict=True)) for row in table.rows]

    def refusal(self, query: str, **how: Any) -> HttpResponseError:
        with pytest.raises(HttpResponseError) as refused:
            self.rows(query, **how)
        return refused.value

    def said(self) -> dict[str, Any]:
        """Return the error of the latest answer."""
        error: dict[str, Any] = self.world.exchanges[-1].response.body["error"]  # type: ignore[index,call-overload]
        return error


@pytest.fixture
def stand(world: World) -> Stand:
    return Stand(world)


# What is in the log.


def test_every_job_of_the_vault_stands_in_the_log_once(stand: Stand) -> None:
    stand.connect()
    stand.pass_days(5)
    vault = {job.id for job in stand.vault.book.newest_first()}

    logged = [row["JobUniqueId"] for row in stand.rows("AddonAzureBackupJobs")]

    assert len(logged) == len(set(logged)) == 5
    assert set(logged) == vault


def test_a_failed_job_has_its_symbolic_code_in_the_log_and_a_number_in_its_details(
    stand: Stand,
) -> None:
    stand.world.vaults.doubts.job_error_title_is_code = False
    stand.world.vaults.fail_backups(stand.vm, "UserErrorFsFreezeFailed")
    stand.connect()
    stand.pass_days(2)

    failed = stand.rows(f"{JOBS} | where JobStatus == 'Failed'")
    job = ask(stand.world, "GET", f"{stand.vault.id}/backupJobs/{failed[0]['JobUniqueId']}").body

    assert [row["JobFailureCode"] for row in failed] == ["UserErrorFsFreezeFailed"]
    details = job["properties"]["errorDetails"]  # type: ignore[index,call-overload]
    assert [type(detail["errorCode"]) for detail in details] == [int]
    assert "UserErrorFsFreezeFailed" not in json.dumps(job)


@pytest.mark.parametrize("failure", known_codes())
def test_every_known_failure_can_be_asked_for_by_its_code(failure: str) -> None:
    stand = Stand(World(seed=1))
    stand.connect()
    stand.world.vaults.fail_backups(stand.vm, failure, times=3)
    stand.pass_days(5)

    rows = stand.rows(f"{JOBS} | order by JobStartDateTime asc | project JobFailureCode")

    assert [row["JobFailureCode"] for row in rows] == [failure] * 3 + ["Success"] * 2


def test_an_outage_fails_every_backup_of_one_vault_while_it_lasts(stand: Stand) -> None:
    other = stand.world.vaults.create(SUBSCRIPTION, "rg", "other", "westeurope")
    stand.protect("db", stand.vault)
    stand.protect("far", other)
    stand.world.logs.connect(other, stand.workspace, first_push=NOW)
    stand.connect()
    began = stand.world.clock.now()
    stand.world.vaults.fail_vault(
        stand.vault, "CloudInternalError", since=began, until=began + timedelta(days=1)
    )
    stand.pass_days(2)

    failed = stand.rows(f"{JOBS} | where JobStatus == 'Failed' | distinct BackupItemFriendlyName")

    assert {row["BackupItemFriendlyName"] for row in failed} == {"web", "db"}


def test_a_halted_schedule_leaves_neither_job_nor_point(stand: Stand) -> None:
    stand.connect()
    began = stand.world.clock.now()
    stand.world.vaults.halt_schedule(stand.vm, since=began, until=began + timedelta(days=3))
    stand.pass_days(5)

    rows = stand.rows(JOBS)

    assert len(rows) == 2
    assert min(row["JobStartDateTime"] for row in rows) > began + timedelta(days=3)


def test_once_a_day_the_log_tells_of_items_and_their_policies(stand: Stand) -> None:
    stand.connect()
    stand.pass_days(3.5)

    items = stand.rows("CoreAzureBackup | where OperationName == 'BackupItem'")
    pairs = stand.rows("CoreAzureBackup | where OperationName == 'BackupItemAssociation'")
    policies = stand.rows("AddonAzureBackupPolicy | where PolicyName == 'DefaultPolicy'")
    counted = stand.rows(
        "AddonAzureBackupProtectedInstance | summarize sum(ProtectedInstanceCount)"
    )

    assert [len(items), len(pairs), len(policies)] == [4, 4, 4]
    assert {row["BackupItemProtectionState"] for row in items} == {"IRPending", "Protected"}
    assert {row["PolicyUniqueId"] for row in pairs} == {row["PolicyUniqueId"] for row in policies}
    assert list(counted[0].values()) == [4]


def test_a_vault_without_a_setting_tells_nothing(stand: Stand) -> None:
    stand.pass_days(3)

    assert stand.rows("AddonAzureBackupJobs") == []
    assert stand.rows("CoreAzureBackup") == []


def test_jobs_from_before_the_setting_are_never_told(stand: Stand) -> None:
    stand.pass_days(3)
    stand.connect()
    connected = stand.world.clock.now()
    stand.pass_days(2)

    assert min(row["JobStartDateTime"] for row in stand.rows(JOBS)) > connected


def test_a_setting_that_is_not_resource_specific_fills_no_table(stand: Stand) -> None:
    stand.connect(dedicated=False)
    stand.pass_days(3)

    assert stand.rows("AddonAzureBackupJobs") == []


# When it is there.


def arrivals(stand: Stand) -> list[tuple[datetime, datetime, datetime]]:
    rows = stand.rows(
        f"{JOBS} | project ended = datetime_add('second', toint(JobDurationInSecs), "
        "JobStartDateTime), ingested = ingestion_time(), received = _TimeReceived"
    )
    return [(row["ended"], row["received"], row["ingested"]) for row in rows]


def test_a_job_is_told_twenty_to_thirty_minutes_after_it_has_ended(stand: Stand) -> None:
    stand.connect()
    stand.pass_days(20)

    delays = [ingested - ended for ended, _, ingested in arrivals(stand)]

    assert len(delays) == 20
    assert min(delays) >= timedelta(minutes=20)
    assert max(delays) <= timedelta(minutes=30, seconds=2)


def test_what_was_received_is_ingested_later(stand: Stand) -> None:
    stand.connect()
    stand.pass_days(5)

    assert all(ended <= received < ingested for ended, received, ingested in arrivals(stand))


def test_no_query_finds_a_row_before_it_was_ingested(stand: Stand) -> None:
    stand.connect()
    stand.pass_days(1)
    for _ in range(60):
        stand.world.clock.advance(timedelta(minutes=10))
        late = stand.rows("AddonAzureBackupJobs | where ingestion_time() > now()")
        assert late == []


def test_the_first_day_of_a_vault_is_told_late(stand: Stand) -> None:
    setting = stand.connect(first_push=timedelta(hours=22))
    stand.pass_days(0.9)
    before = stand.rows(JOBS)
    stand.pass_days(0.2)
    first = stand.rows(JOBS)

    assert before == []
    assert [row["TimeGenerated"] for row in first] == [setting.first_push]
    assert first[0]["JobStartDateTime"] < setting.first_push


def test_the_first_push_comes_within_a_day() -> None:
    worlds = [Stand(World(seed=seed)) for seed in range(30)]
    settings = [stand.connect(first_push=None) for stand in worlds]

    waits = [setting.first_push - setting.since for setting in settings]

    assert timedelta(hours=1) <= min(waits) <= max(waits) <= timedelta(hours=24)


def test_a_log_can_be_late_by_more_than_a_day(stand: Stand) -> None:
    stand.connect()
    began = stand.world.clock.now()
    stand.world.logs.delay(timedelta(hours=26), since=began, until=began + timedelta(days=1))
    stand.pass_days(1)
    before = stand.rows(JOBS)
    stand.pass_days(1)
    stand.world.clock.advance(timedelta(hours=6))

    assert before == []
    assert len(stand.rows(f"{JOBS} | where TimeGenerated < datetime({began:%Y-%m-%d})+1d")) == 1


def test_a_watermark_on_ingestion_meets_every_job_and_one_on_the_event_misses_some(
    stand: Stand,
) -> None:
    stand.connect(first_push=timedelta(hours=20))
    began = stand.world.clock.now()
    stand.world.logs.delay(timedelta(hours=30), since=began, until=began + timedelta(days=2))
    by_ingestion: set[str] = set()
    by_event: set[str] = set()
    last = began
    for _ in range(2 * 24 * 4):
        stand.world.clock.advance(timedelta(minutes=30))
        bound = f"datetime({(last - timedelta(minutes=5)).isoformat()})"
        by_ingestion |= {
            r["JobUniqueId"] for r in stand.rows(f"{JOBS} | where ingestion_time() > {bound}")
        }
        by_event |= {
            r["JobUniqueId"] for r in stand.rows(f"{JOBS} | where TimeGenerated > {bound} - 1h")
        }
        last = stand.world.clock.now()

    ended = {
        job.id for job in stand.vault.book.newest_first() if job.ended(last - timedelta(hours=1))
    }
    assert by_ingestion >= ended
    assert by_event < by_ingestion


def test_some_rows_come_twice(stand: Stand) -> None:
    stand.world.logs.doubts.rows_repeated = 1.0
    stand.connect()
    stand.pass_days(3)

    twice = stand.rows(f"{JOBS} | summarize count() by JobUniqueId")
    once = stand.rows(f"{JOBS} | summarize arg_max(TimeGenerated, *) by JobUniqueId")

    assert {row["count_"] for row in twice} == {2}
    assert len(once) == len(twice)


def test_who_looks_when_changes_nothing() -> None:
    often, once = Stand(World(seed=5)), Stand(World(seed=5))
    often.connect()
    once.connect()
    for _ in range(40):
        often.rows("AddonAzureBackupJobs")
        often.pass_days(0.1)
    once.pass_days(4)
    ask_for = (
        f"{JOBS} | project JobUniqueId, TimeGenerated, at = ingestion_time() | order by at asc"
    )

    assert often.rows(ask_for)[:3] == once.rows(ask_for)[:3]


# How it is asked.


def test_the_timespan_bounds_what_the_query_sees(stand: Stand) -> None:
    stand.connect()
    began = stand.world.clock.now()
    stand.pass_days(6)
    day = timedelta(days=1)

    assert len(stand.rows(JOBS, timespan=2 * day)) == 2
    assert len(stand.rows(JOBS, timespan=(began, began + day))) == 1
    assert len(stand.rows(JOBS, timespan=(began, 3 * day))) == 3


def test_several_workspaces_are_asked_at_once(stand: Stand) -> None:
    second = stand.world.logs.add_workspace(SUBSCRIPTION, "rg", "second")
    far = stand.world.vaults.create(SUBSCRIPTION, "rg", "far", "northeurope")
    stand.protect("far", far)
    stand.connect()
    stand.world.logs.connect(far, second, first_push=NOW)
    stand.pass_days(2)
    count = f"{JOBS} | summarize count() by TenantId"

    both = stand.rows(count, additional_workspaces=[second.customer_id])
    by_name = stand.rows(count, additional_workspaces=["second"])
    by_id = stand.rows(count, additional_workspaces=[second.id])

    assert {row["TenantId"] for row in both} == {stand.workspace.customer_id, second.customer_id}
    assert by_name == both
    assert by_id == both
    assert len(stand.rows(count)) == 1


def test_a_vault_s_own_rows_can_be_asked_for_without_knowing_the_workspace(stand: Stand) -> None:
    other = stand.world.vaults.create(SUBSCRIPTION, "rg", "other", "westeurope")
    stand.protect("db", other)
    stand.connect()
    stand.world.logs.connect(other, stand.workspace, first_push=NOW)
    stand.pass_days(2)

    result = stand.client().query_resource(stand.vault.id, JOBS, timespan=None)

    assert isinstance(result, LogsQueryResult)
    names = {row["BackupItemFriendlyName"] for row in result.tables[0].rows}
    assert names == {"web"}


def test_columns_have_their_documented_types_and_no_text_is_null(stand: Stand) -> None:
    stand.connect()
    stand.pass_days(2)

    result = stand.client().query_workspace(
        stand.workspace.customer_id, "AddonAzureBackupJobs | take 1", timespan=None
    )

    assert isinstance(result, LogsQueryResult)
    table = result.tables[0]
    types = dict(zip(table.columns, table.columns_types, strict=True))
    texts = [table.rows[0][name] for name, kind in types.items() if kind == "string"]
    assert table.name == "PrimaryResult"
    assert (types["TimeGenerated"], types["JobDurationInSecs"]) == ("datetime", "real")
    assert types["ExtendedProperties"] == "dynamic"
    assert not [name for name in types if "ingest" in name]
    assert None not in texts


def test_a_limit_of_time_is_taken(stand: Stand) -> None:
    assert stand.rows("AddonAzureBackupJobs", server_timeout=30) == []


def test_more_rows_than_allowed_are_a_partial_answer(stand: Stand) -> None:
    stand.world.logs.limits.rows = 2
    stand.connect()
    stand.pass_days(5)

    result = stand.client().query_workspace(stand.workspace.customer_id, JOBS, timespan=None)

    assert isinstance(result, LogsQueryPartialResult)
    assert len(result.partial_data[0].rows) == 2
    assert result.partial_error is not None
    assert result.partial_error.code == "PartialError"


# What it refuses.


def test_a_query_that_cannot_be_parsed_is_refused_at_its_place(stand: Stand) -> None:
    stand.refusal("AddonAzureBackupJobs\n| wher JobStatus == 'Failed'")

    error = stand.said()
    reason = error["innererror"]["innererror"]
    assert (error["code"], error["innererror"]["code"]) == ("BadArgumentError", "SyntaxError")
    assert (reason["code"], reason["line"], reason["pos"]) == ("SYN0002", 2, 2)
    assert reason["message"] == "Query could not be parsed at 'wher' on line [2,2]"


@pytest.mark.parametrize(
    ("query", "message"),
    [
        (
            "AddonAzureBackupJobs | where Nope == 1",
            "'where' operator: Failed to resolve column or scalar expression named 'Nope'",
        ),
        (
            "AddonAzureBackupJob | take 1",
            "'take' operator: Failed to resolve table or column expression named "
            "'AddonAzureBackupJob'",
        ),
    ],
)
def test_a_name_that_is_not_there_is_refused_by_name(
    stand: Stand, query: str, message: str
) -> None:
    refused = stand.refusal(query)

    error = stand.said()
    assert refused.status_code == 400
    assert error["innererror"]["code"] == "SemanticError"
    assert error["innererror"]["innererror"] == {"code": "SEM0100", "message": message}


def test_a_table_that_was_never_written_may_be_unknown(stand: Stand) -> None:
    stand.world.logs.doubts.tables_before_first_row = False

    stand.refusal("AddonAzureBackupJobs")

    assert stand.said()["innererror"]["code"] == "SemanticError"


def test_a_workspace_that_is_not_there_is_a_path_that_does_not_exist(stand: Stand) -> None:
    with pytest.raises(HttpResponseError) as refused:
        stand.client().query_workspace("nobody", JOBS, timespan=None)

    assert refused.value.status_code == 404
    assert stand.said()["code"] == "PathNotFoundError"


def test_a_token_for_somebody_else_opens_nothing(stand: Stand) -> None:
    token, _ = stand.world.identity.token(
        stand.world.identity.system, "https://management.azure.com/"
    )
    client = LogsQueryClient(StaticCredential(token), transport=SimTransport(stand.world))

    with pytest.raises(HttpResponseError) as refused:  # The SDK turns its own 401 into this.
        client.query_workspace(stand.workspace.customer_id, JOBS, timespan=None)

    assert refused.value.status_code == 401
    assert stand.said()["code"] == "InvalidTokenError"


def test_a_token_for_log_analytics_opens_it(stand: Stand) -> None:
    token, _ = stand.world.identity.token(
        stand.world.identity.system, "https://api.loganalytics.io"
    )
    client = LogsQueryClient(StaticCredential(token), transport=SimTransport(stand.world))

    assert client.query_workspace(stand.workspace.customer_id, JOBS, timespan=None)


def test_too_many_queries_are_told_to_wait(stand: Stand) -> None:
    stand.world.logs.limits.queries = 3
    for _ in range(3):
        stand.rows(JOBS)
    client = LogsQueryClient(StaticCredential(), transport=SimTransport(stand.world), retry_total=0)

    with pytest.raises(HttpResponseError) as refused:
        client.query_workspace(stand.workspace.customer_id, JOBS, timespan=None)

    assert refused.value.status_code == 429
    assert refused.value.response is not None
    assert int(refused.value.response.headers["Retry-After"]) <= 30
    stand.world.clock.advance(timedelta(seconds=30))
    assert stand.rows(JOBS) == []


@pytest.mark.asks_in_vain
@pytest.mark.parametrize(
    "query",
    [
        "AzureDiagnostics | take 1",
        "AddonAzureBackupJobs | evaluate bag_unpack(ExtendedProperties)",
        "AddonAzureBackupJobs | project ingestion_time()",
        "AddonAzureBackupJobs | project JobStatus | where ingestion_time() > ago(1h)",
    ],
)
def test_what_azsim_cannot_answer_it_does_not_guess(stand: Stand, query: str) -> None:
    assert stand.refusal(query).status_code == 501


# Diagnostic settings.

SETTINGS = "/providers/Microsoft.Insights/diagnosticSettings"


def test_a_diagnostic_setting_is_made_read_and_removed_on_arm(stand: Stand) -> None:
    path = f"{stand.vault.id}{SETTINGS}/to-law"
    properties = {
        "workspaceId": stand.workspace.id,
        "logAnalyticsDestinationType": "Dedicated",
        "logs": [{"category": "AddonAzureBackupJobs", "enabled": True}],
    }

    made = ask(stand.world, "PUT", path, {"properties": properties})
    read = ask(stand.world, "GET", path)
    stand.pass_days(3)
    rows = stand.rows(JOBS), stand.rows("CoreAzureBackup")
    removed = ask(stand.world, "DELETE", path)
    gone = ask(stand.world, "GET", path)

    assert made.body == read.body
    assert read.body["properties"] == properties  # type: ignore[index,call-overload]
    assert [len(found) > 0 for found in rows] == [True, False]
    assert (removed.status, gone.status, code(gone)) == (200, 404, "ResourceNotFound")


def test_a_vault_lists_its_diagnostic_settings(stand: Stand) -> None:
    stand.connect(name="one")
    stand.connect(name="two")

    listed = ask(stand.world, "GET", f"{stand.vault.id}{SETTINGS}").body

    assert [entry["name"] for entry in listed["value"]] == ["one", "two"]  # type: ignore[index,call-overload]


def test_a_setting_to_a_workspace_that_is_not_there_is_refused(stand: Stand) -> None:
    properties = {"workspaceId": f"{stand.workspace.id}-not", "logs": []}

    answer = ask(stand.world, "PUT", f"{stand.vault.id}{SETTINGS}/x", {"properties": properties})

    assert (answer.status, code(answer)) == (400, "BadRequest")
