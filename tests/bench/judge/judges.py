"""The judges side by side, each asked: does this release go back within so many points?

Ours looks at every point. Kayenta's (NetflixACAJudge: 98 %, a quarter of the estimate, increase) looks
once at the end, which is best for its false alarms, at as many points before as after. Argo's watches
every point against a limit that a person set at 1.5 times the usual level, with failureLimit 3.
"""

from collections.abc import Callable, Mapping

import numpy as np

from monitors.compat.argo import limits
from monitors.compat.kayenta import Settings, classify
from monitors.judge.history import History
from monitors.judge.levels import Floats, scale
from monitors.judge.rank import Wanted, first_bad
from tests.bench.judge.pairs import Pair

KAYENTA = Settings(direction="Increase")
LIMIT = 1.5
TOLERATED = {"failureLimit": 3}

Judge = Callable[[Pair], bool]


def ours(pair: Pair, wanted: Wanted = Wanted()) -> bool:  # noqa: B008 - frozen
    """Our rank test: silence has no level, so it goes back for nothing."""
    after = pair.after[np.isfinite(pair.after)]
    if not len(after):
        return False
    made = scale(pair.before)
    return first_bad(History(made.bring(pair.before)), made.bring(after), wanted) > 0


def kayenta(pair: Pair) -> bool:
    """One metric that is off, or has no data, makes the score 0, which goes back."""
    before = pair.before[-len(pair.after) :]
    return classify(before.tolist(), pair.after.tolist(), KAYENTA).label in {"High", "Nodata"}


def argo(pair: Pair) -> bool:
    """The condition as Argo has it: NaN is not below the limit, so it is a failure."""
    limit = LIMIT * float(np.median(pair.before))
    failed = int((~(pair.after <= limit)).sum())
    return limits(TOLERATED, {"failed": failed}) is not None


JUDGES: Mapping[str, Judge] = {"Towpath": ours, "Kayenta": kayenta, "Argo": argo}


def share(judge: Judge, pairs: list[Pair], length: int, shape: Callable[[Floats], Floats]) -> float:
    """Tell the part of the pairs that go back within that many points, under a regression."""
    found = [judge(Pair(one.before, shape(one.after[:length]))) for one in pairs]
    return sum(found) / len(found) if found else float("nan")
