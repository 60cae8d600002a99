"""Whatever the sizes, the quotas and the needs are, what is chosen fits and leaves its share."""

from hypothesis import given
from hypothesis import strategies as st

from vmbackup_core.domain.drill.sizes import (
    Needs,
    NoSize,
    SizeChoice,
    SizeFacts,
    Usage,
    choose_size,
)

FAMILIES = ("a", "b")
NAMES = ("s1", "s2", "s3", "s4", "s5")
ZONES = ("1", "2", "3")


def some(*values: str) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(st.sampled_from(values), unique=True).map(tuple)


SIZES = st.lists(
    st.builds(
        SizeFacts,
        name=st.sampled_from(NAMES),
        family=st.sampled_from(FAMILIES),
        vcpus=st.integers(1, 16),
        memory_gb=st.integers(1, 64).map(float),
        max_data_disks=st.integers(0, 8),
        generations=some("V1", "V2"),
        architecture=st.sampled_from(("x64", "Arm64")),
        controllers=some("SCSI", "NVMe"),
        premium=st.booleans(),
        ultra=st.booleans(),
        ultra_zones=some(*ZONES),
        trusted_launch=st.booleans(),
        confidential=st.booleans(),
        zones=some(*ZONES),
        restricted=st.sampled_from(("", "", "", "not here")),
    ),
    unique_by=lambda size: size.name,
)
NEEDS = st.builds(
    Needs,
    generations=some("V1", "V2"),
    architecture=st.sampled_from(("", "x64", "Arm64")),
    security=st.sampled_from(("", "TrustedLaunch", "ConfidentialVM")),
    controllers=some("SCSI", "NVMe"),
    premium=st.booleans(),
    ultra=st.booleans(),
    data_disks=st.integers(0, 8),
    zones=some(*ZONES),
)
USAGES = st.lists(
    st.builds(
        Usage,
        name=st.sampled_from(("cores", *FAMILIES)),
        used=st.integers(0, 100),
        limit=st.integers(0, 100),
    ),
    unique_by=lambda usage: usage.name,
)
LISTED = some(*NAMES)
SHARE = st.sampled_from((0.0, 0.2, 0.5, 1.0))
CASES = (NEEDS, st.sampled_from(NAMES), LISTED, SIZES, USAGES)


@given(*CASES, SHARE, SHARE)
def test_what_is_chosen_is_allowed_and_fits_and_leaves_its_share(
    needs: Needs,
    source: str,
    listed: tuple[str, ...],
    sizes: list[SizeFacts],
    usages: list[Usage],
    memory_share: float,
    free_quota: float,
) -> None:
    choice = choose_size(
        needs, source, listed, sizes, usages, memory_share=memory_share, free_quota=free_quota
    )
    match choice:
        case SizeChoice():
            size = next(size for size in sizes if size.name == choice.name)
            quotas = [usage for usage in usages if usage.name in ("cores", size.family)]
            own = [other.memory_gb for other in sizes if other.name == source]
            assert choice.name in (*listed, source)
            assert choice.comparable == (choice.name == source)
            assert not size.restricted
            assert set(needs.generations) <= set(size.generations)
            assert needs.data_disks <= size.max_data_disks
            assert needs.premium <= size.premium
            assert set(needs.zones) <= set(size.zones)
            assert all(usage.used + size.vcpus <= usage.limit for usage in quotas)
            assert all(
                usage.limit - usage.used - size.vcpus >= free_quota * usage.limit - 1e-9
                for usage in quotas
            )
            assert all(
                size.memory_gb >= share * memory_share for share in own if choice.name != source
            )
        case NoSize(because, _):
            assert len(because) >= len(set(listed))
            assert all(any(why.startswith(f"{name}: ") for why in because) for name in listed)


@given(*CASES, SHARE, SHARE)
def test_the_order_of_the_list_changes_nothing(
    needs: Needs,
    source: str,
    listed: tuple[str, ...],
    sizes: list[SizeFacts],
    usages: list[Usage],
    memory_share: float,
    free_quota: float,
) -> None:
    def chosen(names: tuple[str, ...], facts: list[SizeFacts]) -> tuple[int, float] | None:
        found = choose_size(
            needs, source, names, facts, usages, memory_share=memory_share, free_quota=free_quota
        )
        return (found.vcpus, found.memory_gb) if isinstance(found, SizeChoice) else None

    assert chosen(listed, sizes) == chosen(listed[::-1], sizes[::-1])
