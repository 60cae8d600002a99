from typing import Any

import pytest

from vmbackup_core.domain.errors import Malformed
from vmbackup_core.domain.events import (
    Event,
    Unrelated,
    VmDeleted,
    VmTagged,
    VmWritten,
    parse_event,
)
from vmbackup_core.domain.ids import VmId

GROUP = "/subscriptions/s-1/resourceGroups/RG-App/providers"
WEB = f"{GROUP}/Microsoft.Compute/virtualMachines/Web"
TAGS = "/providers/Microsoft.Resources/tags/default"
VM = VmId("s-1", "rg-app", "web")
WRITE = "Microsoft.Resources.ResourceWriteSuccess"
DELETE = "Microsoft.Resources.ResourceDeleteSuccess"


def data(operation: str, resource: str = WEB) -> dict[str, Any]:
    return {"operationName": operation, "resourceUri": resource, "status": "Succeeded"}


@pytest.mark.parametrize(
    ("given", "event"),
    [
        pytest.param(data("Microsoft.Compute/virtualMachines/write"), VmWritten(VM), id="write"),
        pytest.param(
            data("MICROSOFT.COMPUTE/VIRTUALMACHINES/WRITE", WEB.upper()), VmWritten(VM), id="case"
        ),
        pytest.param(data("Microsoft.Compute/virtualMachines/delete"), VmDeleted(VM), id="delete"),
        pytest.param(
            data("Microsoft.Resources/tags/write", WEB + TAGS), VmTagged(VM), id="tags of a vm"
        ),
        pytest.param(
            data("Microsoft.Resources/tags/delete", WEB + TAGS), VmTagged(VM), id="tags removed"
        ),
        # The resource of a tag event is not recorded anywhere: both forms must do.
        pytest.param(
            data("Microsoft.Resources/tags/write", WEB), VmTagged(VM), id="tags, naming the vm"
        ),
        pytest.param(
            data("Microsoft.Resources/tags/write", f"{GROUP}/Microsoft.Network/x/y{TAGS}"),
            Unrelated("Microsoft.Resources/tags/write"),
            id="tags of something else",
        ),
        pytest.param(
            data("Microsoft.Resources/tags/write", "/subscriptions/s-1" + TAGS),
            Unrelated("Microsoft.Resources/tags/write"),
            id="tags of a subscription",
        ),
        pytest.param(
            data("Microsoft.Resources/tags/write", f"{WEB}/extensions/agent{TAGS}"),
            Unrelated("Microsoft.Resources/tags/write"),
            id="tags of an extension",
        ),
        pytest.param(
            data("Microsoft.Compute/virtualMachines/start/action"),
            Unrelated("Microsoft.Compute/virtualMachines/start/action"),
            id="an action",
        ),
    ],
)
def test_an_event_names_the_vm_to_look_at(given: dict[str, Any], event: Event) -> None:
    assert parse_event(WRITE, "", given) == event


def test_the_subject_stands_in_for_a_missing_resource() -> None:
    given = {"operationName": "Microsoft.Compute/virtualMachines/write"}

    assert parse_event(WRITE, WEB, given) == VmWritten(VM)


@pytest.mark.parametrize(
    ("subject", "given"),
    [
        pytest.param(WEB, None, id="no data"),
        pytest.param(WEB, [], id="a list"),
        pytest.param(WEB, "text", id="a text"),
        pytest.param(WEB, {}, id="no operation"),
        pytest.param(WEB, {"operationName": ""}, id="an empty operation"),
        pytest.param(WEB, {"operationName": 7}, id="an operation that is a number"),
        pytest.param("", {"operationName": "Microsoft.Compute/virtualMachines/write"}, id="no vm"),
        pytest.param("", data("Microsoft.Compute/virtualMachines/write", "web"), id="not an id"),
        pytest.param(
            "",
            {"operationName": "Microsoft.Compute/virtualMachines/write", "resourceUri": None},
            id="a resource that is null",
        ),
    ],
)
@pytest.mark.parametrize("kind", [WRITE, DELETE, "Something.Else"])
def test_what_makes_no_sense_is_malformed_and_says_why(
    kind: str, subject: str, given: object
) -> None:
    with pytest.raises(Malformed, match=r"\w+"):
        parse_event(kind, subject, given)
