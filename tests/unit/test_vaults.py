import pytest

from tests.builders import FOREIGN_VAULT, HERE, OTHER_SUB, SECOND_VAULT, SUB, VAULT, vault
from vmbackup_core.domain.facts import VaultFacts
from vmbackup_core.domain.ids import VaultId
from vmbackup_core.domain.reasons import Reason
from vmbackup_core.domain.vaults import (
    Make,
    NoVault,
    Use,
    UseVault,
    VaultChoice,
    VaultNaming,
    choose_vault,
)

PATTERN = VaultNaming()
MAKING = VaultNaming(create=True)
ONE_ONLY = VaultNaming(name="rsv-{region}", create=True)
FIRST, SECOND, THIRD = (
    VaultId(SUB, "rg-backup-westeurope", f"rsv-11111111-westeurope-{n}") for n in (1, 2, 3)
)
TENTH = VaultId(SUB, "elsewhere", "rsv-11111111-westeurope-10")


def choose(
    *vaults: VaultFacts, naming: VaultNaming = PATTERN, full: frozenset[VaultId] = frozenset()
) -> VaultChoice:
    return choose_vault(SUB, HERE, vaults, naming, full)


def test_a_vault_by_the_pattern_is_used() -> None:
    assert choose(vault()) == Use(vault())


def test_vaults_of_other_names_are_not_used() -> None:
    answer = choose(vault(id=FOREIGN_VAULT))

    assert isinstance(answer, NoVault)
    assert answer.reason is Reason.NO_VAULT


def test_numbers_count_as_numbers_and_the_lowest_with_room_wins() -> None:
    tenth, second = vault(id=TENTH), vault(id=SECOND)

    assert choose(tenth, second) == choose(second, tenth) == Use(second)


def test_a_full_vault_has_a_successor() -> None:
    full, next_one = vault(items=1000), vault(id=SECOND_VAULT, items=999)

    assert choose(full, next_one) == Use(next_one)


def test_a_vault_that_said_it_is_full_is_believed() -> None:
    first, second = vault(items=600), vault(id=SECOND)

    assert choose(first, second, full=frozenset({FIRST})) == Use(second)


def test_only_with_leave_a_vault_is_made() -> None:
    assert choose(naming=MAKING) == Make(FIRST)
    assert isinstance(choose(naming=PATTERN), NoVault)


def test_the_vault_that_is_made_takes_the_first_free_number() -> None:
    full = [vault(id=id, items=1000) for id in (FIRST, THIRD)]

    assert choose(*full, naming=MAKING) == Make(SECOND)


def test_a_pattern_without_a_number_makes_one_vault_and_no_second() -> None:
    only = VaultId(SUB, "rg-backup-westeurope", "rsv-westeurope")

    assert choose(naming=ONE_ONLY) == Make(only)
    answer = choose(vault(id=only, items=1000), naming=ONE_ONLY)
    assert isinstance(answer, NoVault)
    assert answer.reason is Reason.VAULT_FULL


def test_all_full_is_said_where_none_may_be_made() -> None:
    answer = choose(vault(items=1000))

    assert isinstance(answer, NoVault)
    assert answer.reason is Reason.VAULT_FULL


def test_an_empty_vault_that_says_it_is_full_gets_no_successor() -> None:
    # Else a refusal that we misread would make vault after vault.
    full, empty = vault(items=1000), vault(id=SECOND, items=0)

    answer = choose(full, empty, naming=MAKING, full=frozenset({SECOND}))

    assert isinstance(answer, NoVault)
    assert answer.reason is Reason.VAULT_FULL


def test_a_configured_vault_and_no_other_is_used() -> None:
    naming = VaultNaming(create=True, use=(UseVault(SUB, HERE, FOREIGN_VAULT),))

    assert choose(vault(), vault(id=FOREIGN_VAULT), naming=naming) == Use(vault(id=FOREIGN_VAULT))
    missing = choose(vault(), naming=naming)
    assert isinstance(missing, NoVault)
    assert missing.reason is Reason.NO_VAULT
    full = choose(vault(), vault(id=FOREIGN_VAULT, items=1000), naming=naming)
    assert isinstance(full, NoVault)
    assert full.reason is Reason.VAULT_FULL


def test_a_configured_vault_holds_for_its_place_only() -> None:
    naming = VaultNaming(use=(UseVault(SUB, "northeurope", FOREIGN_VAULT),))

    assert choose(vault(), naming=naming) == Use(vault())


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("rsv-11111111-westeurope-1", 1),
        ("rsv-11111111-westeurope-12", 12),
        ("rsv-11111111-westeurope-", None),
        ("rsv-11111111-westeurope-x", None),
        ("rsv-11111111-northeurope-1", None),
        ("rsv-22222222-westeurope-1", None),
        ("a-rsv-11111111-westeurope-1", None),
        ("rsv-11111111-westeurope-1-b", None),
    ],
)
def test_a_vault_has_its_number_only_where_the_whole_name_fits(
    name: str, number: int | None
) -> None:
    assert PATTERN.number_of(VaultId(SUB, "rg", name), HERE) == number


def test_a_pattern_with_signs_of_regular_expressions_is_taken_as_it_is_written() -> None:
    naming = VaultNaming(name="rsv.{region}+{n}")

    assert naming.number_of(VaultId(SUB, "rg", "rsv.westeurope+3"), HERE) == 3
    assert naming.number_of(VaultId(SUB, "rg", "rsvxwesteurope+3"), HERE) is None


def test_a_vault_is_ours_by_name_or_by_being_configured() -> None:
    configured = VaultNaming(use=(UseVault(SUB, HERE, FOREIGN_VAULT),))

    assert PATTERN.ours(VAULT, HERE)
    assert not PATTERN.ours(FOREIGN_VAULT, HERE)
    assert configured.ours(FOREIGN_VAULT, HERE)
    assert not configured.ours(VAULT, HERE)


def test_the_subscriptions_part_of_a_name_is_its_own() -> None:
    assert PATTERN.named(OTHER_SUB, HERE, 2).name == "rsv-99999999-westeurope-2"
