from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from vmbackup_core.domain.drill.cost import Prices, estimate
from vmbackup_core.domain.drill.facts import DiskFacts
from vmbackup_core.domain.drill.sizes import (
    Needs,
    NoSize,
    SizeChoice,
    SizeFacts,
    Usage,
    choose_size,
    needs_of,
    room_for,
)

ALL_ZONES = ("1", "2", "3")
SMALL = SizeFacts("Standard_B2s", "standardBSFamily", 2, 4, 4, zones=ALL_ZONES)
MIDDLE = SizeFacts("Standard_D2s_v5", "standardDSv5Family", 2, 8, 4, zones=ALL_ZONES)
LARGE = SizeFacts("Standard_D4s_v5", "standardDSv5Family", 4, 16, 8, zones=ALL_ZONES)
SOURCE = SizeFacts(
    "Standard_E8s_v5",
    "standardESv5Family",
    8,
    16,
    16,
    ultra_zones=("1",),
    zones=ALL_ZONES,
)
SIZES = (SOURCE, LARGE, MIDDLE, SMALL)
NAMES = tuple(size.name for size in SIZES)
NOTHING = Needs()
PLENTY = (Usage("cores", 10, 100),)


def choose(
    needs: Needs = NOTHING,
    *,
    source: str = SOURCE.name,
    listed: tuple[str, ...] = NAMES,
    sizes: tuple[SizeFacts, ...] = SIZES,
    usages: tuple[Usage, ...] = PLENTY,
    memory_share: float = 0.25,
    free_quota: float = 0.2,
) -> SizeChoice | NoSize:
    return choose_size(
        needs, source, listed, sizes, usages, memory_share=memory_share, free_quota=free_quota
    )


def chosen(needs: Needs = NOTHING, **how: object) -> SizeChoice:
    choice = choose(needs, **how)  # type: ignore[arg-type]
    assert isinstance(choice, SizeChoice), choice
    return choice


def refused(needs: Needs = NOTHING, **how: object) -> NoSize:
    choice = choose(needs, **how)  # type: ignore[arg-type]
    assert isinstance(choice, NoSize), choice
    return choice


def test_the_smallest_of_the_listed_sizes_is_taken_in_whatever_order_they_come() -> None:
    assert chosen() == SizeChoice("Standard_B2s", 2, 4, comparable=False)


def test_a_size_that_is_not_listed_is_not_taken() -> None:
    assert chosen(listed=("Standard_D4s_v5",)).name == "Standard_D4s_v5"


def test_names_compare_without_case() -> None:
    assert chosen(listed=("STANDARD_d4s_V5",)).name == "Standard_D4s_v5"


def test_without_a_list_the_source_s_own_size_is_taken_and_its_times_compare() -> None:
    assert chosen(listed=()) == SizeChoice("Standard_E8s_v5", 8, 16, comparable=True)


def test_the_source_s_size_compares_where_it_is_listed_and_the_smallest_as_well() -> None:
    assert chosen(source="Standard_B2s").comparable


def test_a_size_with_too_little_of_the_source_s_memory_is_passed_over() -> None:
    choice = chosen(memory_share=0.5)

    assert choice.name == "Standard_D2s_v5"
    assert choice.passed == ("Standard_B2s: 4 GB of memory, of which 8 GB are asked for",)


def test_without_the_source_s_memory_no_share_of_it_can_be_kept() -> None:
    assert refused(source="Standard_Gone", listed=("Standard_B2s",)) == NoSize(
        (
            "Standard_Gone: is not offered in this region",
            "Standard_B2s: the memory of Standard_Gone is not known to compare with",
        )
    )
    assert chosen(source="Standard_Gone", memory_share=0).name == "Standard_B2s"


def test_a_listed_size_that_the_region_does_not_have_is_named() -> None:
    choice = chosen(listed=("Standard_X1", "Standard_B2s"))

    assert choice.passed == ("Standard_X1: is not offered in this region",)


ONLY_V1 = replace(SMALL, generations=("V1",))
ONLY_V2 = replace(SMALL, generations=("V2",))
MISFITS = [
    (Needs(generations=("V2",)), ONLY_V1, "does not boot generation V2"),
    (Needs(generations=("V1",)), ONLY_V2, "does not boot generation V1"),
    (Needs(), ONLY_V2, "does not boot generation V1"),
    (Needs(architecture="Arm64"), SMALL, "is no Arm64 machine"),
    (Needs(), replace(SMALL, architecture="Arm64"), "is no x64 machine"),
    (
        Needs(security="TrustedLaunch"),
        replace(SMALL, trusted_launch=False),
        "has no trusted launch",
    ),
    (
        Needs(security="ConfidentialVM_DiskEncryptedWithPlatformKey"),
        SMALL,
        "is no confidential VM",
    ),
    (Needs(), replace(SMALL, controllers=("NVMe",)), "has no disk controller SCSI"),
    (Needs(controllers=("NVMe",)), SMALL, "has no disk controller NVMe"),
    (Needs(premium=True), replace(SMALL, premium=False), "takes no premium disks"),
    (Needs(ultra=True, zones=("1",)), SMALL, "takes no ultra disks here"),
    (Needs(ultra=True), replace(SMALL, ultra_zones=("1",)), "takes no ultra disks here"),
    (Needs(data_disks=5), SMALL, "takes 4 data disks, of which there are 5"),
    (Needs(zones=("2",)), replace(SMALL, zones=("1", "3")), "is not offered in zone 2"),
    (Needs(), replace(SMALL, restricted="not for this one"), "not for this one"),
]


@pytest.mark.parametrize(("needs", "size", "why"), MISFITS, ids=lambda part: str(part)[:40])
def test_a_size_that_does_not_fit_says_why(needs: Needs, size: SizeFacts, why: str) -> None:
    choice = choose(needs, listed=(size.name,), sizes=(SOURCE, size))

    assert (choice.passed if isinstance(choice, SizeChoice) else choice.because)[0] == (
        f"Standard_B2s: {why}"
    )


def test_what_fits_in_every_way_is_taken() -> None:
    needs = Needs(("V2",), "Arm64", "ConfidentialVM", ("NVMe",), True, True, 4, ("1",))
    fit = SizeFacts(
        "Standard_Fit",
        "f",
        2,
        8,
        4,
        ("V2",),
        "Arm64",
        ("NVMe",),
        ultra_zones=("1",),
        confidential=True,
        zones=("1",),
    )

    assert chosen(needs, listed=(fit.name,), sizes=(SOURCE, fit)).name == "Standard_Fit"


def test_ultra_disks_without_a_zone_need_a_size_that_takes_them_so() -> None:
    ultra = replace(SMALL, ultra=True)

    assert chosen(Needs(ultra=True), listed=(ultra.name,), sizes=(SOURCE, ultra)).name == ultra.name


def test_a_controller_is_asked_for_only_where_it_is_not_azure_s_own_choice() -> None:
    nvme = replace(SMALL, controllers=("NVMe",))
    both = replace(SMALL, controllers=("SCSI", "NVMe"))
    needs = Needs(controllers=("SCSI", "NVMe"))

    assert chosen(needs, listed=(nvme.name,), sizes=(SOURCE, nvme)).controller == "NVMe"
    assert chosen(needs, listed=(both.name,), sizes=(SOURCE, both)).controller == ""


def test_where_the_disks_tell_no_controller_that_of_the_source_s_size_serves() -> None:
    newer = replace(SOURCE, controllers=("NVMe",))

    assert chosen(listed=(), sizes=(newer,)).controller == "NVMe"


def test_the_regional_quota_keeps_its_free_share() -> None:
    exactly = chosen(usages=(Usage("cores", 78, 100),))
    none = refused(usages=(Usage("cores", 79, 100),))

    assert exactly.name == "Standard_B2s"
    assert none.for_quota
    assert none.because[0] == (
        "Standard_B2s: 2 vCPUs would leave less than 20% of the quota cores free: 79 of 100 are "
        "used"
    )
    assert len(none.because) == len(SIZES)


def test_a_family_without_room_leads_to_a_size_of_another() -> None:
    usages = (*PLENTY, Usage("standardbsfamily", 4, 4))

    choice = chosen(usages=usages)

    assert choice.name == "Standard_D2s_v5"
    assert "standardbsfamily free: 4 of 4 are used" in choice.passed[0]


def test_no_size_for_want_of_one_is_not_for_want_of_quota() -> None:
    assert not refused(Needs(architecture="Arm64")).for_quota


def test_a_region_that_tells_no_quota_has_no_room() -> None:
    assert refused(usages=()).because[0] == (
        "Standard_B2s: the region's quota of vCPUs is not told"
    )
    assert room_for((), 0.2) == 0


def test_the_room_of_a_night_is_what_leaves_the_share_free() -> None:
    usages = (Usage("cores", 10, 100), Usage("standardBSFamily", 0, 9))

    assert room_for(usages, 0.2) == 70
    assert room_for(usages, 0.2, "StandardBSFamily") == 7
    assert room_for(usages, 0.2, "standardOtherFamily") == 70
    assert room_for((Usage("cores", 90, 100),), 0.2) == 0


def test_shares_are_exact() -> None:
    assert Usage("cores", 0, 35).room(0.2) == 28
    assert Usage("cores", 0, 10).room(0.3) == 7


def test_needs_are_those_of_the_disks() -> None:
    system = DiskFacts(
        "/os",
        "os",
        127,
        os_type="Windows",
        generation="V2",
        security="TrustedLaunch",
        architecture="x64",
        controllers=("SCSI", "NVMe"),
        sku="StandardSSD_LRS",
        zones=("1",),
    )
    data = DiskFacts("/d", "d", 64, sku="PremiumV2_LRS", zones=("1",))
    ultra = DiskFacts("/u", "u", 64, sku="UltraSSD_LRS", zones=("1",))

    assert needs_of((data, system, ultra)) == Needs(
        ("V2",), "x64", "TrustedLaunch", ("SCSI", "NVMe"), True, True, 2, ("1",)
    )
    assert needs_of(()) == Needs()
    assert needs_of((replace(data, zones=()),), ("3",)).zones == ("3",)


def test_a_copy_costs_what_its_vcpus_and_disks_do() -> None:
    prices = Prices(vcpu_hour=Decimal("0.05"), gb_month=Decimal("0.10"))

    assert estimate(2, timedelta(hours=2), 730, prices) == Decimal("0.4")
    assert estimate(2, timedelta(hours=2), 730, None) is None
