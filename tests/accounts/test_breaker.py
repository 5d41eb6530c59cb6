"""What does not answer is left alone for a while, and one probe at a time asks whether it is back."""

import logging
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse
from botocore.exceptions import EndpointConnectionError

from accounts.base import AccountError
from accounts.breaker import OPENS_AFTER, PAUSES, PROBE, Breakers, OpenError
from accounts.models import Purpose
from accounts.registry import StaticRegistry
from accounts.sessions import Sessions
from accounts.throttle import Rate, Throttle
from controlplane.clock import ManualClock
from tests.accounts.fake_sts import FakeSts, refusal
from tests.support.clients import account, client

KEY = ("prod", "eu-west-1", "codedeploy", False)
ROLLBACK = (*KEY[:3], True)
REGION = "eu-west-1"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def breakers(clock: ManualClock) -> Breakers:
    return Breakers(clock)


def fail(breakers: Breakers, times: int = OPENS_AFTER, key: Any = KEY) -> None:
    for _ in range(times):
        breakers.unanswered(key)


def refused(breakers: Breakers, key: Any = KEY) -> float | None:
    """Seconds to wait; None where the call may be made."""
    try:
        breakers.enter(key)
    except OpenError as error:
        return error.retry_after
    return None


def test_it_opens_after_a_few_calls_in_a_row_without_an_answer(breakers: Breakers) -> None:
    fail(breakers, OPENS_AFTER - 1)
    assert refused(breakers) is None
    fail(breakers, 1)
    assert refused(breakers) == PAUSES[0]


def test_an_answer_in_between_starts_the_count_anew(breakers: Breakers) -> None:
    fail(breakers, OPENS_AFTER - 1)
    breakers.answered(KEY)
    fail(breakers, OPENS_AFTER - 1)
    assert refused(breakers) is None


def test_after_its_pause_one_probe_is_let_through(breakers: Breakers, clock: ManualClock) -> None:
    fail(breakers)
    clock.advance(PAUSES[0])
    assert refused(breakers) is None
    assert refused(breakers) == PROBE


def test_a_probe_that_is_answered_closes_it(breakers: Breakers, clock: ManualClock) -> None:
    fail(breakers)
    clock.advance(PAUSES[0])
    breakers.enter(KEY)
    breakers.answered(KEY)
    assert [refused(breakers), refused(breakers)] == [None, None]


def test_a_probe_that_is_not_opens_it_for_longer(breakers: Breakers, clock: ManualClock) -> None:
    fail(breakers)
    for pause in (*PAUSES[1:], PAUSES[-1]):
        clock.advance(60)
        breakers.enter(KEY)
        breakers.unanswered(KEY)
        assert refused(breakers) == pause


def test_calls_that_were_under_way_when_it_opened_do_not_lengthen_the_pause(
    breakers: Breakers,
) -> None:
    fail(breakers, OPENS_AFTER + 20)
    assert refused(breakers) == PAUSES[0]


def test_a_probe_that_was_never_sent_or_never_ended_makes_way_for_another(
    breakers: Breakers, clock: ManualClock
) -> None:
    fail(breakers)
    clock.advance(PAUSES[0])
    breakers.enter(KEY)
    breakers.left(KEY)
    assert refused(breakers) is None
    clock.advance(PROBE)
    assert refused(breakers) is None


def test_rollbacks_are_not_refused_for_what_ordinary_calls_met(breakers: Breakers) -> None:
    fail(breakers)
    assert refused(breakers, ROLLBACK) is None


def test_a_rollback_may_always_probe_one_call_after_the_other(breakers: Breakers) -> None:
    fail(breakers, key=ROLLBACK)
    assert refused(breakers, ROLLBACK) is None
    assert refused(breakers, ROLLBACK) == 1
    breakers.unanswered(ROLLBACK)
    assert refused(breakers, ROLLBACK) is None


def test_accounts_regions_and_services_do_not_suffer_for_each_other(breakers: Breakers) -> None:
    fail(breakers)
    for place in range(3):
        other: Any = tuple("other" if n == place else part for n, part in enumerate(KEY))
        assert refused(breakers, other) is None


def test_opening_and_closing_are_told_once(
    breakers: Breakers, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        fail(breakers, 2 * OPENS_AFTER)
        assert breakers.open() == {KEY: True}
        breakers.answered(KEY)
    assert [record.message for record in caplog.records] == [
        "codedeploy in prod (eu-west-1) does not answer and is left alone; one call probes it",
        "codedeploy in prod (eu-west-1) answers again",
    ]
    assert breakers.open() == {}


# --- Attached to clients ------------------------------------------------------------------------


def sending(breakers: Breakers, answer: Any) -> Any:
    made = client("codedeploy")
    breakers.attach(made, "prod", Purpose.DEPLOY)
    made.meta.events.register("before-send", answer)
    return made


def call(made: Any, times: int = OPENS_AFTER) -> None:
    for _ in range(times):
        with pytest.raises(Exception, match=r".") as caught:
            made.get_deployment(deploymentId="d-1")
        assert not isinstance(caught.value, OpenError)


def unreachable(**_: Any) -> None:
    raise EndpointConnectionError(endpoint_url="https://codedeploy.invalid")


def http(status: int, code: str) -> Any:
    def answer(request: Any, **_: Any) -> Any:
        body = b'{"__type": "%s"}' % code.encode()
        raw: Any = type("Raw", (), {"stream": lambda *_: [body], "read": lambda *_: body})()
        return AWSResponse(request.url, status, {}, raw)  # type: ignore[arg-type]

    return answer


@pytest.mark.parametrize("answer", [unreachable, http(500, "InternalFailure"), http(503, "")])
def test_a_client_whose_service_does_not_answer_is_refused_at_once(
    breakers: Breakers, answer: Any
) -> None:
    made = sending(breakers, answer)
    call(made)
    with pytest.raises(OpenError, match=r"codedeploy in prod .* is left alone"):
        made.get_deployment(deploymentId="d-1")


@pytest.mark.parametrize(
    "answer",
    [http(403, "AccessDenied"), http(400, "ThrottlingException"), http(503, "SlowDown")],
)
def test_a_refusal_and_a_throttled_call_are_answers(breakers: Breakers, answer: Any) -> None:
    call(sending(breakers, answer), 3 * OPENS_AFTER)
    assert breakers.open() == {}


# --- STS ----------------------------------------------------------------------------------------


@pytest.fixture
def sts(clock: ManualClock) -> FakeSts:
    return FakeSts(clock)


@pytest.fixture
def sessions(clock: ManualClock, sts: FakeSts) -> Sessions:
    registry = StaticRegistry([account(), account("dev", "222222222222")])
    base: Any = sts
    throttle = Throttle(clock, {}, Rate(1000, 1000))
    return Sessions(registry, now=clock, throttle=throttle, base_session=base)


def down(asked: dict[str, Any]) -> Exception | None:
    return refusal("", "", 503) if "444444444444" in asked["RoleArn"] else None


def assume(sessions: Sessions, clock: ManualClock, times: int = OPENS_AFTER) -> None:
    for _ in range(times):
        with pytest.raises(AccountError):
            sessions.client("sns", "prod", REGION, Purpose.WATCH)
        clock.advance(1.5)


def test_an_account_whose_role_cannot_be_reached_is_left_alone(
    sessions: Sessions, sts: FakeSts, clock: ManualClock
) -> None:
    sts.refuse = down
    assume(sessions, clock, OPENS_AFTER + 2)
    assert len(sts.asked) == OPENS_AFTER
    for _ in range(2):  # it is not remembered as STS's own refusal
        with pytest.raises(OpenError) as caught:
            sessions.client("sns", "prod", REGION, Purpose.WATCH)
        assert caught.value.retry_after == pytest.approx(0.5)
    assert sessions.client("sns", "dev", REGION, Purpose.WATCH)


def test_a_rollback_assumes_its_role_all_the_same(
    sessions: Sessions, sts: FakeSts, clock: ManualClock
) -> None:
    sts.refuse = down
    assume(sessions, clock)
    sts.refuse = lambda _: None
    assert sessions.client("codedeploy", "prod", REGION, Purpose.ROLLBACK)


def test_a_role_that_is_refused_does_not_open_it(
    sessions: Sessions, sts: FakeSts, clock: ManualClock
) -> None:
    sts.refuse = lambda _: refusal("AccessDenied", "", 403)
    assume(sessions, clock, 3 * OPENS_AFTER)
    assert len(sts.asked) == 3 * OPENS_AFTER


def test_every_client_of_the_sessions_has_its_breaker(sessions: Sessions) -> None:
    made = sessions.client("codedeploy", "prod", REGION, Purpose.WATCH)
    made.meta.events.register("before-send", unreachable)
    call(made)
    with pytest.raises(OpenError):
        made.get_deployment(deploymentId="d-1")
