"""`vmbackup alerts`: what is wrong, who was told, what mails look like, and quiet for a while."""

import shlex
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from azsim.email import Budget
from azsim.world import World
from tests.cli import Cli, Ran
from tests.reading import Page
from tests.scenario.mail_stage import CODE, DAY, HOUR, OPS, TEAM, TOML, MailStage, subject_of
from tests.scenario.stage import GROUP, SUB, WEST, opened
from vmbackup_core.domain.evidence import Kind
from vmbackup_core.domain.facts import ItemState
from vmbackup_core.domain.ids import VaultId, VmId
from vmbackup_core.domain.telling.incident_groups import advance
from vmbackup_core.domain.telling.root_causes import BY_RUN, RootCause
from vmbackup_core.domain.telling.tellings import Folding, Rhythm
from vmbackup_core.domain.telling.troubles import Ending, Sighting, Subject, Wellness, Words
from vmbackup_core.domain.telling.watching import VmRecord, Watched

SILENT = TOML[: TOML.index("[mail]")]


class Desk(MailStage):
    """A stage with a terminal beside it."""

    def cli(self, *arguments: str, width: int = 160) -> Ran:
        return Cli(self.app, width=width, environment={"USER": "ada"}).run("alerts", *arguments)

    def saw(self, *seen: Sighting | Wellness) -> None:
        """Let the book be as it were after a look that saw this."""
        mails, now = self.app.mails(), self.world.clock.now()
        assert mails is not None

        def looked(known: Watched) -> Watched:
            folding = Folding(at_least=5, gather=timedelta(0))
            book, _ = advance(known.book, seen, now, rhythm=Rhythm(), folding=folding)
            ids = {one.subject.id: one.subject.name for one in seen}
            records = {id: _record(VmId.parse(id), name, now) for id, name in ids.items()}
            return replace(known, looked=now, book=book, vms={**known.vms, **records})

        mails.book.amend(looked)

    def failed(self, name: str) -> Sighting:
        """Return a backup that just failed."""
        now = self.world.clock.now()
        words = Words(CODE, job=f"job-{name}")
        vm = Subject.of_vm(VmId(SUB, GROUP, name))
        vault = str(VaultId(SUB, GROUP, "rsv"))
        return Sighting(vm, RootCause.AGENT, now, now, f"job-{name}", vault, WEST, words)

    def backed_up(self, name: str) -> Wellness:
        later = self.world.clock.now() + HOUR
        return Wellness(Subject.of_vm(VmId(SUB, GROUP, name)), later, Ending.BACKED_UP, BY_RUN)


def _record(vm: VmId, name: str, now: datetime) -> VmRecord:
    return VmRecord(
        name, VaultId(SUB, GROUP, "rsv"), WEST, ItemState.PROTECTED, "gold", "daily", "gold",
        state_since=now - 9 * DAY, since=now - 9 * DAY, rpo=2 * DAY, last_point=now - DAY,
    )  # fmt: skip


@pytest.fixture
def stage(world: World) -> Iterator[Desk]:
    with opened(Desk(world)) as stage:
        yield stage


@pytest.fixture
def broken(stage: Desk) -> Desk:
    stage.saw(stage.failed("sql"))
    return stage


def test_before_any_look_it_is_said_that_nobody_looked(stage: Desk) -> None:
    assert "Nobody has looked yet" in stage.cli("list").out
    assert stage.cli("list", "--json").json == {"looked": None, "incidents": []}


def test_the_list_says_what_is_wrong_and_how_urgent_it_is(broken: Desk) -> None:
    ran = broken.cli("list")

    assert ran.code == 0
    assert "sql" in ran.out
    assert "the VM's agent does not answer" in ran.out
    assert "1 incident at the last look" in ran.out
    (one,) = broken.cli("list", "--json").json["incidents"]
    assert (one["name"], one["cause"], one["state"], one["vms"]) == ("sql", "AGENT", "open", 1)


def test_what_is_over_is_listed_where_it_is_asked_for(broken: Desk) -> None:
    broken.saw(broken.backed_up("sql"))

    assert broken.cli("list", "--json").json["incidents"] == []
    assert [one["state"] for one in broken.cli("list", "--all", "--json").json["incidents"]] == [
        "recovered"
    ]


def test_showing_one_says_its_mail_what_was_told_and_what_was_seen(broken: Desk) -> None:
    ran = broken.cli("show", "sql")

    assert ran.code == 0
    assert "WHAT TO DO (you can mend it)" in ran.out
    assert ": opened" in ran.out
    assert ran.out.index("TOLD") < ran.out.index("SEEN")
    assert broken.cli("show", "sql", "--json").json["members"][0]["code"] == CODE


def test_the_preview_is_the_mail_and_sends_nothing(broken: Desk, tmp_path: Path) -> None:
    page, text = tmp_path / "mail.html", tmp_path / "mail.txt"
    sent = len(broken.mails)

    ran = broken.cli("preview", "sql", "--out", str(page))
    again = broken.cli("preview", "sql", "--as", "recovered", "--out", str(text))

    assert (ran.code, again.code) == (0, 0)
    assert f"To: {OPS}" in ran.out
    assert "Still in trouble, reminder 1" in Page.of(page.read_text()).text
    assert text.read_text().startswith("IT IS OVER\n")
    assert len(broken.mails) == sent


def test_a_preview_of_many_brings_the_table_along(stage: Desk, tmp_path: Path) -> None:
    stage.saw(*(stage.failed(f"vm-{number}") for number in range(11)))

    ran = stage.cli("preview", "vm-3", "--out", str(tmp_path / "mail.html"))

    assert ran.code == 0
    assert len((tmp_path / "vms.csv").read_text("utf-8-sig").splitlines()) == 12


def test_a_muted_incident_is_not_told_and_stays_in_the_list(stage: Desk) -> None:
    vm = stage.protect("sql")
    stage.nights(1)
    stage.world.vaults.fail_backups(vm, CODE, 9)
    stage.nights(2)
    told = stage.marks

    ran = stage.cli("mute", "sql", "--for", "2d", "--why", "the disk is being replaced")
    stage.nights(1.5)

    assert (ran.code, told) == (0, ["Backup trouble"])
    assert stage.marks == told
    assert "muted until" in stage.cli("list").out
    assert stage.cli("unmute", "sql").code == 0
    stage.nights(0.2)
    assert stage.marks == [*told, "Still"]


def test_the_command_in_a_mail_runs_as_it_is(broken: Desk, tmp_path: Path) -> None:
    broken.cli("preview", "sql", "--out", str(tmp_path / "mail.txt"))
    lines = (tmp_path / "mail.txt").read_text().splitlines()
    command = next(line for line in lines if "alerts mute" in line)

    ran = broken.cli(*shlex.split(command)[2:])

    assert (ran.code, "is muted until" in ran.out) == (0, True)


def test_who_muted_stands_in_the_book_and_not_in_the_evidence(broken: Desk) -> None:
    broken.cli("mute", "sql", "--for", "24h", "--why", "ada is at it")

    mails = broken.app.mails()
    assert mails is not None
    (mute,) = mails.book.load()[0].mutes
    assert (mute.by, mute.why) == ("ada", "ada is at it")
    blobs = broken.app.evidence.blobs
    written = [blobs.read(name) for name in blobs.names(f"{Kind.CONTROL}/")]
    texts = [blob.content for blob in written if blob is not None]
    assert any(b'"did":"muted"' in text for text in texts)
    assert not any(b"ada" in text for text in texts)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("mute", "sql", "--for", "400d", "--why", "x"), "lasts longer than 90 days"),
        (("mute", "sql", "--for", "soon", "--why", "x"), "write it like 24h or 3d"),
        (("mute", "nobody", "--for", "1d", "--why", "x"), 'no incident is called "nobody"'),
        (("preview", "sql", "--out", "mail.pdf"), "neither .html nor .txt"),
        (("send-test", "--to", "me@elsewhere.example"), "neither configured nor in one of"),
        (("send-test", "--to", "me"), "is no e-mail address"),
    ],
)
def test_a_call_that_cannot_be_answered_says_why(
    broken: Desk, arguments: tuple[str, ...], said: str
) -> None:
    ran = broken.cli(*arguments)

    assert ran.code == 64
    assert said in ran.err


def test_unmuting_what_is_not_muted_is_said(broken: Desk) -> None:
    assert "was not muted" in broken.cli("unmute", "sql").out


def test_an_id_may_be_cut_and_a_narrow_list_cuts_it(broken: Desk) -> None:
    (one,) = broken.cli("list", "--json").json["incidents"]
    short = one["id"].rpartition("-")[2][:8]

    assert one["id"] not in broken.cli("list", width=90).out
    assert broken.cli("show", short, "--json").json["id"] == one["id"]


def test_a_test_mail_goes_where_it_is_asked_to(stage: Desk) -> None:
    ran = stage.cli("send-test", "--to", TEAM)

    (mail,) = stage.world.email.outbox
    assert ran.code == 0
    assert f"The mail service took it for {TEAM}." in ran.out
    assert subject_of(mail) == "Test mail from vmbackup: nothing happened"


def test_a_test_mail_that_cannot_leave_waits_and_fails(stage: Desk) -> None:
    stage.world.email.limits.sends = Budget(1, 1)
    assert stage.cli("send-test", "--to", TEAM).code == 0

    ran = stage.cli("send-test")

    assert ran.code == 1
    assert f"Not sent yet to {OPS}" in ran.err


def test_without_recipients_there_is_nothing_to_list(world: World) -> None:
    with opened(Desk(world, toml=SILENT)) as stage:
        ran = stage.cli("list")

    assert ran.code == 64
    assert "add [mail]" in ran.err
