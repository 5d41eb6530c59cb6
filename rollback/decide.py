"""Cause, policy and history in; a decision out. Pure: it decides, and never acts."""

from collections.abc import Sequence
from datetime import timedelta

from rollback.models import Act, Breaker, Cause, CauseKind, Decision, Placement, Policy

ABOUT_WHAT_STANDS = frozenset({CauseKind.BAD_SIGNAL, CauseKind.FAILED_CHECK})
"""Causes that tell of whatever is on the target, not of one deployment."""
BY_ITSELF = frozenset({*ABOUT_WHAT_STANDS, CauseKind.FAILED_DEPLOY})
"""Causes behind which no person stands."""


def decide(
    policy: Policy,
    cause: Cause,
    placements: Sequence[Placement],
    *,
    rolling_back: bool,
    earlier: int = 0,
) -> Decision:
    """Say what to do about a stage that ended badly.

    placements: the deployments that the stage had begun. rolling_back: the stage that ended badly was
    itself a rollback; a rollback is never rolled back, a person is called. earlier: how many other
    releases were rolled back in this stage within the breaker's window.
    """
    if rolling_back:
        return Decision(Act.HOLD_AND_PAGE, f"the rollback itself failed: {cause.reason}")
    if policy.one_way and placements and cause.kind in BY_ITSELF:
        door = "this is a one-way door (rollbackSafe: false), so nothing is rolled back by itself"
        return Decision(Act.HOLD_AND_PAGE, f"{cause.reason}; {door}")
    if cause.kind not in policy.on:
        return Decision(Act.NOTHING, f"no rollback is declared for a {cause.kind}")
    if not placements:
        return Decision(Act.NOTHING, "nothing had been deployed yet")
    if not to_blame(cause, [placement.overtaken for placement in placements]):
        who = ", ".join(sorted({placement.overtaken for placement in placements}))
        return Decision(Act.NOTHING, f"{cause.reason}; but what stands there now is of {who}")
    return _tripped(policy.breaker, earlier, _way_back(cause, placements))


def to_blame(cause: Cause, overtaken: Sequence[str]) -> bool:
    """Say whether the cause can be laid to a release. overtaken: as each of its placements says.

    A bad signal tells of what is on the target now: where every target was overtaken by another
    release (PARALLEL mode, a second pipeline), it is that one which is bad.
    """
    return cause.kind not in ABOUT_WHAT_STANDS or not overtaken or not all(overtaken)


def _way_back(cause: Cause, placements: Sequence[Placement]) -> Decision:
    lost = [one for one in placements if one.good is None and not one.overtaken]
    if not lost:
        return Decision(Act.ROLL_BACK, cause.reason)
    # One target without a way back must not keep the others on the bad release, nor a deployment going.
    helps = len(lost) < len(placements) or not all(placement.ended for placement in lost)
    where = ", ".join(placement.target for placement in lost)
    return Decision(
        Act.ROLL_BACK_AND_PAGE if helps else Act.HOLD_AND_PAGE,
        f"{cause.reason}; there is no last known good to go back to on {where}",
    )


def _tripped(breaker: Breaker, earlier: int, decision: Decision) -> Decision:
    """Too many in a row: this release still goes back, but no other may try its luck."""
    if earlier + 1 < breaker.most:
        return decision
    act = Act.ROLL_BACK_AND_PAGE if decision.act is Act.ROLL_BACK else decision.act
    hours = breaker.window / timedelta(hours=1)
    said = f"{earlier + 1} releases went bad here within {hours:g} h, so no release is let in"
    return Decision(act, f"{decision.reason}; the circuit breaker tripped: {said}", tripped=True)
