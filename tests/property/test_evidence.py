"""Whatever is done to a record of a chain, `find_break` says so."""

import copy
from typing import Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.builders import NOW, at
from vmbackup_core.domain.evidence import FIELDS, GENESIS, Kind, Record, canonical, find_break

bodies = st.dictionaries(
    st.text(max_size=5),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=8),
        lambda inner: st.lists(inner, max_size=3),
        max_leaves=4,
    ),
    max_size=4,
)
some = settings(max_examples=40, deadline=None)


def chain_of(contents: list[dict[str, Any]]) -> list[dict[str, Any]]:
    prev, chain = GENESIS, []
    for number, body in enumerate(contents, start=1):
        record = Record(number, at(number), Kind.PROTECTION, "key", prev, body).sealed()
        chain.append(record.to_json())
        prev = record.hash
    return chain


chains = st.lists(bodies, min_size=1, max_size=6).map(chain_of)
values = st.one_of(
    st.none(), st.booleans(), st.integers(), st.text(max_size=9), st.floats(allow_nan=False), bodies
)


@some
@given(chains)
def test_a_chain_as_it_was_written_holds(chain: list[dict[str, Any]]) -> None:
    assert find_break(chain) is None


@some
@given(chains, st.data())
def test_any_change_to_any_field_of_any_record_is_found(
    chain: list[dict[str, Any]], data: st.DataObject
) -> None:
    changed = copy.deepcopy(chain)
    record = data.draw(st.sampled_from(changed))
    field, value = data.draw(st.sampled_from(FIELDS)), data.draw(values)
    assume(canonical(record[field]) != canonical(value))
    record[field] = value

    assert find_break(changed) is not None


@some
@given(chains, st.text(max_size=5), values, st.data())
def test_a_field_more_is_found(
    chain: list[dict[str, Any]], name: str, value: Any, data: st.DataObject
) -> None:
    assume(name not in FIELDS)
    data.draw(st.sampled_from(chain))[name] = value

    assert find_break(chain) is not None


@some
@given(chains, st.data())
def test_a_field_less_is_found(chain: list[dict[str, Any]], data: st.DataObject) -> None:
    record = data.draw(st.sampled_from(chain))
    del record[data.draw(st.sampled_from(FIELDS))]

    assert find_break(chain) is not None


@some
@given(chains, st.data())
def test_a_record_that_is_left_out_is_found_unless_it_was_the_last(
    chain: list[dict[str, Any]], data: st.DataObject
) -> None:
    left_out = data.draw(st.integers(0, len(chain) - 1))
    rest = [record for place, record in enumerate(chain) if place != left_out]

    assert (find_break(rest) is None) == (left_out == len(chain) - 1)


@some
@given(chains, st.data())
def test_records_in_another_order_are_found(
    chain: list[dict[str, Any]], data: st.DataObject
) -> None:
    other = data.draw(st.permutations(chain))
    assume(other != chain)

    assert find_break(other) is not None


@some
@given(chains, chains)
def test_records_of_another_chain_do_not_fit(
    chain: list[dict[str, Any]], other: list[dict[str, Any]]
) -> None:
    assume(chain[0] != other[0] and len(other) > 1)

    assert find_break([chain[0], *other[1:]]) is not None


@some
@given(bodies)
def test_a_record_is_the_same_whatever_the_order_of_its_keys(body: dict[str, Any]) -> None:
    backwards = dict(reversed(list(body.items())))

    def sealed(content: dict[str, Any]) -> str:
        return Record(1, NOW, Kind.SWEEP, "sweep", GENESIS, content).sealed().hash

    assert sealed(body) == sealed(backwards)
