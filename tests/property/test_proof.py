"""No text, and no sequence of facts, proves what was not shown; nothing makes a judge fall over."""

from datetime import UTC, datetime, timedelta
from hashlib import sha256

from hypothesis import given, settings
from hypothesis import strategies as st

from tests import consoles
from tests.builders import NOW
from vmbackup_core.domain.drill.facts import (
    CheckFacts,
    CheckProgress,
    ConsoleFacts,
    CopyFacts,
    DiskFacts,
    GuestCheck,
    Recipe,
    RecipeDisk,
)
from vmbackup_core.domain.drill.proof_boot import judge_boot
from vmbackup_core.domain.drill.proof_canary import judge_canary, lag_of, read_canary
from vmbackup_core.domain.drill.proof_checks import judge_check, judge_checks
from vmbackup_core.domain.drill.proof_console import MOST_TOLD
from vmbackup_core.domain.drill.proof_disks import Attachment, judge_disks, plan_attachment
from vmbackup_core.domain.drill.rungs import Mark
from vmbackup_core.domain.facts import Agent, DiskExclusion, Power, Provisioning, Tags

some = settings(max_examples=200, deadline=None)

MINUTE = timedelta(minutes=1)
LOGS = [value for name, value in vars(consoles).items() if name.isupper()]
WORDS = ["login:", "web login: ", "\r\n", "\x1b[0m", "Reached target Multi-User System.", "SAC>"]

logs = st.none() | st.lists(st.sampled_from([*LOGS, *WORDS]) | st.text(max_size=40)).map("".join)
os_types = st.sampled_from(["Linux", "Windows", ""])
copies = st.builds(
    CopyFacts,
    st.just("/x"),
    st.just("m"),
    st.sampled_from(Provisioning),
    st.sampled_from(Power),
    st.sampled_from(Agent),
    st.just(Tags()),
    heartbeat=st.none() | st.integers(-5, 30).map(lambda n: NOW + n * MINUTE),
    message=st.text(max_size=300),
)
screens = st.sampled_from([None, b"BM"])
minutes = st.integers(0, 40).map(lambda n: n * MINUTE)


@some
@given(os_types, copies, logs, screens, minutes)
def test_a_start_is_judged_in_time_and_told_in_short(
    os_type: str, copy: CopyFacts, log: str | None, screen: bytes | None, since: timedelta
) -> None:
    until = NOW + 20 * MINUTE

    result = judge_boot(os_type, copy, ConsoleFacts(log, screen), NOW, NOW + since, until)

    assert result is not None or NOW + since < until
    assert result is None or all(len(line) <= MOST_TOLD + 40 for line in result.because[1:])


@some
@given(os_types, copies, logs, screens, minutes)
def test_nothing_passes_that_azure_does_not_call_running(
    os_type: str, copy: CopyFacts, log: str | None, screen: bytes | None, since: timedelta
) -> None:
    result = judge_boot(
        os_type, copy, ConsoleFacts(log, screen), NOW, NOW + since, NOW + 20 * MINUTE
    )

    passed = result is not None and result.mark is Mark.PASS
    assert not passed or copy.power is Power.RUNNING
    assert not passed or copy.provisioning is Provisioning.SUCCEEDED
    assert not passed or "login:" in (log or "") or copy.agent is Agent.READY


@some
@given(st.sampled_from(LOGS), st.lists(st.sampled_from(LOGS), max_size=3), screens)
def test_what_was_written_before_the_last_start_fails_nothing_that_came_up(
    before: str, more: list[str], screen: bytes | None
) -> None:
    up = CopyFacts(
        "/x",
        "m",
        Provisioning.SUCCEEDED,
        Power.RUNNING,
        Agent.READY,
        Tags(),
        heartbeat=NOW + MINUTE,
    )
    log = "\n".join([before, *more, consoles.UBUNTU])

    result = judge_boot(
        "Linux", up, ConsoleFacts(log, screen), NOW, NOW + 2 * MINUTE, NOW + 20 * MINUTE
    )

    assert result is not None
    assert result.mark is Mark.PASS


# Disks.

STAMP = "20300115-010000"
sizes = st.sampled_from([32, 64])
names = st.sampled_from([*(f"w-datadisk-00{n}-{STAMP}" for n in range(3)), "w-data", "w-other"])
disks = st.lists(
    st.builds(
        lambda name, size, os_type: DiskFacts(f"/d/{name}", name, size, os_type=os_type),
        names | st.just(f"w-osdisk-{STAMP}"),
        sizes,
        st.sampled_from(["", "Linux", "Windows"]),
    ),
    max_size=4,
    unique_by=lambda disk: disk.id,
).map(tuple)
recipes = st.builds(
    Recipe,
    os_type=st.sampled_from(["", "Linux"]),
    os_disk_id=st.sampled_from(["", f"/d/w-osdisk-{STAMP}"]),
    os_size_gb=st.none() | sizes,
    disks=st.lists(
        st.builds(
            RecipeDisk,
            st.integers(0, 3),
            st.none() | sizes,
            disk_id=st.just("") | names.map(lambda name: f"/d/{name}"),
        ),
        max_size=3,
    ).map(tuple),
)
exclusions = st.none() | st.builds(
    DiskExclusion, st.lists(st.integers(0, 3), max_size=2).map(tuple), st.booleans()
)


@some
@given(recipes, disks, exclusions)
def test_disks_that_pass_can_be_attached_each_once_and_where_recorded(
    recipe: Recipe, restored: tuple[DiskFacts, ...], exclusion: DiskExclusion | None
) -> None:
    result = judge_disks(recipe, restored, exclusion=exclusion)
    planned = plan_attachment(recipe, restored, exclusion=exclusion)

    told = isinstance(planned, Attachment)
    assert told or result.mark is not Mark.PASS
    places = (planned.os_disk, *planned.data_disks) if isinstance(planned, Attachment) else ()
    assert not told or {one.disk_id for one in places} == {disk.id for disk in restored}
    assert not told or len(places) == len(restored)
    assert {one.lun for one in places[1:]} <= {kept.lun for kept in recipe.disks}


@some
@given(recipes, disks)
def test_disks_that_pass_are_as_many_as_were_recorded(
    recipe: Recipe, restored: tuple[DiskFacts, ...]
) -> None:
    result = judge_disks(recipe, restored)

    assert result.mark is not Mark.PASS or len(restored) == len(recipe.disks) + 1


# Checks.

CHECK = GuestCheck("c", "Linux", "true")
check_facts = st.none() | st.builds(
    CheckFacts,
    st.sampled_from(CheckProgress),
    st.none() | st.integers(-2, 3),
    st.text(max_size=80),
    st.text(max_size=80),
)


@some
@given(st.lists(check_facts, max_size=4))
def test_checks_pass_only_when_each_ended_with_0(facts: list[CheckFacts | None]) -> None:
    judged = [judge_check(CHECK, one, timedelta(hours=1)) for one in facts]

    result = judge_checks([one for one in judged if one is not None])

    good = [
        one == CheckFacts(CheckProgress.ENDED, 0, one.output, one.error) for one in facts if one
    ]
    assert None not in judged
    assert (result.mark is Mark.PASS) is (len(good) == len(facts) > 0 and all(good))


# The canary.

times = st.integers(0, 3_000_000_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))


def line(at: datetime) -> str:
    said = f"vmbackup-canary v1 {at:%Y-%m-%dT%H:%M:%SZ} sha256={'0' * 64} ok"
    return f"{said} line={sha256(said.encode()).hexdigest()[:8]}"


@some
@given(st.text(max_size=200), times, st.text(max_size=200))
def test_a_whole_line_is_read_out_of_anything(before: str, at: datetime, after: str) -> None:
    canary = read_canary(f"{before}\x07\n{line(at)}\n{after}")

    assert canary is not None
    assert canary.at == at


@some
@given(times, st.integers(0, 120), st.characters())
def test_a_line_with_another_character_is_no_line(at: datetime, place: int, other: str) -> None:
    whole = line(at)
    changed = whole[:place] + other + whole[place + 1 :]

    assert changed == whole or read_canary(changed) is None


@some
@given(times, st.integers(-60, 3000), st.none() | st.integers(0, 3000))
def test_a_canary_passes_only_within_its_rpo(at: datetime, before: int, rpo: int | None) -> None:
    canary = read_canary(line(at))
    assert canary is not None
    taken = at + before * MINUTE

    result = judge_canary(
        canary,
        point_taken=taken,
        rpo_target=None if rpo is None else rpo * MINUTE,
        now=taken + timedelta(days=9),
    )

    allowed = 1440 if rpo is None else rpo
    assert (result.mark is Mark.PASS) is (-15 <= before <= allowed)
    assert (lag_of(canary, taken) is None) is (before < -15)
