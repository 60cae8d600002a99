"""The simulated Event Grid and the host's webhook together: delivery, failure, redelivery."""

import sys
from datetime import timedelta

import pytest

from azsim.world import World
from tests.contract.host_apps.opening import count, open_host

SETTINGS = {"SWEEP_SCHEDULE": "0 0 0 1 1 *"}
WRITE = "Microsoft.Compute/virtualMachines/write"


@pytest.fixture
def night():
    world = World(seed=3)
    subscription = world.groups.add_subscription("production")
    with open_host("triggers", world.clock, environment=SETTINGS) as host:
        endpoint = host.event_grid("on_event")
        world.events.subscribe("vms", subscription=subscription, endpoint=endpoint)
        yield world, host, subscription


def publish(world, subscription, subject):
    world.events.publish(subscription, "Microsoft.Resources.ResourceWriteSuccess", subject, WRITE)


def test_an_event_of_the_world_reaches_the_function(night):
    world, host, subscription = night

    publish(world, subscription, "web")
    host.run_for(timedelta(minutes=2))

    (seen,) = [s for s in sys.modules["function_app"].seen if isinstance(s, tuple)]
    assert (seen[0], seen[2]) == ("EventGridEvent", "web")


def test_an_event_that_fails_is_sent_again_on_event_grids_schedule(night):
    world, host, subscription = night

    publish(world, subscription, "bad")
    host.run_for(timedelta(minutes=2))

    assert count(host, "on_event") > 1
