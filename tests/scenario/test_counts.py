"""What things cost in calls: exact, and asserted."""

from collections import Counter
from datetime import timedelta

import pytest

from azsim.world import World
from tests.scenario.stage import GROUP, SUB, TOML, VAULT_GROUP, WEST, Stage
from vmbackup_cli.simulated import CLIENT, ENVIRONMENT, build_app

VMS = 10_000
PER_VAULT = 1_000
MAIL = '\n[mail]\nto = ["ops@contoso.example"]\n'


@pytest.fixture
def large_estate(world: World) -> World:
    """Ten thousand VMs, all protected as asked, in ten vaults that are full."""
    world.groups.add_subscription(SUB)
    world.groups.create(SUB, GROUP, WEST)
    world.groups.create(SUB, VAULT_GROUP, WEST)
    for number in range(VMS // PER_VAULT):
        vault = world.vaults.create(SUB, VAULT_GROUP, f"rsv-{SUB[:8]}-{WEST}-{number + 1}", WEST)
        enhanced = vault.policy("EnhancedPolicy")
        world.vaults.set_policy(vault, "gold", enhanced.body)
        for n in range(PER_VAULT):
            made = world.machines.create(
                subscription=SUB,
                group=GROUP,
                name=f"web-{number}-{n}",
                location=WEST,
                tags={"backup": "gold"},
            )
            world.vaults.protect(made.id, vault, "gold")
    world.clock.advance(timedelta(minutes=10))
    return world


def test_a_sweep_of_ten_thousand_vms_with_nothing_to_do_makes_at_most_25_calls(large_estate: World):
    app = build_app(large_estate, TOML)
    app.sweep.run()
    large_estate.clock.advance(timedelta(minutes=30))
    before = len(large_estate.exchanges)

    swept = app.sweep.run()

    made = Counter(e.route for e in large_estate.exchanges[before:] if e.request.client == CLIENT)
    assert swept.intents == ()
    assert swept.survey.count.reasons == {"PROTECTED": VMS}
    assert sum(made.values()) <= 25, made
    throttled = [e for e in large_estate.exchanges if e.response.status == 429]
    assert throttled == []


def test_looking_again_at_a_vm_whose_agent_is_late_costs_at_most_two_calls(stage: Stage):
    stage.create_vault()
    stage.create_vm("first")
    stage.run(timedelta(minutes=10))
    stage.create_vm("web", agent_after=timedelta(minutes=50))
    stage.run(timedelta(minutes=10))
    began = stage.world.clock.now()

    stage.run(timedelta(minutes=15))

    looks = [line for line in stage.journal.lines if "AGENT_WAIT, again" in line]
    own = stage.arm_calls(began)
    del own["graph.query"]
    assert len(looks) >= 3
    assert sum(own.values()) <= 2 * len([x for x in looks if x[:8] >= f"{began:%H:%M:%S}"])


@pytest.mark.long
def test_a_look_at_ten_thousand_items_asks_azure_at_most_fifteen_times(large_estate: World):
    vaults = large_estate.vaults
    workspace = large_estate.logs.add_workspace(SUB, "rg-ops", "law")
    for vault in vaults.in_subscription(SUB):
        large_estate.logs.connect(vault, workspace, categories=["AddonAzureBackupJobs"])
    failing = [machine.id for machine in large_estate.machines.in_subscription(SUB)[:40]]
    for vm in failing:
        vaults.fail_backups(vm, "UserErrorGuestAgentStatusUnavailable")
    environment = {**ENVIRONMENT, "VMBACKUP_LOG_WORKSPACES": workspace.customer_id}
    mails = build_app(large_estate, TOML + MAIL, environment=environment).mails()
    assert mails is not None
    mails.look()
    large_estate.clock.advance(timedelta(hours=7))
    before = len(large_estate.exchanges)

    mails.look()

    made = Counter(
        e.route
        for e in large_estate.exchanges[before:]
        if e.request.client == CLIENT and ".core.windows.net" not in e.request.host
    )
    assert made == {"graph.query": 13, "logs.query": 1}
    assert len(mails.book.read().incidents) == len(failing)
