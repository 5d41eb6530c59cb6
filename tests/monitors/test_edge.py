import pytest
from botocore.exceptions import EndpointConnectionError

from accounts.throttle import CallError, ThrottledError
from monitors.base import MonitorError
from monitors.edge import asking
from tests.support.scripted import DENIED, Refusal, scripted


def refused(refusal: Refusal) -> MonitorError:
    """What a call that is refused so is told as."""
    client = scripted("cloudwatch", describe_alarms=lambda _: refusal)
    with pytest.raises(MonitorError) as raised, asking("read alarms in prod"):
        client.describe_alarms()
    return raised.value


@pytest.mark.parametrize(
    ("code", "status", "permanent"),
    [
        ("ThrottlingException", 400, False),
        ("Throttling", 400, False),
        ("TooManyRequestsException", 429, False),
        ("ExpiredToken", 403, False),
        ("InternalServiceError", 500, False),
        ("503", 503, False),
        ("AccessDenied", 403, True),
        ("403", 403, True),
        ("ResourceNotFoundException", 404, True),
        ("ValidationException", 400, True),
    ],
)
def test_what_passes_by_itself_is_told_from_what_must_be_mended(
    code: str, status: int, *, permanent: bool
) -> None:
    assert refused(Refusal(code, status=status)).permanent is permanent


def test_the_sentence_says_what_was_done_and_what_aws_said() -> None:
    found = refused(Refusal("ResourceNotFound", "no such dashboard", 404))
    assert str(found) == "Could not read alarms in prod: ResourceNotFound: no such dashboard"


def test_a_refusal_names_the_action_that_is_missing() -> None:
    assert "cloudwatch:DescribeAlarms" in str(refused(DENIED))


def test_a_value_of_a_wrong_form_is_permanent_and_an_endpoint_that_is_away_is_not() -> None:
    with pytest.raises(MonitorError) as raised, asking("read"):
        scripted("cloudwatch").describe_alarms(AlarmNames="not a list")
    assert raised.value.permanent
    with pytest.raises(MonitorError) as raised, asking("read"):
        raise EndpointConnectionError(endpoint_url="http://made.up")
    assert not raised.value.permanent


def test_other_errors_are_not_swallowed() -> None:
    with pytest.raises(ZeroDivisionError), asking("read"):
        raise ZeroDivisionError


def test_when_to_try_again_is_told_on() -> None:
    with pytest.raises(MonitorError) as raised, asking("read alarms in prod"):
        raise CallError("held back", retry_after=7.0)
    assert raised.value.retry_after == 7.0


def test_what_our_own_throttle_held_back_is_told_from_what_the_vendor_refused() -> None:
    with pytest.raises(MonitorError) as raised, asking("read"):
        raise ThrottledError("called often enough", retry_after=2.5)
    assert (raised.value.postponed, raised.value.retry_after) == (True, 2.5)
    assert not refused(Refusal("ThrottlingException")).postponed
