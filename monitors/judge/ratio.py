"""The verdict of a rule that counts errors of requests (count.py), and how it is told. Pure.

Requests say that the signal is alive: a period with requests and no errors told is one without
errors, as CloudWatch and PromQL leave out what did not happen. Where errors were told most of the time
before and not once since, the errors' own monitoring is silent.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from monitors.base import Judgement, MonitorError, Series, Verdict
from monitors.judge.count import Counts, Found, Wanted, counted
from monitors.judge.footing import Needs, Reading, percent, unfit, unreachable, usable

USUAL = 0.5
"""A part of the periods: errors that were told in as many before do not just fall silent."""
LEAST = 5
MOST = 1e50


@dataclass(frozen=True, slots=True)
class Ratio:
    """power: the least that a PASS needs."""

    needs: Needs
    wanted: Wanted = Wanted()  # noqa: RUF009 - frozen
    power: float = 0.8


def ratio(rule: Ratio, read: Mapping[str, Reading], now: datetime) -> Judgement:
    """Judge "after" of "requests after" in the light of "before" of "requests before"."""
    errors, requests = read["after"], read["requests after"]
    for one in (errors, requests):
        if isinstance(one, MonitorError):
            return unreachable(rule.needs, one)
    assert isinstance(errors, Series)  # noqa: S101 - the loop has returned otherwise
    assert isinstance(requests, Series)  # noqa: S101 - the same
    alive = usable(requests)
    found = unfit(rule.needs, requests, alive, now) or (
        (Verdict.INCONCLUSIVE, f"{rule.needs.label} was answered only in part")
        if not errors.complete
        else None
    )
    made = counts(errors, requests)
    verdict, reason, told = (*found, None) if found else _judged(rule, read, errors, made)
    return Judgement(
        verdict,
        reason,
        samples=len(alive),
        value=made.rate if alive else None,
        newest=alive[-1].at if alive else None,
        before=() if isinstance(read["before"], MonitorError) else tuple(usable(read["before"])),
        after=tuple(usable(errors)),
        chance=told.chance if told else None,
        power=told.power if told else None,
    )


def counts(errors: Series, requests: Series) -> Counts:
    """Pair errors with the requests of the same period; below 0 is a counter that was reset."""
    told = {point.at: _bounded(point.value) for point in usable(errors)}
    pairs = [(told.get(p.at, 0.0), _bounded(p.value)) for p in usable(requests)]
    made = np.array(pairs, dtype=np.float64).reshape(-1, 2)
    return Counts(made[:, 0], made[:, 1])


def _bounded(value: float) -> float:
    """Keep a count within what can be squared; nobody counts beyond."""
    return min(value, MOST) if value > 1 / MOST else 0.0


def _judged(
    rule: Ratio, read: Mapping[str, Reading], errors: Series, after: Counts
) -> tuple[Verdict, str, Found | None]:
    label, past = rule.needs.label, (read["before"], read["requests before"])
    for one in past:
        if isinstance(one, MonitorError):
            told = f"{label}: its level before the deployment could not be read: {one}"
            return Verdict.INCONCLUSIVE, told, None
    known = [one for one in past if isinstance(one, Series)]
    before = counts(known[0], known[1])
    if not after.requests.sum() > 0:
        return Verdict.NO_DATA, f"{label}: no requests since the deployment", None
    if not before.requests.sum() > 0:
        return Verdict.INCONCLUSIVE, f"{label}: no requests before to compare with", None
    if not errors.points and len(known[0].points) > max(LEAST, USUAL * len(before.requests)):
        return Verdict.NO_DATA, f"{label} was told of before, and is silent since", None
    found = counted(before, after, rule.wanted)
    verdict, reason = _verdict(rule, before, found)
    return verdict, reason, found


def _verdict(rule: Ratio, before: Counts, found: Found) -> tuple[Verdict, str]:
    share = found.errors / found.requests if found.requests else 0.0
    told = (
        f"{rule.needs.label} {found.errors:.4g} of {found.requests:.6g} ({100 * share:.3g} %) in "
        f"{found.width} points against {100 * before.rate:.3g} % before, "
        f"chance {percent(found.chance)}"
    )
    if found.bad:
        return Verdict.FAIL, told
    if found.odd:
        return Verdict.INCONCLUSIVE, f"{told}: not yet enough to tell"
    if found.power < rule.power:
        worse = max(rule.wanted.minimum * before.rate, rule.wanted.rate)
        unsure = f"{100 * worse:.3g} % would be seen by now with {percent(found.power)}"
        return Verdict.INCONCLUSIVE, f"{told}; {unsure}"
    return Verdict.PASS, told
