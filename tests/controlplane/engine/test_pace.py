"""Rows of one place fall due together, sooner than asked for and never later."""

from types import SimpleNamespace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from controlplane.engine.pace import STEPS, aligned, due, phase

NOW = st.floats(1.7e9, 2e9)
PAUSE = st.floats(0.2, 60)
PLACE = st.tuples(st.sampled_from(["CodeDeploy", "Alarm"]), st.text(max_size=5), st.text())
DEPLOY = ("CodeDeploy", "prod", "eu-west-1")


def result(**given: Any) -> Any:
    task = SimpleNamespace(account="prod", region="eu-west-1")
    job = SimpleNamespace(key=("CodeDeploy",), task=task, row=SimpleNamespace(timeout_at=None))
    job.row.timeout_at = given.pop("timeout", None)
    return SimpleNamespace(**{"due_in": 10.0, "failures": 0, "exactly": False, "job": job, **given})


@given(NOW, PAUSE, PLACE)
def test_a_look_comes_after_now_and_never_later_than_asked_for(
    now: float, pause: float, where: tuple[str, ...]
) -> None:
    assert now < aligned(now, pause, where) <= now + pause + 1e-6


@given(NOW, st.lists(st.floats(0, 9.9), min_size=2, max_size=9), PLACE)
def test_rows_of_a_place_fall_into_few_slots_whenever_they_began(
    now: float, begun: list[float], where: tuple[str, ...]
) -> None:
    assert len({aligned(now + later, 10, where) for later in begun}) <= 2


@given(NOW, st.floats(0, 9), PLACE)
def test_a_row_keeps_its_slot_however_long_a_look_takes(
    now: float, took: float, where: tuple[str, ...]
) -> None:
    tick = aligned(now, 10, where)
    assert aligned(tick + took, 10, where) == tick + 10


@given(NOW, st.sampled_from([1, 2, 5, 10, 20, 60]), PLACE)
def test_grids_are_nested_so_rare_looks_join_frequent_ones(
    now: float, step: int, where: tuple[str, ...]
) -> None:
    tick = aligned(now, step, where)
    finer = [one for one in STEPS if step % one == 0]
    assert all((tick - phase(where)) % one == 0 for one in finer)


def test_a_minutes_ticks_are_spread_over_places() -> None:
    phases = {phase(("CodeDeploy", f"a{n}", "eu-west-1")) % 10 // 1 for n in range(100)}
    assert len(phases) == 10


def test_a_pause_under_a_second_is_kept() -> None:
    assert aligned(1000.5, 0.2, DEPLOY) == 1000.7


@given(NOW, PAUSE, st.floats(-100, 100))
def test_no_look_is_due_after_the_time_out(now: float, pause: float, left: float) -> None:
    at = due(result(due_in=pause, timeout=now + left), now)
    assert at is not None and at <= now + left


def test_what_failed_waits_its_whole_pause() -> None:
    assert due(result(due_in=10.0, failures=1), 1000.25) == 1010.25


def test_what_waits_its_turn_is_due_when_it_was_told() -> None:
    assert due(result(due_in=10.0, exactly=True), 1000.25) == 1010.25


def test_what_nobody_looks_at_is_due_at_its_time_out() -> None:
    assert due(result(due_in=None, timeout=77.0), 5.0) == 77.0
