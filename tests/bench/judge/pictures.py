"""ROC curves: false rollbacks against catches of a 1.5 times slowdown, as each judge's own dial is turned.

Ours: Alpha. Kayenta: the tolerance that is hard-coded at a quarter. Argo: the limit. SVG, the same
bytes for the same figures.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from monitors.compat.mann_whitney import shift
from monitors.judge.history import History
from monitors.judge.levels import scale
from monitors.judge.rank import Wanted, first_bad
from tests.bench.judge.figures import ASKED, SLOW, Sample
from tests.bench.judge.judges import TOLERATED
from tests.bench.judge.pairs import Pair

LENGTHS = {10: "--", 30: "-"}
TIMES = 1.5
ALPHAS = np.logspace(-7, -0.4, 16)
COLOURS = {"Towpath": "#1f6feb", "Kayenta": "#d29922", "Argo": "#8b949e"}

Curve = tuple[list[float], list[float]]


def roc(sample: Sample, to: Path) -> None:
    """Draw one class of series to a file."""
    mpl.rcParams["svg.hashsalt"] = "towpath"
    figure = Figure(figsize=(6, 4))
    axes = figure.subplots()
    for name, curve in CURVES.items():
        for length, line in LENGTHS.items():
            false, caught = curve(sample.pairs, length)
            label = f"{name}, {length} points"
            axes.plot(false, caught, line, color=COLOURS[name], label=label)
    axes.set(
        title=f"{TIMES:g} times slower: {sample.name}",
        xlabel="false rollbacks", ylabel="caught", xlim=(0, 0.1), ylim=(0, 1.01),
    )  # fmt: skip
    axes.axvline(0.01, color="#8b949e", linewidth=0.6)
    axes.legend(fontsize=7, loc="lower right")
    figure.savefig(to, format="svg", metadata={"Date": None}, bbox_inches="tight")


def _ours(pairs: Sequence[Pair], length: int) -> Curve:
    learnt = []
    for pair in pairs[: SLOW * ASKED : 4]:
        made = scale(pair.before)
        sides = [made.bring(times * pair.after[:length]) for times in (1, TIMES)]
        learnt.append((History(made.bring(pair.before)), sides))

    def share(side: int, alpha: float) -> float:
        found = [first_bad(history, sides[side], Wanted(alpha=alpha)) for history, sides in learnt]
        return float(np.mean([count > 0 for count in found]))

    false, caught = ([share(side, float(alpha)) for alpha in ALPHAS] for side in (0, 1))
    return false, caught


def _kayenta(pairs: Sequence[Pair], length: int) -> Curve:
    def score(pair: Pair, times: float) -> float:
        found = shift((times * pair.after[:length]).tolist(), pair.before[-length:].tolist(), 0.98)
        return found.low / abs(found.estimate) if found.estimate else 0.0

    return _swept(pairs[:ASKED], score)


def _argo(pairs: Sequence[Pair], length: int) -> Curve:
    allowed = TOLERATED["failureLimit"]

    def score(pair: Pair, times: float) -> float:
        usual = float(np.median(pair.before)) or 1.0
        return float(np.sort(times * pair.after[:length])[-allowed - 1]) / usual

    return _swept(pairs, score)


def _swept(pairs: Sequence[Pair], score: Callable[[Pair, float], float]) -> Curve:
    """Turn the dial: what scores beyond it goes back."""
    same, worse = (np.array([score(pair, times) for pair in pairs]) for times in (1.0, TIMES))
    dial = np.quantile(same, np.linspace(1, 0.9, 21))
    return (
        [float((same > one).mean()) for one in dial],
        [float((worse > one).mean()) for one in dial],
    )


CURVES: dict[str, Callable[[Sequence[Pair], int], Curve]] = {
    "Towpath": _ours,
    "Kayenta": _kayenta,
    "Argo": _argo,
}
