"""
How high a restore test may climb with what was restored: some copies must not, or cannot, be made.
"""

from vmbackup_core.domain.drill.facts import DiskFacts, Recipe
from vmbackup_core.domain.drill.reasons import ProofReason
from vmbackup_core.domain.drill.rungs import Rung

type Cap = tuple[Rung, ProofReason, tuple[str, ...]]

# What Compute answers where a plan can no longer be bought, or was never agreed to in this
# subscription (inferred from public reports of these codes).
_PLAN_REFUSALS = frozenset(
    {
        "marketplacepurchaseeligibilityfailed",
        "resourcepurchasevalidationfailed",
        "resourcepurchasecanceled",
        "vmmarketplaceinvalidinput",
        "usererrormarketplacevmnotsupported",
        "plannotfound",
        "offernotfound",
    }
)


def cap_of(
    disks: tuple[DiskFacts, ...], recipe: Recipe, order_cap: Rung, capped_by: str = ""
) -> Cap:
    """
    Return the highest rung that may be tried, with the reason for the rungs above it.

    `order_cap` is what a tag allows, `capped_by` how it says so. Where nothing caps, the rung is
    the highest there is, and the reason that of a rung that nobody asked for. That a plan was
    withdrawn is not told by disks, only by a refusal: see reason_of_refusal.
    """
    caps: list[Cap] = []
    if order_cap < max(Rung):
        caps.append((order_cap, ProofReason.CAPPED_BY_TAG, (capped_by,) if capped_by else ()))
    if encrypted := tuple(disk.name for disk in disks if disk.ade):
        caps.append((Rung.DISKS, ProofReason.CAPPED_ADE, encrypted))
    kinds = {recipe.security, *(disk.security for disk in disks)}
    if secret := tuple(sorted(kind for kind in kinds if kind.lower().startswith("confidential"))):
        caps.append((Rung.DISKS, ProofReason.CAPPED_CONFIDENTIAL, secret))
    return min(caps, key=lambda cap: cap[0], default=(max(Rung), ProofReason.NOT_ASKED, ()))


def reason_of_refusal(code: str) -> ProofReason:
    """Return why no copy was made where Azure refused it with this code; none is a failure."""
    if code.lower() in _PLAN_REFUSALS:
        return ProofReason.CAPPED_PLAN
    return ProofReason.CREATE_REFUSED
