"""Whether restored disks are those that the recovery point recorded, and which goes where."""

from dataclasses import replace
from typing import Any

import pytest

from tests.drills import point
from vmbackup_core.domain.drill.facts import AttachedDisk, DiskFacts, Recipe, RecipeDisk
from vmbackup_core.domain.drill.proof_caps import cap_of, reason_of_refusal
from vmbackup_core.domain.drill.proof_disks import Attachment, judge_disks, plan_attachment
from vmbackup_core.domain.drill.reasons import ProofReason
from vmbackup_core.domain.drill.rungs import Mark, Rung, RungResult
from vmbackup_core.domain.facts import DiskExclusion

STAMP = "20300115-010000"


def disk_id(name: str) -> str:
    return f"/subscriptions/s/resourcegroups/slot/providers/microsoft.compute/disks/{name}".lower()


def disk(name: str, size_gb: int = 64, **more: Any) -> DiskFacts:
    return DiskFacts(disk_id(name), name, size_gb, **more)


def data(number: int, size_gb: int = 64, **more: Any) -> DiskFacts:
    return disk(f"web01-datadisk-{number:03}-{STAMP}", size_gb, **more)


def recipe(*disks: RecipeDisk, **more: Any) -> Recipe:
    more.setdefault("os_type", "Linux")
    more.setdefault("os_size_gb", 30)
    more.setdefault("os_caching", "ReadWrite")
    return Recipe(disks=disks, **more)


def kept(lun: int, size_gb: int | None = 64, **more: Any) -> RecipeDisk:
    return RecipeDisk(lun, size_gb, "ReadOnly", **more)


OS = disk(f"web01-osdisk-{STAMP}", 30, os_type="Linux", generation="V2", security="TrustedLaunch")
FIRST, SECOND = data(0), data(1)


def told(result: RungResult) -> tuple[Mark, ProofReason]:
    return result.mark, result.reason


def differences(was: Recipe, *disks: DiskFacts, **more: Any) -> tuple[str, ...]:
    result = judge_disks(was, disks, **more)
    assert told(result) == (Mark.FAIL, ProofReason.DISKS_DIFFER)
    return result.because


def attached(was: Recipe, *disks: DiskFacts, **more: Any) -> dict[int | None, str]:
    """Return the disks' names by the LUN that they go to; None is the OS disk."""
    planned = plan_attachment(was, disks, **more)
    assert isinstance(planned, Attachment)
    return {
        one.lun: one.disk_id.rsplit("/", 1)[-1] for one in (planned.os_disk, *planned.data_disks)
    }


MATCH = (Mark.PASS, ProofReason.DISKS_MATCH)


def test_disks_that_are_as_recorded_match() -> None:
    assert told(judge_disks(recipe(kept(0), kept(1)), (SECOND, OS, FIRST))) == MATCH


def test_what_was_compared_is_said_and_so_is_what_was_not() -> None:
    result = judge_disks(recipe(kept(2), generation="V2"), (OS, FIRST))

    assert result.because == (
        "1 OS disk and 1 data disks (LUNs: 2), told by their names",
        "alike: number, OS type, generation, sizes",
        "not recorded, so not compared: security type, encryption",
    )


@pytest.mark.parametrize("nothing", [Recipe(), Recipe(size="Standard_D2s_v5", generation="V2")])
def test_without_a_record_nothing_passes(nothing: Recipe) -> None:
    result = judge_disks(nothing, (OS,))

    assert told(result) == (Mark.NOT_RUN, ProofReason.NO_RECIPE)


@pytest.mark.parametrize(
    ("was", "words"),
    [
        (recipe(os_type="Windows"), "OS type: Windows was recorded, and Linux is"),
        (recipe(os_size_gb=32), "OS disk: 32 GB were recorded, and 30 restored"),
        (recipe(generation="V1"), "generation: V1 was recorded, and V2 is"),
        (
            recipe(security="ConfidentialVM"),
            "security type: ConfidentialVM was recorded, and TrustedLaunch is",
        ),
        (recipe(os_encryption_set="/des"), "OS disk: encryption set: /des was recorded, and - is"),
        (recipe(kept(0)), "1 data disks were recorded, and 0 restored"),
    ],
)
def test_each_difference_fails(was: Recipe, words: str) -> None:
    assert differences(was, OS) == (words,)


def test_every_difference_is_named() -> None:
    was = recipe(kept(0, 128), kept(3), os_size_gb=31, generation="V1")

    assert len(differences(was, OS, FIRST, SECOND)) == 3


def test_a_disk_too_many_fails() -> None:
    assert differences(recipe(), OS, FIRST) == ("0 data disks were recorded, and 1 restored",)


def test_data_disks_that_no_recipe_tells_of_are_no_difference() -> None:
    result = judge_disks(recipe(disks_told=False), (OS, FIRST, SECOND))

    assert told(result) == (Mark.NOT_RUN, ProofReason.DISKS_UNTOLD)
    assert result.because == ("what was recorded does not tell of data disks, and 2 were restored",)


def test_where_no_recipe_tells_of_data_disks_and_none_came_their_number_is_not_compared() -> None:
    result = judge_disks(recipe(disks_told=False), (OS,))

    assert told(result) == MATCH
    assert any("not compared: number" in words for words in result.because)


def test_no_disk_at_all_fails() -> None:
    assert differences(recipe()) == ("no disk was restored",)


def test_what_the_point_itself_says_is_compared_as_well() -> None:
    old = point(os_type="Windows", security="")

    assert differences(recipe(os_type=""), OS, point=old) == (
        "OS type: Windows was recorded, and Linux is",
    )


@pytest.mark.parametrize(
    ("of_machine", "of_disk"),
    [
        ("TrustedLaunch", "TrustedLaunch"),
        ("ConfidentialVM", "ConfidentialVM_DiskEncryptedWithPlatformKey"),
        ("Standard", ""),
    ],
)
def test_machines_and_disks_spell_their_security_apart(of_machine: str, of_disk: str) -> None:
    system = replace(OS, security=of_disk)

    assert told(judge_disks(recipe(security=of_machine), (system,))) == MATCH


# Disks that the backup leaves out.


def test_an_excluded_disk_is_not_missed() -> None:
    result = judge_disks(
        recipe(kept(0), kept(1)), (OS, FIRST), exclusion=DiskExclusion((1,), including=False)
    )

    assert told(result) == MATCH
    assert "left out of the backup: LUN 1" in result.because


def test_a_disk_that_is_not_included_is_not_missed() -> None:
    exclusion = DiskExclusion((1,), including=True)

    assert attached(recipe(kept(0), kept(1)), OS, FIRST, exclusion=exclusion) == {
        None: OS.name,
        1: FIRST.name,
    }


def test_a_disk_that_was_excluded_later_is_in_its_place() -> None:
    exclusion = DiskExclusion((0,), including=False)

    assert attached(recipe(kept(0), kept(1)), OS, FIRST, SECOND, exclusion=exclusion) == {
        None: OS.name,
        0: FIRST.name,
        1: SECOND.name,
    }


def test_another_disk_than_the_excluded_one_is_missed() -> None:
    was = recipe(kept(0, disk_id=FIRST.id), kept(1))

    assert differences(was, OS, FIRST, exclusion=DiskExclusion((0,), including=False)) == (
        "LUN 1: recorded, and not restored",
    )


# Which disk goes where.


def test_disks_go_where_the_record_names_them() -> None:
    was = recipe(kept(0, disk_id=SECOND.id), kept(4, disk_id=FIRST.id), os_disk_id=OS.id)

    assert attached(was, OS, FIRST, SECOND) == {None: OS.name, 0: SECOND.name, 4: FIRST.name}


def test_disks_keep_the_caching_that_was_recorded() -> None:
    planned = plan_attachment(recipe(kept(3)), (OS, FIRST))

    assert planned == Attachment(
        AttachedDisk(OS.id, None, "ReadWrite"),
        (AttachedDisk(FIRST.id, 3, "ReadOnly"),),
        "their names",
    )


@pytest.mark.parametrize("numbers", [(0, 1), (2, 7)])
def test_the_services_numbers_tell_whether_they_count_or_name_luns(
    numbers: tuple[int, int],
) -> None:
    low, high = data(numbers[0]), data(numbers[1])

    assert attached(recipe(kept(2), kept(7)), OS, high, low) == {
        None: OS.name,
        2: low.name,
        7: high.name,
    }


UNTOLD = {
    "names that say nothing": (recipe(kept(0)), (OS, disk("web-data"))),
    "a number twice": (recipe(kept(0), kept(1)), (OS, data(0), disk(f"x-datadisk-000-{STAMP}"))),
    "another order": (recipe(kept(1), kept(0)), (OS, FIRST, SECOND)),
    "a LUN twice": (recipe(kept(0), kept(0)), (OS, FIRST, SECOND)),
    "some named": (recipe(kept(0, disk_id=FIRST.id), kept(1)), (OS, FIRST, SECOND)),
    "two systems": (recipe(kept(0)), (OS, data(0, os_type="Linux"))),
    "no system": (recipe(kept(0)), (FIRST, SECOND)),
}


@pytest.mark.parametrize("case", UNTOLD)
def test_what_is_not_told_is_not_guessed(case: str) -> None:
    was, disks = UNTOLD[case]

    planned = plan_attachment(was, disks)

    assert not isinstance(planned, Attachment)
    assert len(planned) == 1
    assert told(judge_disks(was, disks)) == (Mark.NOT_RUN, ProofReason.DISKS_UNTOLD)


# How high it may climb.


def test_nothing_caps_an_ordinary_machine() -> None:
    assert cap_of((OS, FIRST), recipe(), Rung.CANARY) == (Rung.CANARY, ProofReason.NOT_ASKED, ())


@pytest.mark.parametrize(
    ("disks", "was", "reason"),
    [
        ((OS, data(0, ade=True)), recipe(), ProofReason.CAPPED_ADE),
        (
            (replace(OS, security="ConfidentialVM_VMGuestStateOnly"),),
            recipe(),
            ProofReason.CAPPED_CONFIDENTIAL,
        ),
        ((OS,), recipe(security="ConfidentialVM"), ProofReason.CAPPED_CONFIDENTIAL),
    ],
)
def test_what_could_not_be_made_is_capped_at_its_disks(
    disks: tuple[DiskFacts, ...], was: Recipe, reason: ProofReason
) -> None:
    assert cap_of(disks, was, Rung.CANARY)[:2] == (Rung.DISKS, reason)


def test_a_tag_caps_with_its_own_words() -> None:
    assert cap_of((OS,), recipe(), Rung.BOOT, "tag drill = boot-only") == (
        Rung.BOOT,
        ProofReason.CAPPED_BY_TAG,
        ("tag drill = boot-only",),
    )


def test_the_lowest_cap_counts() -> None:
    disks = (replace(OS, ade=True),)

    assert cap_of(disks, recipe(), Rung.BOOT)[:2] == (Rung.DISKS, ProofReason.CAPPED_ADE)
    assert cap_of(disks, recipe(), Rung.POINT)[:2] == (Rung.POINT, ProofReason.CAPPED_BY_TAG)


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("MarketplacePurchaseEligibilityFailed", ProofReason.CAPPED_PLAN),
        ("vmmarketplaceinvalidinput", ProofReason.CAPPED_PLAN),
        ("SkuNotAvailable", ProofReason.CREATE_REFUSED),
        ("", ProofReason.CREATE_REFUSED),
    ],
)
def test_a_withdrawn_plan_is_told_by_the_refusal(code: str, reason: ProofReason) -> None:
    assert reason_of_refusal(code) is reason
