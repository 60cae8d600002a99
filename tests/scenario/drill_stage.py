"""A stage for nights of restore tests: the app behind its triggers, and a place for its copies."""

import json
from datetime import timedelta
from typing import Any

from tests.scenario.stage import SUB, WEST, Stage
from vmbackup_cli.simulated import found_place
from vmbackup_core.domain.drill.slots import Place

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
PLACE = Place(SUB, WEST)
STAGING = "stdrill"
DRILLS = """
[drills]
begins = "01:00"
at_once = 1
control_every = "never"

[[drills.tiers]]
name = "all"
max_age = "30 days"
strategies = ["latest"]
rung = "boot"
"""


class NightStage(Stage):
    """A stage with a place of two slots, on the evening before the first night with backups."""

    def prepare(self, *vms: str) -> None:
        for name in vms:
            self.create_vm(name)
        found_place(self.world, PLACE, 2, staging=STAGING)
        self.until(23)

    def until(self, hour: int, minute: int = 0) -> None:
        """Run until that time of the day comes next."""
        now = self.world.clock.now()
        due = now.replace(hour=hour, minute=minute, second=0, microsecond=0)
        self.run(due - now if due > now else due + DAY - now)

    def bodies(self) -> list[Any]:
        return [found["body"] for _, found in self.app.evidence.chain("drill/")]

    def proven(self) -> list[str]:
        return [
            body["vm"].rpartition("/")[2] for body in self.bodies() if body["verdict"] == "PROVEN"
        ]

    def in_slots(self) -> list[str]:
        """Return what lies in slots: the place's own group is none of them."""
        world = self.world
        things = (
            *world.machines.disks.in_subscription(SUB),
            *world.machines.in_subscription(SUB),
            *world.networks.interfaces.in_subscription(SUB),
        )
        return [thing.id for thing in things if f"/{PLACE.group}-" in thing.id.lower()]

    def instances(self, name: str) -> list[Any]:
        assert self.host is not None
        return [one for one in self.host.instances.values() if one.name == name]

    def ask(self, **body: Any) -> Any:
        assert self.host is not None
        raw = json.dumps(body).encode()
        return self.host.http("POST", "api/drills", self.key, raw)

    def status(self, run: str) -> Any:
        assert self.host is not None
        return self.host.http("GET", f"api/drills/{run}", self.key)

    @property
    def key(self) -> dict[str, str]:
        assert self.host is not None
        return {"x-functions-key": self.host.function_key}
