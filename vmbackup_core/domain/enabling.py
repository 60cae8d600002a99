"""
Bringing one VM's protection to where it should be, as a state machine that takes turns.

A turn looks at the world, and then `next_move` says what to do: apply one step, wait, or end.
`after_…` take in what came of it. Everything here is pure: time is handed in, and the driver may be
a Durable activity, a command line or a test.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from vmbackup_core.domain.facts import Agent, VmFacts
from vmbackup_core.domain.failures import Reaction, classify_refusal
from vmbackup_core.domain.ids import VaultId, VmId, derive_key
from vmbackup_core.domain.operations import JobFacts, OperationFacts, Progress
from vmbackup_core.domain.plans import Plan, RefreshContainers, Step
from vmbackup_core.domain.reasons import Reason, Standing

SCHEMA = 1
MAX_TRIES = 6  # Writes that one workflow sends before it leaves the VM to the next sweep.
MAX_AGE = timedelta(hours=24)
LOOKS_WITHOUT_JOB = 2  # Then the operation itself is asked: the job list may lag or lack it.
SKEW = timedelta(seconds=60)  # Between our clock and the service's.

# Looks at growing intervals: enabling takes 2 to 85 s (recorded), a provider's hourly budget is
# small, and what is not done after some minutes is waiting for a person or a boot.
_INTERVALS = tuple(timedelta(seconds=s) for s in (60, 60, 120, 240, 480, 900))


def interval(looks: int) -> timedelta:
    """Return how long to wait before the next look, after `looks` of them."""
    return _INTERVALS[min(looks, len(_INTERVALS) - 1)]


@dataclass(frozen=True, slots=True)
class Pending:
    """
    A write that was sent and whose effect is not seen yet.

    `job` is the operation name that the vault's job list gives it ("" where it makes no job), and
    `operation` its URL ("" where the answer was lost, so that only looking can tell).
    """

    step: str
    job: str
    vault: VaultId
    operation: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of what the workflow did, for the evidence."""

    at: datetime
    text: str


@dataclass(frozen=True, slots=True)
class Enabling:
    """
    The state between two turns.

    `hint` is the number of hints that the last turn had seen; `vaults_after` says that the list of
    vaults must be younger than that, because we changed something there.
    """

    vm: VmId
    began: datetime
    hint: int = 0
    looks: int = 0
    tries: int = 0
    pending: Pending | None = None
    refresh: VaultId | None = None
    refreshed: bool = False
    agent_since: datetime | None = None
    full: tuple[VaultId, ...] = ()
    seen_jobs: tuple[str, ...] = ()
    vaults_after: datetime | None = None
    log: tuple[Entry, ...] = ()
    schema: int = SCHEMA

    def noting(self, at: datetime, text: str) -> "Enabling":
        return replace(self, log=(*self.log, Entry(at, text)))


@dataclass(frozen=True, slots=True)
class Apply:
    step: Step


@dataclass(frozen=True, slots=True)
class Wait:
    """Come back at `until`; `reason` is what the VM's verdict is meanwhile."""

    until: datetime
    reason: Reason
    because: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Done:
    """Nothing more to do; `reason` is the verdict."""

    reason: Reason
    because: tuple[str, ...] = ()


Move = Apply | Wait | Done


@dataclass(frozen=True, slots=True)
class AskOperation:
    """The job list does not tell: read the operation itself before judging."""


@dataclass(frozen=True, slots=True)
class Ended:
    """The write has ended well, or will never tell: look at the whole again."""


def next_move(state: Enabling, plan: Plan, now: datetime) -> Move:
    """Return what to do about `plan`, made from what this turn saw."""
    if plan.reason.standing is not Standing.WORK:
        return Done(plan.reason, plan.because)
    if spent(state, now):
        late = state.agent_since is not None  # Every write since was refused for the agent's sake.
        return given_up(state, Reason.AGENT_NEVER_READY if late else plan.reason, plan.because)
    if not plan.steps:
        return wait(state, now, plan.reason, *plan.because)
    if state.refresh is not None and not state.refreshed:
        return Apply(RefreshContainers(state.refresh))
    return Apply(plan.steps[0])


def agent_wait(state: Enabling, vm: VmFacts, now: datetime, limit: timedelta) -> Wait | Done | None:
    """
    Return whether to wait on for the VM's agent, None where there is nothing to wait for.

    It is waited for only where Azure asked for it, and a VM that is off needs none.
    """
    if state.agent_since is None or vm.agent is Agent.READY or vm.power.off:
        return None
    waited = f"waiting for the VM agent since {state.agent_since:%H:%M} UTC"
    if now - state.agent_since >= limit:
        return Done(Reason.AGENT_NEVER_READY, (waited,))
    return wait(state, now, Reason.AGENT_WAIT, waited)


def spent(state: Enabling, now: datetime) -> bool:
    """Whether the workflow has tried for long enough."""
    return now - state.began > MAX_AGE or state.tries >= MAX_TRIES


def given_up(state: Enabling, reason: Reason, because: tuple[str, ...]) -> Done:
    """Return the end of a workflow that leaves its VM to the next sweep."""
    tried = f"{state.tries} tries since {state.began:%Y-%m-%d %H:%M} UTC"
    return Done(reason, (*because, tried, "left to the next sweep"))


def after_trouble(
    state: Enabling, reason: Reason, words: str, after: timedelta | None, now: datetime
) -> tuple[Enabling, Wait | Done]:
    """Take in that the service could not be asked now: come back when it said, or later."""
    if spent(state, now):
        return state, given_up(state, reason, (words,))
    until = now + (interval(state.looks) if after is None else after + _apart(state))
    return after_look(state), Wait(until, reason, (words,))


def _apart(state: Enabling) -> timedelta:
    """
    Return up to a minute, another for each VM and look, the same in each try.

    All who were told to come back in a second would meet again in a second.
    """
    place = int(derive_key("apart", str(state.vm), str(state.looks))[-8:], 16) / 2**32
    return interval(0) * place


def wait(state: Enabling, now: datetime, reason: Reason, *because: str) -> Wait:
    """Return a wait that grows with the looks that led nowhere."""
    return Wait(now + interval(state.looks), reason, because)


def find_job(state: Enabling, jobs: tuple[JobFacts, ...]) -> JobFacts | None:
    """Return the newest job of the pending write among `jobs`."""
    pending = state.pending
    if pending is None:
        return None
    ours = [
        job
        for job in jobs
        if job.concerns(state.vm)
        and job.operation == pending.job
        and job.started >= pending.since - SKEW
        and job.id not in state.seen_jobs
    ]
    return max(ours, key=lambda job: job.started, default=None)


def judge(
    state: Enabling, job: JobFacts | None, operation: OperationFacts | None, now: datetime
) -> Wait | Done | Ended | AskOperation | OperationFacts:
    """
    Say how the pending write stands, from its job and, once asked for, its operation.

    A failed operation is returned as it is, with the service's code; one that says that all went
    well does not outweigh its failed job. Done is for one that never ends: the next workflow begins
    by looking.
    """
    pending = state.pending
    if pending is None:
        return Ended()
    failed = job is not None and job.progress is Progress.FAILED
    if operation is not None:
        match operation.progress:
            case Progress.FAILED:
                return operation
            case Progress.SUCCEEDED if job is not None and failed:
                return OperationFacts(Progress.FAILED, job.title, job.message)
            case Progress.SUCCEEDED:
                return Ended()
            case Progress.RUNNING:
                return _still(state, now)
    if job is not None and job.progress is Progress.SUCCEEDED:
        return Ended()
    unseen = job is None and state.looks >= LOOKS_WITHOUT_JOB
    if (failed or unseen or not pending.job) and pending.operation:
        return AskOperation()
    if failed or (unseen and not pending.operation):
        return Ended()  # The answer was lost: what is there now tells more than waiting.
    return _still(state, now)


def _still(state: Enabling, now: datetime) -> Wait | Done:
    step = state.pending.step if state.pending else "the write"
    since = f" since {state.pending.since:%H:%M:%S} UTC" if state.pending else ""
    words = f"{step} under way{since}"
    if now - state.began > MAX_AGE:
        return given_up(state, Reason.TO_PROTECT, (words,))
    return wait(state, now, Reason.TO_PROTECT, words)


def after_try(state: Enabling) -> Enabling:
    """Take in that a step was sent and answered, well or not."""
    return replace(state, tries=state.tries + 1)


def after_sent(state: Enabling, pending: Pending | None, now: datetime) -> tuple[Enabling, Wait]:
    """Take in that a step was accepted; without `pending` it is done already, so look again."""
    state = replace(after_try(state), looks=0, pending=pending)
    if pending is None:
        return replace(state, vaults_after=now), Wait(now, Reason.TO_PROTECT)
    if not pending.job:
        state = replace(state, vaults_after=now)
    return state, Wait(now + interval(0), Reason.TO_PROTECT, (f"{pending.step} sent",))


def after_look(state: Enabling) -> Enabling:
    """Take in that this turn only looked."""
    return replace(state, looks=state.looks + 1)


def after_ended(state: Enabling, job: JobFacts | None) -> Enabling:
    """Take in that the pending write has ended: whatever it did is seen by the next look."""
    refreshed = state.pending is not None and state.pending.step == "RefreshContainers"
    return replace(
        state,
        pending=None,
        looks=0,
        refresh=None if refreshed else state.refresh,
        refreshed=state.refreshed or refreshed,
        seen_jobs=(*state.seen_jobs, job.id) if job else state.seen_jobs,
    )


def after_refusal(
    state: Enabling, vault: VaultId | None, code: str, message: str, now: datetime
) -> tuple[Enabling, Wait | Done]:
    """Take in that the service refused the step for `vault`, at once or late."""
    words = (f"{code}: {message}" if code else message,)
    state = replace(state, pending=None)
    match classify_refusal(code, message):
        case Reaction.WAIT_FOR_AGENT:
            # Only the first try is free, or an agent that comes and goes is tried for ever.
            free = 0 if state.agent_since else 1
            state = replace(state, agent_since=state.agent_since or now, tries=state.tries - free)
            return after_look(state), wait(state, now, Reason.AGENT_WAIT, *words)
        case Reaction.REFRESH if not state.refreshed and vault is not None:
            return replace(state, refresh=vault), Wait(now, Reason.TO_PROTECT, words)
        case Reaction.REFRESH:
            return state, Done(Reason.REFUSED, words)
        case Reaction.WAIT:
            return after_look(state), wait(state, now, Reason.BUSY, *words)
        case Reaction.NEXT_VAULT if vault is not None:
            return replace(state, full=(*state.full, vault)), Wait(now, Reason.TO_PROTECT, words)
        case Reaction.NEXT_VAULT:
            return state, Done(Reason.VAULT_FULL, words)
        case Reason() as reason:
            return state, Done(reason, words)
