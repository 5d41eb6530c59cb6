"""Rules that compare levels, through the rule's own configuration."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitors.base import Judgement, MonitorError, Series, Verdict
from monitors.judge import rule
from monitors.judge.history import History
from monitors.judge.levels import scale
from monitors.judge.rank import Wanted, first_bad, seen
from tests.support.watched import NOW, series

P95 = {"Query": "p95_ms", "Step": "10s", "Test": "rank"}
ANY = st.floats(allow_nan=True, allow_infinity=True)
SIZES = st.lists(ANY, max_size=40)


def noise(count: int, seed: int = 1, level: float = 250.0) -> list[float]:
    draws = np.random.default_rng(seed).normal(size=count)
    return [float(value) for value in level * np.exp(0.1 * draws)]


BEFORE = noise(400)


def judged(
    after: Sequence[float], before: Sequence[float] = BEFORE, **configuration: str
) -> Judgement:
    made = rule({**P95, **configuration})
    earlier = series(*before, end=-10.0 * max(1, len(after)))
    return made.judge({"before": earlier, "after": series(*after)}, NOW)


def test_a_slowdown_fails_with_a_reason_that_a_person_can_read() -> None:
    found = judged(noise(14, 2, 812))
    assert found.verdict is Verdict.FAIL
    assert found.reason.startswith("p95_ms 8")
    assert "before, 14 of 14 points beyond, chance " in found.reason
    assert found.chance is not None
    assert found.chance < 0.01


def test_the_same_level_passes_once_a_slowdown_would_have_been_seen() -> None:
    assert judged(noise(2, 2)).verdict is Verdict.INCONCLUSIVE
    found = judged(noise(20, 2))
    assert found.verdict is Verdict.PASS
    assert found.power is not None
    assert found.power > 0.8


def test_a_disaster_is_caught_at_the_second_point() -> None:
    assert judged(noise(2, 2, 2500)).verdict is Verdict.FAIL


def test_a_signal_that_fails_just_before_the_deadline_is_never_certified() -> None:
    assert judged([*noise(40, 2), 2500]).verdict is Verdict.INCONCLUSIVE


def test_one_burst_among_many_points_is_no_release() -> None:
    assert judged([*noise(30, 2), 2500, 2500, *noise(8, 3)]).verdict is not Verdict.FAIL


@pytest.mark.parametrize(
    ("direction", "verdict"), [("decrease", Verdict.FAIL), ("either", Verdict.FAIL)]
)
def test_less_is_worse_where_the_rule_says_so(direction: str, verdict: Verdict) -> None:
    assert judged(noise(20, 2, 80), Direction=direction).verdict is verdict
    assert judged(noise(20, 2, 80)).verdict is Verdict.PASS


def test_a_rise_that_the_day_brings_is_not_blamed_on_the_release() -> None:
    day = [*noise(150, 3, 100), *noise(150, 4, 400)]
    found = judged(noise(30, 5, 400), [*day, *day, *noise(150, 6, 100)])
    assert found.verdict is Verdict.INCONCLUSIVE


def test_too_little_before_is_nothing_to_compare_with() -> None:
    found = judged(noise(10, 2, 900), noise(10))
    assert found.verdict is Verdict.INCONCLUSIVE
    assert "10 points before the deployment" in found.reason


def test_a_dead_signal_is_no_data_and_a_stuck_one_is_not_certified() -> None:
    assert judged([float("nan")] * 20).verdict is Verdict.NO_DATA
    stuck = judged([240.0] * 20)
    assert stuck.verdict is Verdict.INCONCLUSIVE
    assert "seems stuck" in stuck.reason


def test_a_level_before_that_could_not_be_read_blames_nobody() -> None:
    read: dict[str, Series | MonitorError] = {
        "before": MonitorError("away"),
        "after": series(*noise(20, 2, 900)),
    }
    assert rule(P95).judge(read, NOW).verdict is Verdict.INCONCLUSIVE


def beside(new: float, old: float, *, own: bool) -> Verdict:
    control = {**P95, "Control": "p95_ms_of_the_old"}
    read = {
        "before": series(*noise(400, 1), end=-300) if own else Series(),
        "after": series(*noise(30, 2, new)),
        "control before": series(*noise(400, 3), end=-300),
        "control after": series(*noise(30, 4, old)),
    }
    return rule(control).judge(read, NOW).verdict


@pytest.mark.parametrize("own", [True, False])
def test_new_is_compared_with_old_side_by_side(own: bool) -> None:
    assert beside(600, 250, own=own) is Verdict.FAIL
    assert beside(600, 600, own=own) is Verdict.PASS


@given(SIZES, SIZES)
@settings(max_examples=150, deadline=None)
def test_whatever_is_measured_nothing_crashes_and_silence_never_passes(
    before: list[float], after: list[float]
) -> None:
    found = judged(after, before, Direction="either")
    real = [value for value in after if np.isfinite(value)]
    assert real or found.verdict is Verdict.NO_DATA
    assert found.samples == len(real)


@given(st.integers(0, 500), st.sampled_from([1.0, 1.4, 3.0]), st.floats(1e-9, 1e9))
@settings(max_examples=40, deadline=None)
def test_the_unit_of_a_signal_does_not_matter(seed: int, times: float, unit: float) -> None:
    after = noise(20, seed, 250 * times)
    inches = judged([unit * value for value in after], [unit * value for value in BEFORE])
    assert inches.verdict is judged(after).verdict


@given(st.integers(0, 500), st.integers(2, 40), st.floats(2.0, 50.0))
@settings(max_examples=60, deadline=None)
def test_a_worse_point_never_turns_a_fail_into_a_pass(seed: int, count: int, times: float) -> None:
    after = noise(count, seed, 450)
    worse = [*after, max(after) * times]
    if judged(after).verdict is Verdict.FAIL:
        assert judged(worse).verdict is not Verdict.PASS


@given(st.integers(0, 500), st.randoms(use_true_random=False))
@settings(max_examples=20, deadline=None)
def test_the_order_of_the_answer_does_not_matter(seed: int, dice: object) -> None:
    after = series(*noise(12, seed, 400))
    shuffled = list(after.points)
    dice.shuffle(shuffled)  # type: ignore[attr-defined] # a random.Random
    read = {"before": series(*BEFORE, end=-200), "after": after}
    again = {**read, "after": Series(tuple(shuffled))}
    assert rule(P95).judge(again, NOW) == rule(P95).judge(read, NOW)


@given(st.integers(0, 500), st.integers(1, 60), st.sampled_from([0.0, float("nan")]))
@settings(max_examples=40, deadline=None)
def test_a_dead_signal_never_fails(seed: int, count: int, value: float) -> None:
    assert judged([value] * count, noise(300, seed)).verdict is not Verdict.FAIL


@given(st.integers(0, 500), st.sampled_from([1.0, 1.2, 1.6, 4.0]), st.sampled_from([60, 300]))
@settings(max_examples=40, deadline=None)
def test_judging_all_looks_in_one_go_is_the_same_as_one_by_one(
    seed: int, times: float, length: int
) -> None:
    before = np.array(noise(length, seed))
    made = scale(before)
    past, after = (
        History(made.bring(before)),
        made.bring(np.array(noise(40, seed + 1, 250 * times))),
    )
    single = (n for n in range(2, 41) if seen(past, after[:n], Wanted()).bad)
    assert first_bad(past, after, Wanted()) == next(single, 0)
