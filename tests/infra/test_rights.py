"""Who may do what where: every needed action is granted, and none that nobody needs."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.test_adapters_permissions import page_rows
from tests.infra.bicep import Resource
from tests.infra.estate import OTHER, WEST, estate, of_kind
from tools import roles
from vmbackup_core.domain.drill.slots import PREFIX

NEEDS = roles.operations()
BUILT_IN = {
    "3913510d-42f4-4e42-8a64-420c390055eb": "Monitoring Metrics Publisher",
    "b7e6dc6d-f1e8-4753-8033-0f276bb0955b": "Storage Blob Data Owner",
    "974c5e8b-45b9-4653-ba55-5f855dd0fb88": "Storage Queue Data Contributor",
    "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3": "Storage Table Data Contributor",
    "ba92f5b4-2d11-453d-a403-e96b0029c9fe": "Storage Blob Data Contributor",
}
SLOT = re.compile(rf"/subscriptions/{OTHER}/resourceGroups/{PREFIX}-{WEST}-\d+")
OF_THE_APP = ("reader", "protector", "restorer", "keeper", "host", "events")


def grants(*, separate: bool = False) -> Iterator[tuple[str, str, str]]:
    """Yield who is granted which role on what: identity, role, scope."""
    resources = estate(separate=separate)
    named = {
        one.id: one.body["properties"]["roleName"].split()[1]
        for one in of_kind(resources, "Microsoft.Authorization/roleDefinitions")
    } | {key: name for key, name in BUILT_IN.items()}
    for one in of_kind(resources, "Microsoft.Authorization/roleAssignments"):
        given = one.body["properties"]
        role = given["roleDefinitionId"]
        scope, _, _ = one.id.rpartition("/providers/Microsoft.Authorization/")
        named_role = named.get(role) or BUILT_IN[role.rsplit("/", 1)[-1]]
        yield str(given["principalId"]).split("-")[2], named_role, scope


def granted_to(identity: str, *, separate: bool = False) -> dict[str, set[str]]:
    """Return the actions that an identity has by roles of ours, by scope."""
    found: dict[str, set[str]] = {}
    for whose, role, scope in grants(separate=separate):
        if whose == identity and role in roles.ROLES:
            found.setdefault(scope, set()).update(roles.actions_of(role, NEEDS))
    return found


def needed_by(identity: str) -> set[str]:
    """Return what the page of permissions says that an identity needs."""
    rows = page_rows()
    text = (Path(__file__).parents[2] / "docs" / "permissions.md").read_text()
    whose = dict(re.findall(r"^\| `(\w+)` \| (\w+) \|", text, re.MULTILINE))
    return {
        action
        for (adapter, name), actions in rows.items()
        if whose[name] == identity
        for action in actions
    }


def test_the_file_of_roles_says_what_the_adapters_say() -> None:
    assert roles.FILE.read_text() == roles.render()


def test_every_operation_of_every_adapter_is_in_a_role() -> None:
    assert {name for _, names in roles.ROLES.values() for name in names} == set(NEEDS)


def test_every_adapter_that_names_actions_is_known() -> None:
    adapters = Path(__file__).parents[2] / "vmbackup_core" / "adapters"
    naming = {path.stem for path in adapters.glob("*.py") if "\nACTIONS:" in path.read_text()}

    assert naming == set(roles.ADAPTERS)


@pytest.mark.parametrize("identity", ["reader", "protector", "restorer"])
def test_an_identity_is_granted_what_it_needs_and_nothing_else(identity: str) -> None:
    granted = set().union(*granted_to(identity).values())

    assert granted | roles.MADE_BY_DEPLOYMENT == needed_by(identity) | roles.MADE_BY_DEPLOYMENT


def test_what_is_granted_to_nobody_is_made_by_the_deployment() -> None:
    made = {one.name for one in estate() if one.kind.endswith(("/containers", "/tables"))}

    assert made >= {"vmbackup", "state", "evidence", "deadletters"}


@pytest.mark.parametrize("role", roles.ROLES)
def test_no_role_has_a_wildcard(role: str) -> None:
    assert not [action for action in roles.actions_of(role, NEEDS) if "*" in action]


@pytest.mark.parametrize("identity", OF_THE_APP)
@pytest.mark.parametrize("separate", [False, True])
def test_no_identity_can_assign_a_role_or_read_a_key(identity: str, separate: bool) -> None:
    granted = set().union(*granted_to(identity, separate=separate).values())

    assert not [a for a in granted if a.startswith("Microsoft.Authorization/")]
    assert not [a for a in granted if "listkeys" in a.lower() or "sas" in a.lower().split("/")[-2]]


def test_only_the_restorer_deletes_and_only_in_slots_and_staging() -> None:
    deleting = {
        (identity, scope)
        for identity in OF_THE_APP
        for scope, actions in granted_to(identity).items()
        if any(action.endswith("/delete") for action in actions)
    }
    staging = {scope for _, scope in deleting if "/storageAccounts/" in scope}

    assert {identity for identity, _ in deleting} == {"restorer"}
    assert len(staging) == 1
    assert all(SLOT.fullmatch(scope) for _, scope in deleting if scope not in staging)


def test_writing_vms_never_meets_running_something_in_them_outside_of_slots() -> None:
    writing = {
        scope: actions
        for identity in OF_THE_APP
        for scope, actions in granted_to(identity).items()
        if "Microsoft.Compute/virtualMachines/write" in actions and not SLOT.fullmatch(scope)
    }

    assert writing
    assert not [
        action
        for actions in writing.values()
        for action in actions
        if "runcommand" in action.lower() or "extensions" in action.lower()
    ]


def test_the_restorer_has_rights_only_where_restore_tests_run() -> None:
    assert {scope.split("/")[2] for scope in granted_to("restorer")} == {OTHER}


def test_the_app_that_tests_restores_alone_can_protect_nothing() -> None:
    keeper = granted_to("keeper", separate=True)

    assert {scope.split("/")[4] for scope in keeper} == {"rg-vmbackup-test"}
    assert set().union(*keeper.values()) < set().union(*granted_to("protector").values())


def test_evidence_can_be_added_and_not_changed() -> None:
    [evidence] = [s for s in granted_to("protector") if s.endswith("/containers/evidence")]
    granted = {action.rsplit("/blobs/", 1)[-1] for action in granted_to("protector")[evidence]}

    assert granted == {"read", "add/action"}


def test_built_in_roles_are_granted_on_the_app_s_own_things_alone() -> None:
    scopes = {scope for _, role, scope in grants() if role not in roles.ROLES}

    assert all("/resourceGroups/rg-vmbackup-test/providers/" in scope for scope in scopes)


def test_role_names_differ_between_subscriptions() -> None:
    definitions = of_kind(estate(), "Microsoft.Authorization/roleDefinitions")
    names = [_role_name(one) for one in definitions]

    assert len(set(names)) == len(names)


def _role_name(definition: Resource) -> str:
    return str(definition.body["properties"]["roleName"])
