"""Cause, policy and history in; a decision out. Pure: it decides, and never acts."""

from collections.abc import Sequence

from rollback.models import Act, Cause, Decision, Placement, Policy


def decide(
    policy: Policy, cause: Cause, placements: Sequence[Placement], *, rolling_back: bool
) -> Decision:
    """Say what to do about a stage that ended badly.

    placements: the deployments that the stage had begun. rolling_back: the stage that ended badly was
    itself a rollback; a rollback is never rolled back, a person is called.
    """
    if rolling_back:
        return Decision(Act.HOLD_AND_PAGE, f"the rollback itself failed: {cause.reason}")
    if cause.kind not in policy.on:
        return Decision(Act.NOTHING, f"no rollback is declared for a {cause.kind}")
    if not placements:
        return Decision(Act.NOTHING, "nothing had been deployed yet")
    lost = [placement for placement in placements if placement.good is None]
    if not lost:
        return Decision(Act.ROLL_BACK, cause.reason)
    # One target without a way back must not keep the others on the bad release, nor a deployment going.
    helps = len(lost) < len(placements) or not all(placement.ended for placement in lost)
    where = ", ".join(placement.target for placement in lost)
    return Decision(
        Act.ROLL_BACK_AND_PAGE if helps else Act.HOLD_AND_PAGE,
        f"{cause.reason}; there is no last known good to go back to on {where}",
    )
