"""How often we call: a bucket for each account, region and operation; a lane for rollbacks."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.session import Session
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import Purpose
from accounts.throttle import RATES, Rate, Throttle, ThrottledError
from controlplane.clock import ManualClock

CALL = "codedeploy:CreateDeployment"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def throttle(clock: ManualClock) -> Throttle:
    return Throttle(clock, {CALL: Rate(2, 3)})


def take(throttle: Throttle, account: str = "prod", purpose: Purpose = Purpose.DEPLOY) -> None:
    throttle.take(account, "eu-west-1", CALL, purpose)


def count(throttle: Throttle, most: int = 100) -> int:
    for done in range(most):
        try:
            take(throttle)
        except ThrottledError:
            return done
    return most


def test_an_empty_bucket_says_when_to_try_again(throttle: Throttle) -> None:
    count(throttle, 3)
    with pytest.raises(ThrottledError, match=r"try again in 0\.5 s") as caught:
        take(throttle)
    assert (caught.value.retry_after, caught.value.permanent) == (0.5, False)


def test_a_bucket_fills_with_time_and_not_beyond_its_size(
    throttle: Throttle, clock: ManualClock
) -> None:
    count(throttle)
    clock.advance(1)
    assert count(throttle) == 2
    clock.advance(1000)
    assert count(throttle) == 3


def test_a_rollback_goes_while_deployments_wait(throttle: Throttle) -> None:
    count(throttle)
    take(throttle, purpose=Purpose.ROLLBACK)
    with pytest.raises(ThrottledError):
        take(throttle, purpose=Purpose.WATCH)


def test_accounts_do_not_wait_for_each_other(throttle: Throttle) -> None:
    count(throttle)
    take(throttle, account="dev")


def test_a_throttled_answer_halves_the_rate_until_it_recovers(
    throttle: Throttle, clock: ManualClock
) -> None:
    throttle.slow("prod", "eu-west-1", CALL, Purpose.DEPLOY)
    assert count(throttle) == 0
    clock.advance(1)
    assert count(throttle) == 1
    clock.advance(60)
    count(throttle)
    clock.advance(1)
    assert count(throttle) == 2


def test_however_often_throttled_calls_go_on(throttle: Throttle, clock: ManualClock) -> None:
    for _ in range(50):
        throttle.slow("prod", "eu-west-1", CALL, Purpose.DEPLOY)
    clock.advance(8)
    assert count(throttle) == 1


def test_threads_never_take_more_than_there_is(throttle: Throttle) -> None:
    def one(_: int) -> int:
        return count(throttle, 1)

    with ThreadPoolExecutor(16) as pool:
        assert sum(pool.map(one, range(200))) == 3


def test_a_clock_that_goes_back_gives_nothing_away_and_takes_nothing(
    throttle: Throttle, clock: ManualClock
) -> None:
    count(throttle)
    clock.advance(-100)
    assert count(throttle) == 0
    clock.advance(0.5)
    assert count(throttle) == 1


@given(st.lists(st.floats(0, 5), max_size=30))
def test_no_pattern_of_calls_exceeds_rate_and_burst(pauses: list[float]) -> None:
    clock = ManualClock()
    throttle, done = Throttle(clock, {CALL: Rate(2, 3)}), 0
    for pause in pauses:
        clock.advance(pause)
        done += count(throttle)
    assert done <= 3 + 2 * sum(pauses) + 0.001


@pytest.mark.parametrize("operation", sorted(RATES))
def test_the_table_names_operations_that_exist(operation: str) -> None:
    service, _, name = operation.partition(":")
    assert name in Session().get_service_model(service).operation_names


def test_those_who_must_wait_are_told_a_turn_each_and_none_is_far_away(
    throttle: Throttle, clock: ManualClock
) -> None:
    count(throttle, 3)
    waits = [told(throttle) for _ in range(200)]
    assert waits[:4] == [0.5, 1.0, 1.5, 2.0]
    assert waits[-1] == 60
    clock.advance(1000)
    count(throttle, 3)
    assert told(throttle) == 0.5


def told(throttle: Throttle) -> float | None:
    with pytest.raises(ThrottledError) as caught:
        take(throttle)
    return caught.value.retry_after


def test_a_rollback_may_call_four_times_as_often(throttle: Throttle, clock: ManualClock) -> None:
    for seconds, calls in ((0, 3 * 4), (1, 2 * 4)):
        clock.advance(seconds)
        for _ in range(calls):
            take(throttle, purpose=Purpose.ROLLBACK)
        with pytest.raises(ThrottledError):
            take(throttle, purpose=Purpose.ROLLBACK)
