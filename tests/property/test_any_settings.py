from hypothesis import given
from hypothesis import strategies as st

from vmbackup_core.settings import SettingsError, load

LOCAL = {"VMBACKUP_STATE_DIR": "state"}
WORDS = [
    "[scope]", "[[rules]]", "[policies.gold]", "[vaults.use.x]", "[limits]", "[tags]", "[protect]",
    "subscriptions", "mode", "tag", "policy", "schedule", "keep", "name", "use", "max_shrink",
    "other_tags", "kind", "snapshots", "agent_wait", "opt_out", ".", " = ", " = ", "\n",
    "\n", "\n", '"gold"', '"*"', '"20 %"', '"daily at 22:00"', "{", "}", "[", "]", ",", "1", "-7",
    "true", "1.5", "1979-05-27", '"""', "'", "#", "{ daily = 7 }", '["a"]', "{n}",
]  # fmt: skip


def faults_of(text):
    try:
        load(text, LOCAL, source="vmbackup.toml")
    except SettingsError as error:
        return error.faults
    return ()


@given(st.lists(st.sampled_from(WORDS), max_size=40).map("".join))
def test_whatever_is_written_is_understood_or_told_its_faults(text):
    lines = text.count("\n") + 1

    assert all(0 <= fault.line <= lines for fault in faults_of(text))


@given(st.binary(max_size=60))
def test_whatever_bytes_there_are_nothing_but_faults_comes_of_them(raw):
    assert faults_of(raw)


SECTIONS = st.sampled_from(["scope", "tags", "rules", "policies", "vaults", "limits", "protect"])
VALUES = st.recursive(
    st.sampled_from(["1", "true", "1.5", '"text"', '"*"', "1979-05-27", "[]", "{}"]),
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda some: f"[{', '.join(some)}]")
        | inner.map(lambda one: f"{{ policy = {one}, keep = {one}, use = {one} }}")
    ),
    max_leaves=5,
)


@given(st.dictionaries(SECTIONS, VALUES))
def test_a_section_of_any_shape_is_told_its_faults(sections):
    text = "\n".join(f"{name} = {value}" for name, value in sections.items())

    assert faults_of(text)
