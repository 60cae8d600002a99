"""A month of many VMs through the real triggers: what is told against what really happened."""

import pytest

from azsim.world import World
from tests.scenario.mail_stage import CHIEF, OPS, TEAM, subject_of
from tests.scenario.month import Month
from tests.scenario.month_truth import faults, matched, real_incidents, said_by
from tests.scenario.stage import opened

LONG = pytest.mark.long
# A month of two hundred takes half a minute and more.
MONTHS = [
    pytest.param(2, 48, 16, id="some VMs, two weeks"),
    *(pytest.param(seed, 200, 30, id=f"seed {seed}", marks=LONG) for seed in range(1, 6)),
]


@pytest.mark.parametrize(("seed", "vms", "length"), MONTHS)
def test_each_real_incident_is_mailed_once_per_state_and_none_is_invented(seed, vms, length):
    with opened(Month(World(seed=seed), vms=vms, length=length)) as month:
        month.play(seed)
        real, now = real_incidents(month), month.world.clock.now()
        said = [said_by(mail) for mail in month.mails]
        told, invented = matched(real, said)
        outbox = month.world.email.outbox

    assert invented == []
    assert [fault for one in real for fault in faults(one, told[one], said, now)] == []
    assert len(real) > vms // 3
    assert any(one.many for one in said)
    operations = [mail.operation_id for mail in outbox]
    assert len(operations) == len(set(operations))
    assert {address for mail in outbox for address in mail.recipients()} == {OPS, TEAM, CHIEF}
    alive = [mail for mail in month.digests if subject_of(mail).startswith("vmbackup is alive")]
    assert len(alive) == length
    assert month.failures() == []
    assert month.world.unknown == []
    assert "jobs.get" not in month.calls_since(month.world.exchanges[0].at)
