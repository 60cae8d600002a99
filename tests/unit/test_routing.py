from dataclasses import replace

import pytest

from tests.builders import OTHER_SUB, SUB
from vmbackup_core.domain.facts import Tags
from vmbackup_core.domain.telling.routing import (
    Copy,
    Recipients,
    Refused,
    Route,
    Routing,
    RoutingChange,
    Selector,
    VmPlace,
    address_fault,
    find_changes,
    find_others,
    find_recipients,
    join_recipients,
    split_recipients,
)

OPS, TEAM, BOSS = "ops@example.com", "team@example.com", "boss@example.com"
PLACE = VmPlace(SUB, "rg-app", "gold")
ROUTING = Routing((OPS,), (BOSS,), domains=("example.com",))


def owned(value):
    return replace(PLACE, tags=Tags.of({"Backup-Owner": value}))


def routed(selector, place=PLACE):
    return find_recipients(place, replace(ROUTING, routes=(Route(selector, (TEAM,)),))).owners


def test_who_names_nobody_is_told_to_the_default_recipients():
    assert find_recipients(PLACE, ROUTING) == Recipients((OPS,))


def test_what_is_no_vms_goes_to_the_default_recipients():
    assert find_recipients(None, ROUTING) == Recipients((OPS,))


def test_an_owners_address_in_a_tag_is_told_beside_the_default_recipients():
    assert find_recipients(owned(TEAM), ROUTING) == Recipients((OPS, TEAM), (TEAM,))


def test_default_recipients_that_have_the_digest_are_spared_a_copy():
    assert find_recipients(owned(TEAM), replace(ROUTING, copy=Copy.DIGEST)).to == (TEAM,)


@pytest.mark.parametrize("value", ["", "nobody", "thief@evil.example", OPS])
def test_no_tag_can_keep_the_default_recipients_from_being_told(value):
    assert find_recipients(owned(value), replace(ROUTING, copy=Copy.DIGEST)).to == (OPS,)


@pytest.mark.parametrize(
    ("value", "refused"),
    [
        ("thief@evil.example", "is outside the configured domains"),
        ("team@sub.example.com", "is outside the configured domains"),
        ("team@example.com.evil.example", "is outside the configured domains"),
        ("team", "is no e-mail address"),
        ("<team@example.com>", "is no e-mail address"),
        ("team@example.com\u200b", "is no e-mail address"),
        ("team@ex\u0430mple.com", "is no e-mail address"),
    ],
)
def test_an_address_that_does_not_count_is_refused_and_reported(value, refused):
    assert find_recipients(owned(value), ROUTING) == Recipients(
        (OPS,), refused=(Refused(value, refused),)
    )


def test_a_line_break_in_a_tag_makes_words_and_no_header():
    told = find_recipients(owned("team@example.com\r\nBcc: thief@evil.example"), ROUTING)

    assert told.to == (OPS, TEAM)
    assert [one.address for one in told.refused] == ["Bcc:", "thief@evil.example"]


def test_domains_have_no_case():
    assert find_recipients(owned("team@EXAMPLE.com"), ROUTING).owners == ("team@EXAMPLE.com",)


def test_a_tag_may_name_several_and_each_is_told_once():
    told = find_recipients(owned("team@example.com; dev@example.com,TEAM@example.com"), ROUTING)

    assert told.owners == (TEAM, "dev@example.com")


def test_a_tag_cannot_name_the_whole_house():
    many = ",".join(f"n{number}@example.com" for number in range(12))

    told = find_recipients(owned(many), ROUTING)

    assert len(told.owners) == 10
    assert [one.why for one in told.refused] == ["is beyond the first 10 of the tag"] * 2


def test_who_is_told_of_what_lasts_is_told_beside_the_others():
    assert find_recipients(owned(TEAM), ROUTING, escalated=True).to == (OPS, TEAM, BOSS)


@pytest.mark.parametrize(
    ("selector", "fits"),
    [
        (Selector(policies=("GOLD*",)), True),
        (Selector(policies=("silver",)), False),
        (Selector(subscriptions=(SUB,)), True),
        (Selector(subscriptions=(OTHER_SUB,)), False),
        (Selector(groups=("RG-*",)), True),
        (Selector(groups=("rg-db",)), False),
        (Selector(other_tags=(("role", "db*"),)), False),
        (Selector(policies=("gold",), groups=("rg-db",)), False),
    ],
)
def test_a_route_is_for_vms_that_fit_all_that_it_names(selector, fits):
    assert routed(selector) == ((TEAM,) if fits else ())


def test_a_route_by_tag_compares_names_without_case():
    tagged = replace(PLACE, tags=Tags.of({"Role": "db-1"}))

    assert routed(Selector(other_tags=(("role", "db*"),)), tagged) == (TEAM,)


@pytest.mark.parametrize(
    ("default", "escalation", "told"),
    [
        ((OPS, TEAM), (BOSS,), (TEAM,)),
        ((OPS,), (BOSS,), (BOSS,)),
        ((OPS,), (), (OPS,)),
    ],
)
def test_that_a_mail_did_not_arrive_is_told_to_somebody_else(default, escalation, told):
    assert find_others(Routing(default, escalation), OPS.upper()).to == told


def test_of_several_vms_everybody_is_told_who_is_told_of_one():
    parts = [find_recipients(owned(TEAM), ROUTING), find_recipients(PLACE, ROUTING)]

    assert join_recipients(parts) == Recipients((OPS, TEAM), (TEAM,))


def test_more_recipients_than_a_mail_takes_get_more_mails():
    many = tuple(f"n{number}@example.com" for number in range(101))

    assert [len(part) for part in split_recipients(many)] == [50, 50, 1]


@pytest.mark.parametrize(
    "address", [f"{'a' * 65}@example.com", f"a@{'b' * 250}.com", "a@b", "a b@example.com", ""]
)
def test_odd_addresses_are_told_apart(address):
    assert address_fault(address)


def test_a_change_of_owners_is_told_and_a_change_of_order_is_none():
    before = {"web": (TEAM,), "db": (TEAM, BOSS), "gone": (TEAM,)}
    now = {"web": (), "db": (BOSS, TEAM.upper()), "new": (TEAM,)}

    assert find_changes(before, now) == (RoutingChange("web", (TEAM,), ()),)
