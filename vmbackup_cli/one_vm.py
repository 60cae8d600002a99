"""Find the VM that a person means, and look at it alone, by direct reads."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from difflib import get_close_matches

from vmbackup_cli.desk import Misused
from vmbackup_core.app.notebook import Pause
from vmbackup_core.app.snapshots import CLAIM
from vmbackup_core.bootstrap import App
from vmbackup_core.domain.errors import Gone, Malformed, Retryable
from vmbackup_core.domain.ids import VmId
from vmbackup_core.domain.plans import Plan
from vmbackup_core.domain.protection import Sight, plan_protection
from vmbackup_core.domain.rules import Ask, OutOfScope, ask
from vmbackup_core.domain.vaults import VaultChoice, choose_vault
from vmbackup_core.domain.verdicts import Verdict, held_by_pause, judge_vm, lasting

_AGAIN = timedelta(seconds=5)


class Ambiguous(Misused):
    """Several VMs bear the name."""

    def __init__(self, name: str, vms: Sequence[VmId]) -> None:
        listed = "\n".join(f"  {vm}" for vm in vms)
        super().__init__(
            f"{len(vms)} VMs are called {name}; say group/name or the whole id:\n{listed}"
        )


@dataclass(frozen=True, slots=True)
class Examined:
    """One VM with everything that decides about it, seen by direct reads."""

    sight: Sight
    asked: Ask
    choice: VaultChoice | None
    plan: Plan
    verdict: Verdict
    pause: Pause | None


def find_vm(wanted: str, estate: Iterable[VmId]) -> VmId:
    """
    Return the VM that `wanted` names: an ARM id, `group/name` or a name, in any case.

    Raises Misused where none or several bear it. An id need not be among the `estate`.
    """
    if wanted.startswith("/"):
        try:
            return VmId.parse(wanted)
        except Malformed as error:
            raise Misused(str(error)) from None
    known = tuple(estate)
    group, _, name = wanted.lower().rpartition("/")
    found = [vm for vm in known if vm.name == name and group in ("", vm.group)]
    match found:
        case [vm]:
            return vm
        case []:
            near = get_close_matches(name, {vm.name for vm in known}, n=1)
            hint = f"did you mean {near[0]}?" if near else "a VM out of scope needs its whole id"
            raise Misused(f"no VM in scope is called {wanted}; {hint}")
        case _:
            raise Ambiguous(wanted, found)


def find_vms(wanted: Sequence[str], app: App) -> list[VmId]:
    """Return the VMs that are named; the estate is read only where an id does not suffice."""
    by_id = all(name.startswith("/") for name in wanted)
    estate = () if by_id else tuple(v.vm for v in app.sweep.survey().verdicts)
    return list(dict.fromkeys(find_vm(name, estate) for name in wanted))


def examine(app: App, vm: VmId) -> Examined:
    """Look at `vm` and judge it; raises Gone where it is not there."""
    sight = _look(app, vm)
    book, now = app.book, app.clock.now()
    asked = ask(sight.vm, book.rules)
    outside = isinstance(asked, OutOfScope)
    choice = (
        None
        if outside
        else choose_vault(vm.subscription, sight.vm.location, sight.vaults, book.vaults)
    )
    plan = plan_protection(sight, book)
    mode = book.rules.scope.mode_of(vm.subscription)
    verdict, pause = judge_vm(sight, plan, mode, now), app.notebook.pause()
    if pause is not None:
        verdict = held_by_pause(verdict)
    before = app.sweep.seen(vm)
    (verdict,) = lasting((verdict,), {vm: before} if before else {})
    return Examined(sight, asked, choice, plan, verdict, pause)


def _look(app: App, vm: VmId) -> Sight:
    """Look; where somebody else reads the vaults of the place, wait until they are there."""
    try:
        facts = app.inventory.observe_vm(vm)
    except Gone as error:
        raise Gone(f"there is no VM {vm}", code=error.code, status=error.status) from error
    deadline = app.clock.now() + 2 * CLAIM
    while app.clock.now() < deadline:
        if (sight := app.looker.look(facts)) is not None:
            return sight
        app.clock.pause(_AGAIN)
    raise Retryable("the vaults of this place are being read by somebody else")
