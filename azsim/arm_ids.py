"""How ARM names things: resource ids, taken apart and put together; names compare without case."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ArmId:
    """
    The parts of `/subscriptions/{s}/resourceGroups/{g}/providers/{type}/{name}…`.

    `type` is the full type (`Microsoft.Compute/virtualMachines`), `name` the last name.
    Parts keep the case in which they were given; `group` and `type` may be empty.
    """

    subscription: str
    group: str = ""
    type: str = ""
    name: str = ""

    @classmethod
    def parse(cls, text: str) -> "ArmId":
        """Take an id apart; raises ValueError where it is none."""
        parts = [part for part in text.split("/") if part]
        if len(parts) < 2 or parts[0].lower() != "subscriptions":
            raise ValueError(f"not an ARM id: {text!r}")
        group, rest = "", parts[2:]
        if len(rest) >= 2 and rest[0].lower() == "resourcegroups":
            group, rest = rest[1], rest[2:]
        if not rest:
            return cls(parts[1], group)
        if len(rest) < 4 or len(rest) % 2 or rest[0].lower() != "providers":
            raise ValueError(f"not an ARM id: {text!r}")
        return cls(parts[1], group, "/".join([rest[1], *rest[2::2]]), rest[-1])


def group_id(subscription: str, group: str) -> str:
    return f"/subscriptions/{subscription}/resourceGroups/{group}"


def resource_id(subscription: str, group: str, kind: str, name: str) -> str:
    """Build the id of a top-level resource of type `kind` (`Microsoft.Compute/disks`)."""
    return f"{group_id(subscription, group)}/providers/{kind}/{name}"
