import hashlib
from datetime import date, time, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from vmbackup_core.domain.drill.cost import Prices
from vmbackup_core.domain.drill.facts import GuestCheck
from vmbackup_core.domain.drill.points import Strategy
from vmbackup_core.domain.drill.rules import CheckRule, Dates, DrillRules, Tier
from vmbackup_core.domain.drill.rungs import Rung
from vmbackup_core.domain.errors import Malformed
from vmbackup_core.domain.ids import VaultId
from vmbackup_core.domain.policies import PolicyKind, PolicySpec, Retention
from vmbackup_core.domain.rules import Mode, OnSoftDeleted, OnStopped, Rule, Rules, Scope
from vmbackup_core.domain.schedules import Daily, DayOfYear, Hourly, Month, NthWeekday, Week, Weekly
from vmbackup_core.domain.schedules import Weekday as Day
from vmbackup_core.domain.telling.mail_rules import MailRules, RpoRule
from vmbackup_core.domain.telling.maintenance import Maintenance
from vmbackup_core.domain.telling.routing import Route, Routing, Selector
from vmbackup_core.domain.telling.tellings import Folding, Rhythm
from vmbackup_core.domain.vaults import UseVault, VaultNaming
from vmbackup_core.settings import (
    Cloud,
    Deployment,
    Limits,
    Protect,
    Settings,
    SettingsError,
    load,
    read_deployment,
    system_environment,
)
from vmbackup_core.settings.drilling import MOST_SCRIPTS
from vmbackup_core.settings.words import parse_blackout, parse_time_zone

ROOT = Path(__file__).parents[2]
BROKEN = sorted((Path(__file__).parent / "broken_settings").glob("*.toml"))
LOCAL = {"VMBACKUP_STATE_DIR": "state"}
ONE, TWO = "00000000-0000-0000-0000-000000000001", "00000000-0000-0000-0000-000000000002"
EACH_KIND = (Strategy.LATEST, Strategy.VAULT, Strategy.RANDOM, Strategy.OLDEST)
SMALLEST = f"""
[scope]
subscriptions = ["{ONE}"]
[[rules]]
tag = "*"
policy = "gold"
[policies.gold]
schedule = "daily at 22:00"
keep.daily = 30
"""


def faults_of(text, environment=LOCAL):
    with pytest.raises(SettingsError) as caught:
        load(text, environment, source="vmbackup.toml")
    return [str(fault) for fault in caught.value.faults]


def expected_faults(text):
    mark = "# expect: "
    return [line.removeprefix(mark) for line in text.splitlines() if line.startswith(mark)]


def policy(text):
    head, _, _ = SMALLEST.partition("[policies.gold]")
    settings = load(f"{head}[policies.gold]\n{text}", LOCAL, source="vmbackup.toml")
    return settings.policies[0]


@pytest.mark.parametrize("path", BROKEN, ids=[path.stem for path in BROKEN])
def test_a_broken_file_is_told_all_its_faults_with_key_line_and_suggestion(path):
    text = path.read_text()

    assert faults_of(text) == expected_faults(text)


def test_there_are_enough_broken_files_to_mean_something():
    assert len(BROKEN) >= 60


def test_the_shipped_example_protects_nothing_and_creates_no_vault():
    settings = load((ROOT / "vmbackup.toml").read_bytes(), LOCAL, source="vmbackup.toml")

    assert {settings.rules.scope.mode_of(one) for one in (ONE, TWO)} == {Mode.OBSERVE}
    assert not settings.vaults.create


def test_the_commented_example_means_what_its_comments_say():
    raw = (ROOT / "vmbackup.toml").read_bytes()

    settings = load(raw, LOCAL, source="vmbackup.toml")

    assert settings == Settings(
        rules=Rules(
            Scope(
                subscriptions=(ONE, TWO),
                mode=Mode.OBSERVE,
                exclude_resource_groups=("*-sandbox",),
                drill_resource_groups=("vmbackup-drill-*",),
            ),
            tag_name="backup",
            opt_out=("off", "none"),
            rules=(
                Rule("gold", ("gold",)),
                Rule("standard", ("silver", "bronze"), locations=("westeurope", "northeurope")),
                Rule("standard", (), (("env", "prod"),), ("rg-prod-*",)),
            ),
        ),
        policies=(
            PolicySpec(
                "gold",
                PolicyKind.ENHANCED,
                Hourly(timedelta(hours=4), time(6), timedelta(hours=12)),
                Retention(30, 12, 12, 3, snapshot_days=7),
            ),
            PolicySpec(
                "standard",
                PolicyKind.STANDARD,
                Daily(time(22)),
                Retention(14, 4, snapshot_days=2),
                "W. Europe Standard Time",
            ),
        ),
        vaults=VaultNaming(
            "rsv-{subscription}-{region}-{n}",
            "rg-backup-{region}",
            create=False,
            redundancy="GeoRedundant",
            use=(UseVault(TWO, "northeurope", VaultId(TWO, "rg-shared", "rsv-shared-ne")),),
            vms_per_vault=1000,
        ),
        limits=Limits(50, None, 20, 1000, 1000),
        protect=Protect(OnStopped.REPORT, OnSoftDeleted.REPORT, timedelta(hours=2)),
        drills=DrillRules(
            tiers=(
                Tier(
                    "gold",
                    timedelta(days=30),
                    EACH_KIND,
                    ("gold",),
                    rpo=timedelta(hours=24),
                    rto=timedelta(hours=4),
                    rung=Rung.CHECKS,
                ),
                Tier("rest", timedelta(days=90), (Strategy.LATEST, Strategy.VAULT)),
            ),
            begins=time(1),
            lasts=timedelta(hours=6),
            takes=timedelta(hours=2),
            per_night=10,
            at_once=2,
            failed_again=timedelta(days=2),
            blackout=(Day.SATURDAY, Dates(date(2030, 12, 20), date(2031, 1, 6))),
            power_on=timedelta(hours=1),
            sizes=("Standard_B2s_v2", "Standard_D2s_v5"),
            cost_per_night=Decimal(20),
            prices=Prices(Decimal("0.06"), Decimal("0.12"), "EUR"),
            checks=(
                CheckRule(
                    GuestCheck(
                        "local-file-systems",
                        "Linux",
                        "systemctl is-active --quiet local-fs.target",
                    )
                ),
                CheckRule(
                    GuestCheck(
                        "system-drive",
                        "Windows",
                        "exit [int]((Get-Volume -DriveLetter C).HealthStatus -ne 'Healthy')",
                    )
                ),
                CheckRule(
                    GuestCheck(
                        "database",
                        "Linux",
                        "set -eu\n"
                        "systemctl is-active --quiet postgresql\n"
                        "su postgres -c "
                        "'psql --quiet --command \"select count(*) from orders\"'\n",
                        timedelta(minutes=10),
                    ),
                    (("role", "orders-db*"),),
                ),
            ),
        ),
        mail=MailRules(
            Routing(
                ("backup-operators@example.com",),
                ("head-of-operations@example.com",),
                (Route(Selector((("role", "*-db"),)), ("databases@example.com",)),),
                domains=("example.com",),
            ),
            Rhythm(timedelta(days=1), timedelta(days=3)),
            Folding(),
            owner_digest=Weekly(frozenset({Day.MONDAY}), time(7)),
            alive_at=time(7),
            rpos=(RpoRule(Selector(policies=("gold",)), timedelta(days=1)),),
            maintenance=(
                Maintenance(
                    "patch-night",
                    (Day.SUNDAY,),
                    time(1),
                    timedelta(hours=4),
                    Selector(groups=("rg-prod-*",)),
                ),
            ),
        ),
        deployment=read_deployment(LOCAL),
        source="vmbackup.toml",
        digest=settings.digest,
    )


def test_what_is_left_out_is_safe():
    settings = load(SMALLEST, LOCAL, source="vmbackup.toml")

    assert settings.rules.scope.mode is Mode.OBSERVE
    assert settings.vaults.create is False
    assert settings.rules.on_stopped is OnStopped.REPORT
    assert settings.rules.on_soft_deleted is OnSoftDeleted.REPORT
    assert settings.rules.scope.drill_resource_groups == ("vmbackup-drill-*",)
    assert settings.drills is None
    assert settings.mail is None


def test_mails_are_rare_and_late_enough_to_matter_unless_something_else_is_asked_for():
    settings = load(f'{SMALLEST}\n[mail]\nto = "ops@example.com"', LOCAL, source="vmbackup.toml")

    assert settings.mail == MailRules(
        Routing(("ops@example.com",)),
        Rhythm(timedelta(days=1), timedelta(days=3)),
        Folding(5, timedelta(hours=12), timedelta(minutes=30)),
        owner_digest=Weekly(frozenset({Day.MONDAY}), time(7)),
        alive_at=time(7),
    )


def test_reminders_and_digests_can_be_left_out():
    text = '[mail]\nto = "ops@example.com"\nremind_every = "never"\nowner_digest = "never"'

    settings = load(f"{SMALLEST}\n{text}", LOCAL, source="vmbackup.toml")

    assert settings.mail.rhythm.remind_every is None
    assert settings.mail.owner_digest is None


def test_the_digest_is_that_of_the_files_very_bytes():
    raw = b"\xef\xbb\xbf" + SMALLEST.encode()

    settings = load(raw, LOCAL, source="vmbackup.toml")

    assert settings.digest == hashlib.sha256(raw).hexdigest()


def test_text_and_bytes_mean_the_same():
    as_text = load(SMALLEST, LOCAL, source="x")

    assert load(SMALLEST.encode(), LOCAL, source="x") == as_text


def test_line_ends_of_another_system_change_no_meaning():
    settings = load(SMALLEST.replace("\n", "\r\n"), LOCAL, source="x")

    assert settings.policies == load(SMALLEST, LOCAL, source="x").policies


def test_a_file_in_another_encoding_is_told_where_it_goes_wrong():
    assert faults_of(SMALLEST.encode() + 'x = "ü"'.encode("latin-1")) == [
        "line 10: encoding: is not UTF-8 (save the file as UTF-8)"
    ]


def test_a_number_beyond_all_reason_is_a_fault_and_no_crash():
    assert len(faults_of(f"x = {'9' * 5000}")) == 1


def test_a_text_nested_beyond_all_reason_is_a_fault_and_no_crash():
    assert faults_of("x = " + "[" * 50_000) == ["TOML: is nested too deeply"]


def test_faults_of_the_file_and_of_the_environment_are_told_together():
    assert faults_of("x = 1", {"VMBACKUP_STATE_DIR": "state", "VMBACKUP_CLOUD": "germany"})[0] == (
        'VMBACKUP_CLOUD: "germany" is no cloud (known: public, usgov, china)'
    )
    assert len(faults_of("x = 1", {})) == 5


def test_the_error_says_how_many_faults_there_are_and_in_which_file():
    with pytest.raises(Malformed, match=r"^here\.toml: 2 faults\n  line 1: x: unknown key"):
        load("x = 1\n" + SMALLEST + "weekly = 3", LOCAL, source="here.toml")


def test_ids_are_lower_cased_wherever_they_stand():
    text = SMALLEST.replace(ONE, "ABCDEF00-0000-0000-0000-000000000001")

    settings = load(text, LOCAL, source="x")

    assert settings.rules.scope.subscriptions == ("abcdef00-0000-0000-0000-000000000001",)


def test_a_vault_may_be_named_by_its_whole_id():
    vault = f"/subscriptions/{ONE}/resourceGroups/RG/providers/Microsoft.RecoveryServices/vaults/V1"
    text = f'{SMALLEST}[vaults.use."{ONE}"]\nWestEurope = "{vault}"\n'

    settings = load(text, LOCAL, source="x")

    assert settings.vaults.use == (UseVault(ONE, "westeurope", VaultId(ONE, "rg", "v1")),)


def test_a_rule_may_ask_for_restored_copies_too():
    text = SMALLEST.replace('tag = "*"', "restored_copies = true")

    assert load(text, LOCAL, source="x").rules.rules == (Rule("gold", restored_copies=True),)


def test_management_groups_say_which_subscriptions_there_are():
    text = SMALLEST.replace(f'subscriptions = ["{ONE}"]', 'management_groups = ["mg-prod"]')

    assert load(text, LOCAL, source="x").rules.scope.management_groups == ("mg-prod",)


def test_a_tier_may_ask_for_a_latest_point_that_is_not_too_old():
    tier = """
    [[drills.tiers]]
    name = "fresh"
    policies = "g*"
    max_age = "2 weeks"
    strategies = ["latest-within-rpo"]
    rpo = "26 hours"
    """

    settings = load(SMALLEST + tier, LOCAL, source="x")

    assert settings.drills.tiers == (
        Tier(
            "fresh",
            timedelta(days=14),
            (Strategy.LATEST_WITHIN_RPO,),
            policies=("g*",),
            rpo=timedelta(hours=26),
        ),
    )


def drills_with(lines):
    tier = '[[drills.tiers]]\nname = "all"\nmax_age = "30 days"\n'
    return load(f"{SMALLEST}\n[drills]\n{lines}\n{tier}", LOCAL, source="x").drills


def test_controls_can_be_left_out_for_good():
    assert drills_with('control_every = "never"').control_every is None
    assert drills_with('control_every = "2 weeks"').control_every == timedelta(days=14)


def test_prices_are_read_exactly_as_they_are_written():
    prices = 'prices = { currency = "CHF", per_vcpu_hour = 0.1, per_gb_month = 0 }'

    found = drills_with(prices)

    assert found.prices == Prices(Decimal("0.1"), Decimal(0), "CHF")
    assert found.cost_per_night is None


def test_shares_become_shares():
    found = drills_with('memory_share = "25 %"\nfree_quota = "0 %"')

    assert (found.memory_share, found.free_quota) == (0.25, 0.0)


def test_a_script_that_is_too_long_for_a_check_is_refused():
    check = f'checks = [{{ name = "up", os = "linux", script = "{"x" * 16_385}" }}]'

    with pytest.raises(SettingsError, match=r"script: is too long \(up to 16 KB"):
        drills_with(check)


def with_scripts(last: int) -> str:
    """Return twelve checks with scripts as long as one may be, and one of `last` characters."""
    lengths = (*[16_384] * 12, last)
    checks = (
        f'{{ name = "check-{number}", os = "linux", script = "{"x" * length}" }}'
        for number, length in enumerate(lengths)
    )
    return f"checks = [{', '.join(checks)}]"


def test_scripts_may_be_so_long_together_and_no_longer():
    together = 12 * (16_384 + 2)
    fits = MOST_SCRIPTS - together - 2

    assert len(drills_with(with_scripts(fits)).checks) == 13
    with pytest.raises(SettingsError, match=r"checks: have scripts of 200,001 characters together"):
        drills_with(with_scripts(fits + 1))


def test_a_failed_copy_may_be_kept_for_hours():
    assert drills_with('keep_failed = "4 hours"').keep_failed == timedelta(hours=4)
    assert drills_with("").keep_failed == timedelta(0)


def test_a_blackout_may_be_a_single_date():
    assert parse_blackout("2030-12-24") == Dates(date(2030, 12, 24), date(2030, 12, 24))


def test_a_weekly_schedule_keeps_the_backups_of_all_its_days():
    weekly = policy(
        'schedule = "weekly on monday, Wednesday and FRIDAY at 06:30"\n'
        'keep = { weekly = 8, monthly = 6, day = "Friday" }'
    )

    days = frozenset({Day.MONDAY, Day.WEDNESDAY, Day.FRIDAY})
    assert weekly.schedule == Weekly(days, time(6, 30))
    assert weekly.retention == Retention(
        0,
        8,
        6,
        snapshot_days=5,
        weekly_on=days,
        monthly_on=frozenset({NthWeekday(Week.FIRST, Day.FRIDAY)}),
    )


def test_the_day_says_which_backups_are_kept_for_long():
    daily = policy(
        'schedule = "daily at 22:00"\n'
        'keep = { daily = 7, weekly = 1, monthly = 1, yearly = 1, day = "Saturday" }'
    )

    saturday = NthWeekday(Week.FIRST, Day.SATURDAY)
    assert daily.retention.weekly_on == {Day.SATURDAY}
    assert daily.retention.monthly_on == {saturday}
    assert daily.retention.yearly_on == {DayOfYear(Month.JANUARY, saturday)}


def test_a_weekly_schedule_without_sunday_keeps_its_first_day_for_long():
    weekly = policy(
        'schedule = "weekly on Thursday and Tuesday at 22:00"\nkeep = { weekly = 8, monthly = 6 }'
    )

    assert weekly.retention.monthly_on == {NthWeekday(Week.FIRST, Day.TUESDAY)}


@pytest.mark.parametrize(
    ("given", "windows"),
    [
        pytest.param("UTC", "UTC", id="utc"),
        pytest.param("Europe/Zurich", "W. Europe Standard Time", id="iana"),
        pytest.param("Romance Standard Time", "Romance Standard Time", id="windows"),
    ],
)
def test_time_zones_become_the_names_that_azure_takes(given, windows):
    assert parse_time_zone(given) == windows


def test_a_deployment_on_azure_finds_its_storage_in_its_cloud():
    deployment = read_deployment(
        {
            "VMBACKUP_STORAGE_ACCOUNT": "stvmbackup",
            "VMBACKUP_CLOUD": "usgov",
            "VMBACKUP_READER_CLIENT_ID": ONE,
            "VMBACKUP_PROTECTOR_CLIENT_ID": TWO.upper(),
        }
    )

    assert deployment == Deployment(
        config="vmbackup.toml",
        cloud=Cloud.USGOV,
        arm_endpoint="https://management.usgovcloudapi.net",
        state_dir="",
        table_url="https://stvmbackup.table.core.usgovcloudapi.net",
        blob_url="https://stvmbackup.blob.core.usgovcloudapi.net",
        reader_client_id=ONE,
        protector_client_id=TWO,
        restorer_client_id="",
        sweep_schedule="0 */30 * * * *",
        drill_schedule="0 0 1 * * *",
        janitor_schedule="0 */15 * * * *",
        watch_schedule="0 */10 * * * *",
        digest_schedule="30 */15 * * * *",
        housekeeping_schedule="0 20 3 * * *",
    )


def test_addresses_that_are_given_win():
    deployment = read_deployment(
        {
            "VMBACKUP_STORAGE_ACCOUNT": "stvmbackup",
            "VMBACKUP_TABLE_URL": "http://127.0.0.1:10002/devstoreaccount1",
            "VMBACKUP_ARM_ENDPOINT": "https://localhost:8443/",
        }
    )

    assert deployment.table_url == "http://127.0.0.1:10002/devstoreaccount1"
    assert deployment.blob_url == "https://stvmbackup.blob.core.windows.net"
    assert deployment.arm_endpoint == "https://localhost:8443"


def test_an_empty_variable_is_one_that_is_not_set():
    assert read_deployment({**LOCAL, "VMBACKUP_CLOUD": ""}).cloud is Cloud.PUBLIC


@pytest.mark.parametrize(
    ("variables", "fault"),
    [
        pytest.param(
            {"VMBACKUP_STATE_DIRECTORY": "x", **LOCAL},
            'VMBACKUP_STATE_DIRECTORY: unknown variable (did you mean "VMBACKUP_STATE_DIR"?)',
            id="unknown",
        ),
        pytest.param(
            {"VMBACKUP_TABLE_URL": "https://x.table.core.windows.net"},
            "VMBACKUP_STORAGE_ACCOUNT: missing: there is no place for state (set it, or"
            " VMBACKUP_STATE_DIR for a local directory, or both VMBACKUP_TABLE_URL and"
            " VMBACKUP_BLOB_URL)",
            id="half a place for state",
        ),
        pytest.param(
            {"VMBACKUP_STORAGE_ACCOUNT": "st1", **LOCAL},
            "VMBACKUP_STATE_DIR: stands beside VMBACKUP_STORAGE_ACCOUNT"
            " (state has one place: choose)",
            id="two places for state",
        ),
        pytest.param(
            {"VMBACKUP_STORAGE_ACCOUNT": "St_Backup"},
            'VMBACKUP_STORAGE_ACCOUNT: "St_Backup" is no storage account'
            " (3 to 24 lower-case letters and digits)",
            id="account",
        ),
        pytest.param(
            {"VMBACKUP_READER_CLIENT_ID": "reader", **LOCAL},
            'VMBACKUP_READER_CLIENT_ID: "reader" is no id'
            " (it looks like 00000000-0000-0000-0000-000000000000)",
            id="client id",
        ),
        pytest.param(
            {"VMBACKUP_ARM_ENDPOINT": "http://management.azure.com", **LOCAL},
            'VMBACKUP_ARM_ENDPOINT: "http://management.azure.com" is not encrypted (use https://)',
            id="not encrypted",
        ),
        pytest.param(
            {"VMBACKUP_ARM_ENDPOINT": "management.azure.com", **LOCAL},
            'VMBACKUP_ARM_ENDPOINT: "management.azure.com" is no address (it begins with https://)',
            id="no address",
        ),
        pytest.param(
            {"VMBACKUP_SWEEP_SCHEDULE": "*/30 * * * *", **LOCAL},
            'VMBACKUP_SWEEP_SCHEDULE: "*/30 * * * *" has 5 fields, not 6'
            ' (seconds come first: "0 */30 * * * *" is every 30 minutes)',
            id="five fields",
        ),
        pytest.param(
            {"VMBACKUP_SWEEP_SCHEDULE": "0 0 24 * * *", **LOCAL},
            'VMBACKUP_SWEEP_SCHEDULE: "24" is no hour (from 0 to 23, with * , - and /)',
            id="hour",
        ),
    ],
)
def test_a_broken_environment_is_told_its_fault(variables, fault):
    with pytest.raises(SettingsError) as caught:
        read_deployment(variables)

    assert [str(each) for each in caught.value.faults] == [fault]


@pytest.mark.parametrize(
    "schedule", ["0 */30 * * * *", "0 0 2-4,22 * * mon-fri", "30 15 0 1 jan,jul *", "0 0 */6 * * 0"]
)
def test_a_schedule_that_the_host_takes_is_taken(schedule):
    deployment = read_deployment({**LOCAL, "VMBACKUP_SWEEP_SCHEDULE": schedule})

    assert deployment.sweep_schedule == schedule


@pytest.mark.parametrize(
    "schedule",
    ["0 */0 * * * *", "0 60 * * * *", "0 0 4-2 * * *", "0 0 1-2-3 * * *", "0 0 * * foo *"],
)
def test_a_schedule_that_the_host_refuses_is_refused(schedule):
    with pytest.raises(SettingsError, match="VMBACKUP_SWEEP_SCHEDULE"):
        read_deployment({**LOCAL, "VMBACKUP_SWEEP_SCHEDULE": schedule})


def test_the_processs_environment_is_read_only_when_asked_for(monkeypatch):
    monkeypatch.setenv("VMBACKUP_STATE_DIR", "here")

    assert read_deployment(system_environment()).state_dir == "here"


def test_mails_and_the_log_have_their_places_in_the_environment() -> None:
    deployment = read_deployment(
        {
            "VMBACKUP_STATE_DIR": "state",
            "VMBACKUP_MAIL_ENDPOINT": "https://acs.europe.communication.azure.com",
            "VMBACKUP_MAIL_SENDER": "backup@contoso.example",
            "VMBACKUP_LOG_WORKSPACES": f"{ONE}, {TWO}",
        }
    )

    assert deployment.mail_endpoint == "https://acs.europe.communication.azure.com"
    assert deployment.mail_sender == "backup@contoso.example"
    assert deployment.log_workspaces == (ONE, TWO)


@pytest.mark.parametrize(
    "given",
    [
        {"VMBACKUP_MAIL_ENDPOINT": "https://acs.europe.communication.azure.com"},
        {"VMBACKUP_MAIL_SENDER": "backup@contoso.example"},
        {"VMBACKUP_MAIL_SENDER": "backup", "VMBACKUP_MAIL_ENDPOINT": "https://acs.example"},
        {"VMBACKUP_LOG_WORKSPACES": "law-ops"},
    ],
)
def test_a_mail_service_without_a_sender_is_a_fault(given: dict[str, str]) -> None:
    with pytest.raises(SettingsError):
        read_deployment({"VMBACKUP_STATE_DIR": "state", **given})
