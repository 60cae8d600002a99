import pytest

from vmbackup_core.domain.facts import Tags, VmFacts
from vmbackup_core.domain.ids import VmId
from vmbackup_core.domain.rules import (
    Mode,
    NotAsked,
    OptedOut,
    OutOfScope,
    Rule,
    Rules,
    Scope,
    Wanted,
    ask,
)

SUBSCRIPTION, OTHER = "sub-1", "sub-2"


def vm(tags=None, *, subscription=SUBSCRIPTION, group="rg-web", location="westeurope"):
    vm_id = VmId(subscription, group, "web")
    return VmFacts(vm_id, "machine-1", "web", location, Tags.of(tags))


def rules(*rules, **scope):
    return Rules(Scope((SUBSCRIPTION,), **scope), "backup", ("off", "none"), rules)


GOLD = Rule("gold", ("gold",))


def test_the_tags_value_asks_for_the_rules_policy():
    assert ask(vm({"backup": "gold"}), rules(GOLD)) == Wanted("gold", 1)


def test_the_first_rule_that_matches_wins():
    both = rules(Rule("silver", ("silver",)), Rule("any", ("*",)), GOLD)

    assert ask(vm({"backup": "gold"}), both) == Wanted("any", 2)


def test_an_explicit_opt_out_wins_over_every_rule():
    everything = rules(Rule("standard"))

    assert ask(vm({"backup": "off"}), everything) == OptedOut("off")


def test_the_name_of_the_tag_has_no_case():
    assert ask(vm({"BackUp": "gold"}), rules(GOLD)) == Wanted("gold", 1)


def test_the_value_of_the_tag_is_compared_as_configured():
    asked = ask(vm({"backup": "Gold"}), rules(GOLD))

    assert asked == NotAsked("no rule matches the tag backup = 'Gold'", "Gold")


def test_an_opt_out_in_another_case_is_no_opt_out():
    assert ask(vm({"backup": "Off"}), rules(Rule("standard", ("*",)))) == Wanted("standard", 1)


def test_a_vm_that_asks_for_nothing_is_told_so():
    assert ask(vm(), rules(GOLD)) == NotAsked("no rule matches, and there is no tag backup")


def test_a_star_matches_any_value_and_no_vm_without_the_tag():
    star = rules(Rule("standard", ("*",)))

    assert ask(vm({"backup": ""}), star) == Wanted("standard", 1)
    assert ask(vm(), star) == NotAsked("no rule matches, and there is no tag backup")


def test_a_rule_without_a_tag_needs_none():
    by_group = rules(Rule("standard", resource_groups=("rg-*",)))

    assert ask(vm(), by_group) == Wanted("standard", 1)


@pytest.mark.parametrize(
    ("rule", "matches"),
    [
        pytest.param(Rule("p", ("gold-?",)), True, id="glob of a value"),
        pytest.param(Rule("p", resource_groups=("RG-WEB",)), True, id="group in another case"),
        pytest.param(Rule("p", resource_groups=("rg-db", "*-web")), True, id="one of the groups"),
        pytest.param(Rule("p", resource_groups=("rg-db",)), False, id="other group"),
        pytest.param(Rule("p", subscriptions=(SUBSCRIPTION,)), True, id="subscription"),
        pytest.param(Rule("p", subscriptions=(OTHER,)), False, id="other subscription"),
        pytest.param(Rule("p", locations=("West*",)), True, id="glob of a location"),
        pytest.param(Rule("p", locations=("northeurope",)), False, id="other location"),
        pytest.param(Rule("p", other_tags=(("ENV", "prod"),)), True, id="other tag"),
        pytest.param(Rule("p", other_tags=(("env", "Prod"),)), False, id="value in other case"),
        pytest.param(Rule("p", other_tags=(("owner", "*"),)), False, id="other tag missing"),
        pytest.param(
            Rule("p", ("gold-?",), (("env", "prod"),), ("rg-db",)), False, id="all but one"
        ),
    ],
)
def test_a_rule_matches_where_everything_that_it_names_does(rule, matches):
    web = vm({"backup": "gold-1", "env": "prod"})

    assert isinstance(ask(web, rules(rule)), Wanted) is matches


def test_a_rule_says_whether_it_holds_for_restored_copies():
    copies = rules(Rule("standard", restored_copies=True))

    assert ask(vm(), copies) == Wanted("standard", 1, restored_copies=True)


def test_another_subscription_is_out_of_scope():
    asked = ask(vm({"backup": "gold"}, subscription=OTHER), rules(GOLD))

    assert asked == OutOfScope("subscription sub-2 is not in scope")


def test_management_groups_leave_the_choice_of_subscriptions_to_azure():
    wide = Rules(Scope(management_groups=("mg",)), "backup", rules=(GOLD,))

    assert ask(vm({"backup": "gold"}, subscription=OTHER), wide) == Wanted("gold", 1)


def test_an_excluded_resource_group_is_out_of_scope():
    asked = ask(
        vm({"backup": "gold"}, group="team-sandbox"),
        rules(GOLD, exclude_resource_groups=("*-Sandbox",)),
    )

    assert asked == OutOfScope("resource group team-sandbox is excluded (*-Sandbox)")


def test_a_restore_test_is_out_of_scope_by_construction():
    copy = vm({"backup": "gold"}, group="vmbackup-drill-westeurope-1")

    assert ask(copy, rules(Rule("standard", restored_copies=True))) == OutOfScope(
        "resource group vmbackup-drill-westeurope-1 is for restore tests (vmbackup-drill-*)"
    )


def test_being_out_of_scope_goes_before_an_opt_out():
    asked = ask(vm({"backup": "off"}, subscription=OTHER), rules(GOLD))

    assert isinstance(asked, OutOfScope)


def test_every_subscription_is_only_observed_until_told_otherwise():
    assert Scope((SUBSCRIPTION,)).mode_of(SUBSCRIPTION) is Mode.OBSERVE


def test_a_subscriptions_own_mode_wins():
    scope = Scope(mode=Mode.PROTECT, mode_by_subscription=((OTHER, Mode.OBSERVE),))

    assert scope.mode_of(SUBSCRIPTION) is Mode.PROTECT
    assert scope.mode_of(OTHER.upper()) is Mode.OBSERVE


@pytest.mark.parametrize(
    ("earlier", "later", "covers"),
    [
        pytest.param(Rule("a"), Rule("b", ("gold",)), True, id="no condition at all"),
        pytest.param(Rule("a", ("*",)), Rule("b", ("go*",)), True, id="star over glob"),
        pytest.param(Rule("a", ("*",)), Rule("b"), False, id="star needs the tag"),
        pytest.param(Rule("a", ("go*",)), Rule("b", ("gold",)), True, id="glob over value"),
        pytest.param(Rule("a", ("go*",)), Rule("b", ("g*",)), False, id="two globs"),
        pytest.param(Rule("a", ("gold", "x")), Rule("b", ("x",)), True, id="one of several"),
        pytest.param(Rule("a", ("gold",)), Rule("b", ("gold", "x")), False, id="not all"),
        pytest.param(
            Rule("a", locations=("west*",)),
            Rule("b", ("x",), locations=("WestUS",)),
            True,
            id="loc",
        ),
        pytest.param(
            Rule("a", resource_groups=("rg",)), Rule("b", ("x",)), False, id="narrower by group"
        ),
        pytest.param(
            Rule("a", other_tags=(("env", "*"),)),
            Rule("b", other_tags=(("env", "prod"), ("x", "y"))),
            True,
            id="fewer other tags",
        ),
        pytest.param(Rule("a", other_tags=(("e", "*"),)), Rule("b"), False, id="more other tags"),
    ],
)
def test_an_earlier_rule_covers_a_later_one_that_it_leaves_no_vm(earlier, later, covers):
    assert earlier.covers(later) is covers
