"""Several signals, one verdict: a quorum, a correction for how many were asked, critical ones. Pure.

With twenty signals at 1 % each, one quiet release in five would be rolled back. The chances of those
that fail are therefore corrected by Holm's step-down (1979, https://www.jstor.org/stable/4615733): it
holds however the signals depend on each other, and is never weaker than alpha / m.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from monitors.base import Judgement, Verdict

HINDERS = (Verdict.UNREACHABLE, Verdict.NO_DATA, Verdict.INCONCLUSIVE)
"""What keeps all from passing, the gravest first."""


@dataclass(frozen=True, slots=True)
class Together:
    """One signal among others. critical: it suffices alone, uncorrected."""

    name: str
    judgement: Judgement
    critical: bool = False


def together(signals: Sequence[Together], *, quorum: int = 1, alpha: float = 0.01) -> Judgement:
    """Answer the verdict of all: FAIL where a critical one fails or as many as the quorum do.

    What fails without a chance (a limit, an alarm) counts as it is. Else the gravest hindrance
    speaks; PASS only where every one passes. No signals at all are NO_DATA.
    """
    if not signals:
        return Judgement(Verdict.NO_DATA, "there is no signal to judge by")
    failing = [one for one in signals if one.judgement.verdict is Verdict.FAIL]
    enough = [one for one in failing if one.critical] or _surviving(signals, failing, alpha)
    if enough and (enough[0].critical or len(enough) >= quorum):
        return _told(Verdict.FAIL, enough, signals)
    if failing:
        why = f"{len(enough)} of the {quorum} that a rollback takes fail beyond chance"
        return _told(Verdict.INCONCLUSIVE, failing, signals, f"{why}: ")
    for verdict in HINDERS:
        hindered = [one for one in signals if one.judgement.verdict is verdict]
        if hindered:
            return _told(verdict, hindered, signals)
    return _told(Verdict.PASS, signals, signals)


def _surviving(
    signals: Sequence[Together], failing: Sequence[Together], alpha: float
) -> list[Together]:
    """Holm: the k-th smallest chance must be below alpha / (m - k + 1)."""
    tested = sum(one.judgement.chance is not None for one in signals)
    plain = [one for one in failing if one.judgement.chance is None]
    ranked = sorted(
        ((one.judgement.chance, place) for place, one in enumerate(failing)
         if one.judgement.chance is not None),
    )  # fmt: skip
    for step, (chance, place) in enumerate(ranked):
        if chance >= alpha / (tested - step):
            break
        plain.append(failing[place])
    return plain


def _told(
    verdict: Verdict, speaking: Sequence[Together], signals: Sequence[Together], why: str = ""
) -> Judgement:
    reason = why + "; ".join(f"{one.name}: {one.judgement.reason}" for one in speaking)
    judged = [one.judgement for one in signals]
    newest = [one.newest for one in judged if one.newest is not None]
    powers = [one.power for one in judged if one.power is not None]
    chances = [one.judgement.chance for one in speaking if one.judgement.chance is not None]
    return Judgement(
        verdict,
        reason,
        samples=min(one.samples for one in judged),
        newest=min(newest) if len(newest) == len(judged) else None,
        chance=min(chances) if chances else None,
        power=min(powers) if powers else None,
    )
