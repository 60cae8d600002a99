import csv
import io
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.builders import VAULT, WEB, at
from tests.incidents import bad, good, held, hour
from vmbackup_core.domain.drill.rules import Past
from vmbackup_core.domain.telling.incidents import take_in
from vmbackup_core.domain.telling.mail_content import write_incident_mail
from vmbackup_core.domain.telling.mail_lines import Background, line_of
from vmbackup_core.domain.telling.mail_rules import FALLBACK_RPO, RpoRule, find_rpo
from vmbackup_core.domain.telling.mail_table import HEADER, write_table
from vmbackup_core.domain.telling.mail_words import (
    PORTALS,
    csv_text,
    one_line,
    spell_span,
    subject_line,
)
from vmbackup_core.domain.telling.root_causes import RootCause
from vmbackup_core.domain.telling.routing import Selector, VmPlace
from vmbackup_core.domain.telling.state_words import STATE_WORDS
from vmbackup_core.domain.telling.tellings import State, Telling, Told
from vmbackup_core.domain.telling.troubles import Ending, Subject, Wellness

CODE = "UserErrorGuestAgentStatusUnavailable"
TO = ("ops@example.com",)
PUBLIC = PORTALS["public"]


def about(*seen, **more):
    (incident,) = take_in((), seen)
    more.setdefault("last_good", hour(-23))
    more.setdefault("rpo", timedelta(hours=48))
    more.setdefault("policy", "gold")
    return Background(incident, **more)


def mail(telling, *backgrounds, now=2.0, portal=PUBLIC):
    return write_incident_mail(Told(telling, 1, hour(now)), backgrounds, TO, portal, hour(now))


def test_a_failure_is_told_with_what_it_means_why_and_what_to_do():
    told = mail(Telling.OPENED, about(bad(1, code=CODE), bad(0, code=CODE), past=Past()))

    assert told.subject == "Backup trouble: web: the VM's agent does not answer"
    assert told.meaning == (
        "2 backups in a row went wrong.",
        "Its last good backup is of 2030-01-14 13:00 UTC, 25 hours ago.",
        "It may be 23 hours older before the RPO is missed.",
        "No restore of it was ever proven.",
    )
    assert told.cause.startswith("The VM agent does not answer")
    assert told.fix.startswith("Look whether the VM runs")
    assert (told.remedy, told.code, told.told) == ("mend it yourself", CODE, TO)
    assert told.table == ""


def test_a_missed_rpo_and_a_proven_restore_are_said():
    past = Past(proven=hour(-200))

    told = mail(Telling.REMINDER, about(bad(0), past=past), now=30)

    assert told.meaning[1:] == (
        "The RPO has been missed by 5 hours.",
        "A restore of it was last proven at 2030-01-07 04:00 UTC.",
    )
    assert told.headline.endswith("since 2030-01-15 12:00 UTC")


def test_a_vm_without_any_good_backup_says_so():
    told = mail(Telling.OPENED, about(bad(0), last_good=None))

    assert told.meaning == ("There is no good backup of it that we know of.",)


def test_links_lead_to_the_vm_its_vault_and_the_jobs_in_the_clouds_own_portal():
    told = mail(Telling.OPENED, about(bad(0, code=CODE)), portal=PORTALS["china"])

    assert [link.url for link in told.links[:3]] == [
        f"https://portal.azure.cn/#resource{WEB}/overview",
        f"https://portal.azure.cn/#resource{VAULT}/overview",
        f"https://portal.azure.cn/#resource{VAULT}/backupJobs",
    ]
    assert told.links[-1].url.startswith("https://learn.microsoft.com/azure/backup/")


@pytest.mark.parametrize(
    ("seen", "words"),
    [
        ((bad(0), good(5)), "web is backed up again, after 5 hours"),
        (
            (held(0), Wellness(held(0).subject, hour(72), Ending.MENDED, frozenset(RootCause))),
            "web is as it should be again, after 3 days",
        ),
        (
            (
                bad(0),
                Wellness(held(0).subject, hour(5), Ending.NOT_EXPECTED, frozenset(RootCause)),
            ),
            "web is not backed up any more, so its failures have ended, after 5 hours",
        ),
    ],
)
def test_the_end_is_told_as_what_it_was(seen, words):
    assert mail(Telling.RECOVERED, about(*seen), now=80).subject == f"Over: {words}"


def test_many_are_one_mail_with_a_table():
    many = [about(bad(0, name=f"vm-{number:02}")) for number in range(12)]
    many[3] = about(bad(0, name="vm-03"), good(1, name="vm-03"))

    told = mail(Telling.REMINDER, *many)

    assert told.headline == "11 of 12 VMs in westeurope: the VM's agent does not answer"
    assert [line.state for line in told.lines].count(State.RECOVERED) == 1
    assert told.lines[-1].name == "vm-03"
    assert len(told.table.splitlines()) == 13


def test_of_many_it_is_said_how_many_are_at_risk():
    many = [
        about(bad(0, name="a"), last_good=None),
        about(bad(0, name="b"), last_good=hour(-60)),
        about(bad(0, name="c"), muted_until=hour(9)),
    ]

    assert mail(Telling.OPENED, *many).meaning == (
        "1 VM of which the RPO has been missed.",
        "1 VM without any good backup that we know of.",
        "1 VM muted at present.",
    )


def test_a_groups_end_names_how_many():
    many = [about(bad(0, name=name), good(3, name=name)) for name in ("a", "b")]

    assert mail(Telling.RECOVERED, *many).headline == (
        "all 2 VMs are well (the VM's agent does not answer)"
    )


def test_a_vaults_trouble_has_no_rpo():
    vault = replace(held(0, RootCause.SOFT_DELETE_OFF), subject=Subject.of_vault(VAULT))

    told = mail(Telling.OPENED, about(vault))

    assert told.meaning == ()
    assert told.cause == STATE_WORDS[RootCause.SOFT_DELETE_OFF].text


def test_every_cause_without_a_code_of_azures_has_words():
    failing = {cause for cause in RootCause if cause.by_run and not cause.vague}

    assert STATE_WORDS.keys() == (set(RootCause) - failing - {RootCause.UNKNOWN}) | {
        RootCause.CANCELLED
    }


def test_azures_words_are_one_line_and_cut():
    hostile = replace(bad(0).words, title="a\r\nBcc: x@y.example\u202e", message="b" * 5000)

    told = mail(Telling.OPENED, about(replace(bad(0), words=hostile)))

    assert told.azure.startswith("a Bcc: x@y.example bbb")
    assert len(told.azure) == 2000


def test_a_name_cannot_make_a_header_of_the_subject():
    evil = replace(bad(0), subject=Subject.of_vm(WEB, "web\r\nBcc: thief@evil.example"))

    told = mail(Telling.OPENED, about(evil))

    assert "\n" not in told.subject
    assert "\r" not in told.subject


def test_subjects_are_cut_at_a_length_that_shows():
    assert len(subject_line("x" * 400)) == 150
    assert one_line("abcdef", 4) == "abc…"


@pytest.mark.parametrize(
    ("span", "words"),
    [
        (timedelta(0), "0 minutes"),
        (timedelta(minutes=1), "1 minute"),
        (timedelta(minutes=119), "119 minutes"),
        (timedelta(hours=47), "47 hours"),
        (timedelta(hours=-50), "2 days"),
    ],
)
def test_spans_are_spelled_as_people_do(span, words):
    assert spell_span(span) == words


def test_a_table_runs_nothing_in_a_spreadsheet():
    text = csv_text(["a", "b"], [["=cmd()", "@x"], ["-1", 'a "quoted", b']])

    assert list(csv.reader(io.StringIO(text))) == [
        ["a", "b"],
        ["'=cmd()", "'@x"],
        ["'-1", 'a "quoted", b'],
    ]


def test_a_tables_rows_have_what_its_header_names():
    line = line_of(about(bad(0), muted_until=hour(5)), at(0))

    header, row = csv.reader(io.StringIO(write_table([line])))

    assert tuple(header) == HEADER
    assert dict(zip(header, row, strict=True)) == {
        "name": "web",
        "state": "quiet",
        "since": "2030-01-15T12:00Z",
        "failures": "1",
        "policy": "gold",
        "last good backup": "2030-01-14T13:00Z",
        "RPO left (hours)": "25.0",
        "last proven restore": "",
        "code": "",
        "job": "job-0",
        "muted until": "2030-01-15T17:00Z",
        "id": str(WEB),
    }


def test_an_rpo_is_that_of_the_first_rule_that_fits():
    place = VmPlace("s", "rg-app", "Gold")
    rules = [
        RpoRule(Selector(policies=("silver",)), timedelta(hours=1)),
        RpoRule(Selector(policies=("gold",)), timedelta(hours=2)),
        RpoRule(Selector(), timedelta(hours=3)),
    ]

    assert find_rpo(place, rules, None) == timedelta(hours=2)
    assert find_rpo(place, [], timedelta(hours=4)) == timedelta(hours=4)
    assert find_rpo(place, [], None) == FALLBACK_RPO
