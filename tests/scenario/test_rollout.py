"""The first day: everything that is tagged asks at once, and the provider's budgets are small."""

from datetime import timedelta

from tests.scenario.stage import Stage

VMS = 200
MINUTES = timedelta(minutes=1)


def test_a_first_rollout_does_not_wait_for_the_budget_of_single_reads(stage: Stage):
    stage.create_vault()
    for number in range(VMS):
        stage.create_vm(f"web-{number}", tag="gold")

    stage.run(45 * MINUTES)

    assert {stage.policy_of(f"web-{n}") for n in range(VMS)} == {"gold"}
    refused = [e for e in stage.ours if e.response.status == 429]
    assert 0 < len(refused) < VMS / 10
    assert {stage.effective_enables(f"web-{n}") for n in range(VMS)} == {1}
