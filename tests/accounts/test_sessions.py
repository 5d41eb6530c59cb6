"""One assumed session for each (account, purpose, region, scope), shared, and refreshed in time."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse
from botocore.exceptions import BotoCoreError, ClientError

from accounts.base import AccountError, Scope
from accounts.errors import explain
from accounts.models import Purpose
from accounts.registry import StaticRegistry
from accounts.sessions import MOST_SESSIONS, Sessions, _key
from accounts.throttle import CallError, Rate, Throttle
from controlplane.clock import ManualClock
from tests.accounts.fake_sts import FakeSts, keys_of, refusal
from tests.support.clients import account

REGION = "eu-west-1"
FAST = Rate(10_000, 10_000)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def sts(clock: ManualClock) -> FakeSts:
    return FakeSts(clock)


@pytest.fixture
def sessions(clock: ManualClock, sts: FakeSts) -> Sessions:
    registry = StaticRegistry([account(), account("dev", "222222222222")])
    throttle = Throttle(clock, {"codedeploy:StopDeployment": Rate(1, 1)}, FAST)
    base: Any = sts
    return Sessions(registry, now=clock, throttle=throttle, base_session=base)


def watch(sessions: Sessions, scope: Scope = Scope()) -> Any:  # noqa: B008 - frozen
    return sessions.client("cloudwatch", "prod", REGION, Purpose.WATCH, scope)


def answering(client: Any, status: int, body: bytes) -> Any:
    """Answer every request of a client in its own process, before it is sent."""

    def answer(request: Any, **_: Any) -> AWSResponse:
        headers: Any = {"content-type": "text/xml"}
        raw: Any = type("Raw", (), {"stream": lambda *_: [body], "read": lambda *_: body})()
        return AWSResponse(request.url, status, headers, raw)

    client.meta.events.register("before-send", answer)
    return client


def test_32_threads_assume_a_role_once(sessions: Sessions, sts: FakeSts) -> None:
    sts.hold.clear()
    ready = threading.Barrier(32, action=lambda: threading.Timer(0.05, sts.hold.set).start())

    def ask(_: int) -> Any:
        ready.wait()
        return watch(sessions)

    with ThreadPoolExecutor(32) as pool:
        clients = set(map(id, pool.map(ask, range(32))))
    assert (len(sts.asked), len(clients)) == (1, 1)


def test_a_role_that_hangs_does_not_hold_up_another_account(
    sessions: Sessions, sts: FakeSts
) -> None:
    entered = threading.Event()

    def hang(asked: dict[str, Any]) -> None:
        if "444444444444" in asked["RoleArn"]:
            entered.set()
            release.wait(5)

    release, sts.refuse = threading.Event(), hang
    with ThreadPoolExecutor(1) as pool:
        hanging = pool.submit(watch, sessions)
        entered.wait(5)
        dev = sessions.client("cloudwatch", "dev", REGION, Purpose.WATCH)
        assert not hanging.done()
        release.set()
    assert dev.meta.region_name == REGION


def test_a_role_is_assumed_directly_for_somebody_and_something(
    sessions: Sessions, sts: FakeSts
) -> None:
    scope = Scope("shop", "Prod", "e-1", requester="Ann O'Hara <ann@example.com>")
    sessions.client("codedeploy", "prod", REGION, Purpose.DEPLOY, scope)
    (asked,) = sts.asked
    assert asked["RoleArn"] == "arn:aws:iam::444444444444:role/TowpathDeploy"
    assert (asked["ExternalId"], asked["DurationSeconds"]) == ("external-prod", 3600)
    assert asked["SourceIdentity"] == "Ann_O_Hara__ann@example.com_"
    assert asked["RoleSessionName"] == "towpath-deploy-e-1"
    assert asked["Tags"] == [
        {"Key": "pipeline", "Value": "shop"},
        {"Key": "stage", "Value": "Prod"},
        {"Key": "execution", "Value": "e-1"},
    ]


def test_the_regions_own_sts_is_asked(sessions: Sessions, sts: FakeSts) -> None:
    watch(sessions)
    assert sts.regions == [REGION]


@pytest.mark.parametrize("purpose", list(Purpose))
def test_each_purpose_has_its_own_role(sessions: Sessions, sts: FakeSts, purpose: Purpose) -> None:
    sessions.client("codedeploy", "prod", REGION, purpose)
    assert sts.asked[0]["RoleArn"].endswith(f"Towpath{purpose.title()}")


def test_another_service_shares_the_session(sessions: Sessions, sts: FakeSts) -> None:
    watch(sessions)
    sessions.client("inspector2", "prod", REGION, Purpose.WATCH)
    assert len(sts.asked) == 1


def test_another_scope_has_its_own_session(sessions: Sessions, sts: FakeSts) -> None:
    watch(sessions, Scope("shop", "Prod", "e-1"))
    watch(sessions, Scope("shop", "Prod", "e-2"))
    assert len(sts.asked) == 2


def test_a_session_is_refreshed_before_it_expires(
    sessions: Sessions, sts: FakeSts, clock: ManualClock
) -> None:
    client = watch(sessions)
    clock.advance(44 * 60)
    assert (keys_of(client)[-2:], len(sts.asked)) == ("01", 1)
    clock.advance(2 * 60)
    assert (keys_of(client)[-2:], len(sts.asked)) == ("02", 2)


def test_an_early_refresh_that_fails_leaves_the_session_as_it_is(
    sessions: Sessions, sts: FakeSts, clock: ManualClock
) -> None:
    client = watch(sessions)
    sts.refuse = lambda _: refusal("ServiceUnavailable", "later", 503)
    clock.advance(50 * 60)
    assert keys_of(client)[-2:] == "01"


def test_a_late_refresh_that_fails_is_an_error_that_drivers_expect(
    sessions: Sessions, sts: FakeSts, clock: ManualClock
) -> None:
    client = watch(sessions)
    sts.refuse = lambda _: refusal("AccessDenied", "revoked", 403)
    clock.advance(58 * 60)
    with pytest.raises(CallError, match="May not assume") as caught:
        client.describe_alarms()
    assert isinstance(caught.value, BotoCoreError)
    assert caught.value.permanent


def test_a_session_that_aws_calls_expired_is_replaced(sessions: Sessions) -> None:
    body = b"<ErrorResponse><Error><Code>ExpiredToken</Code></Error></ErrorResponse>"
    first = answering(sessions.client("sns", "prod", REGION, Purpose.DEPLOY), 403, body)
    with pytest.raises(first.exceptions.ClientError):
        first.publish(TopicArn="arn:aws:sns:eu-west-1:444444444444:towpath-x", Message="x")
    second = sessions.client("sns", "prod", REGION, Purpose.DEPLOY)
    assert (keys_of(second)[-2:], second is first) == ("02", False)


def denied(client: Any) -> AccountError:
    """What publishing is told as where it is refused."""
    body = b"<ErrorResponse><Error><Code>AccessDenied</Code></Error></ErrorResponse>"
    with pytest.raises(ClientError) as caught:
        answering(client, 403, body).publish(TopicArn="arn:aws:sns:eu:4:x", Message="x")
    return explain(caught.value, "publish")


def sns(sessions: Sessions) -> Any:
    return sessions.client("sns", "prod", REGION, Purpose.DEPLOY)


def test_a_refused_session_may_have_been_revoked_so_the_next_try_has_a_new_one(
    sessions: Sessions,
) -> None:
    old = sns(sessions)
    told = denied(old)
    assert (told.permanent, told.refused) == (False, True)
    assert "tried once more with a new one" in str(told)
    assert not denied(old).permanent, "a thread that still has the old one is told the same"
    assert keys_of(sns(sessions))[-2:] == "02"


def test_what_is_refused_to_a_new_session_too_is_permanent(
    sessions: Sessions, sts: FakeSts, clock: ManualClock
) -> None:
    denied(sns(sessions))
    assert denied(sns(sessions)).permanent
    assert denied(sns(sessions)).permanent
    assert len(sts.asked) == 2
    clock.advance(5 * 60)
    assert not denied(sns(sessions)).permanent


def test_the_least_recently_used_sessions_make_room(sessions: Sessions) -> None:
    for number in range(MOST_SESSIONS + 1):
        sessions._session(key_of(sessions, f"e-{number}"))
    assert len(sessions._cache) == MOST_SESSIONS
    assert key_of(sessions, "e-0") not in sessions._cache


def key_of(sessions: Sessions, execution: str) -> Any:
    prod = sessions.registry.get("prod")
    return _key(prod, Purpose.WATCH, REGION, Scope(execution=execution))


def test_a_refused_role_is_a_sentence_with_the_statement(sessions: Sessions, sts: FakeSts) -> None:
    said = (
        "User: arn:aws:iam::111111111111:user/towpath is not authorized to perform: "
        "sts:AssumeRole on resource: arn:aws:iam::444444444444:role/TowpathWatch"
    )
    sts.refuse = lambda _: refusal("AccessDenied", said, 403)
    with pytest.raises(AccountError, match=r"lacks sts:AssumeRole on .*TowpathActsHere") as caught:
        watch(sessions)
    assert caught.value.permanent


def test_those_who_waited_share_a_refusal_and_later_ones_ask_again(
    sessions: Sessions, sts: FakeSts, clock: ManualClock
) -> None:
    sts.refuse = lambda _: refusal("AccessDenied", "", 403)
    for _ in range(3):
        with pytest.raises(AccountError):
            watch(sessions)
    assert len(sts.asked) == 1
    clock.advance(2)
    sts.refuse = lambda _: None
    assert keys_of(watch(sessions))[-2:] == "02"


def test_a_policy_too_large_when_packed_is_followed_by_a_wider_one(
    sessions: Sessions, sts: FakeSts
) -> None:
    narrow = "deploymentgroup:shop"
    sts.refuse = lambda asked: (
        refusal("PackedPolicyTooLarge", "too large") if narrow in asked["Policy"] else None
    )
    arn = f"arn:aws:codedeploy:eu-west-1:444444444444:{narrow}/prod"
    sessions.client("codedeploy", "prod", REGION, Purpose.DEPLOY, Scope(resources=(arn,)))
    assert [narrow in asked["Policy"] for asked in sts.asked] == [True, False]
    assert "codedeploy:CreateDeployment" in sts.asked[-1]["Policy"]


def test_no_session_is_ever_without_a_policy(sessions: Sessions, sts: FakeSts) -> None:
    sts.refuse = lambda _: refusal("PackedPolicyTooLarge", "too large")
    with pytest.raises(AccountError, match="shorten"):
        watch(sessions)
    assert all(asked["Policy"] for asked in sts.asked)


def test_an_unknown_region_is_refused_before_aws_is_asked(sessions: Sessions, sts: FakeSts) -> None:
    with pytest.raises(AccountError, match="has no region 'eu-west-9'"):
        sessions.client("s3", "prod", "eu-west-9", Purpose.WATCH)
    assert sts.asked == []


def test_a_changed_role_gets_a_new_session(sessions: Sessions, sts: FakeSts) -> None:
    watch(sessions)
    changed = account().model_copy(update={"external_id": "another-one"})
    registry: Any = sessions.registry
    registry.put(changed)
    watch(sessions)
    assert [asked["ExternalId"] for asked in sts.asked] == ["external-prod", "another-one"]


def test_clients_have_time_outs_bounded_retries_and_our_name(sessions: Sessions) -> None:
    config = watch(sessions).meta.config
    assert (config.connect_timeout, config.read_timeout) == (2, 10)
    assert config.retries == {"mode": "standard", "total_max_attempts": 3}
    assert "towpath/" in config.user_agent_extra


@pytest.mark.parametrize("service", ["codedeploy", "lambda", "s3"])
def test_what_has_no_token_is_never_sent_twice(sessions: Sessions, service: str) -> None:
    client = sessions.client(service, "prod", REGION, Purpose.DEPLOY)
    assert client.meta.config.retries["total_max_attempts"] == 1


def test_a_call_that_must_wait_is_not_sent(sessions: Sessions) -> None:
    client = sessions.client("codedeploy", "prod", REGION, Purpose.DEPLOY)
    sessions._throttle.take("prod", REGION, "codedeploy:StopDeployment", Purpose.DEPLOY)
    with pytest.raises(CallError, match=r"try again in 1\.0 s") as caught:
        client.stop_deployment(deploymentId="d-1")
    assert caught.value.retry_after == pytest.approx(1)


def test_a_throttled_answer_slows_the_next_calls(sessions: Sessions) -> None:
    body = b'{"__type": "ThrottlingException", "message": "Rate exceeded"}'
    client = answering(sessions.client("codedeploy", "prod", REGION, Purpose.DEPLOY), 400, body)
    with pytest.raises(client.exceptions.ClientError):
        client.get_deployment(deploymentId="d-1")
    with pytest.raises(CallError, match="as often as we allow ourselves"):
        client.get_deployment(deploymentId="d-1")
