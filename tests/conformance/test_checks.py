"""What every check must hold, whoever runs it: all drivers of the registry, one suite."""

from collections.abc import Mapping

import pytest

from monitors.base import MonitorError, Outcome, Progress
from monitors.registry import CHECKS, Parts
from tests.support.vendors import INSTANCE, Mood, parts
from tests.support.watched import task

DECLARED: Mapping[str, Mapping[str, str]] = {
    "HttpJourney": {"Steps": '[{"url": "/", "expect": {"status": 200}}]', "Site": "shop"},
    "InspectorFindings": {"ResourceType": "AWS_EC2_INSTANCE", "ResourceIds": INSTANCE},
    "Lambda": {"FunctionName": "smoke"},
    "SyntheticsCanary": {"CanaryName": "shop"},
}
every_check = pytest.mark.parametrize("provider", sorted(CHECKS))
MEASURES_ANSWERS = {"HttpJourney"}
"""Where no answer, or a refusal, is itself what was to be found out."""


def run(provider: str, made: Parts, *, looks: int = 3) -> Progress | MonitorError:
    """Start a check and look until it ends, or as often as told."""
    check = CHECKS[provider](made)
    one = task(DECLARED[provider])
    try:
        found: Progress | MonitorError = check.start(one)
        for _ in range(looks):
            if isinstance(found, MonitorError) or found.outcome is not Outcome.RUNNING:
                break
            found = check.look([one])[one.token]
    except MonitorError as error:
        return error
    return found


def test_every_registered_check_is_in_this_suite() -> None:
    assert set(DECLARED) == set(CHECKS)


@every_check
def test_a_check_of_what_is_well_succeeds_with_a_handle_and_a_sentence(provider: str) -> None:
    found = run(provider, parts(Mood.WELL))
    assert isinstance(found, Progress)
    assert found.outcome is Outcome.SUCCEEDED
    assert found.handle
    assert found.summary


@every_check
def test_an_empty_answer_is_no_success(provider: str) -> None:
    found = run(provider, parts(Mood.EMPTY))
    assert isinstance(found, MonitorError) or found.outcome is not Outcome.SUCCEEDED


@every_check
def test_a_time_out_may_pass_or_is_what_was_to_be_found_out(provider: str) -> None:
    found = run(provider, parts(Mood.LATE))
    if provider in MEASURES_ANSWERS:
        assert isinstance(found, Progress)
        assert found.outcome is Outcome.FAILED
    else:
        assert isinstance(found, MonitorError)
        assert not found.permanent


@every_check
def test_a_refusal_is_permanent_or_is_what_was_to_be_found_out(provider: str) -> None:
    found = run(provider, parts(Mood.DENIED))
    if provider in MEASURES_ANSWERS:
        assert isinstance(found, Progress)
        assert found.outcome is Outcome.FAILED
    else:
        assert isinstance(found, MonitorError)
        assert found.permanent


@every_check
def test_the_same_token_twice_gives_the_same_handle(provider: str) -> None:
    check = CHECKS[provider](parts(Mood.WELL))
    one = task(DECLARED[provider])
    assert check.start(one).handle == check.start(one).handle


@every_check
def test_a_wrong_declaration_is_refused_at_the_start(provider: str) -> None:
    with pytest.raises(MonitorError) as raised:
        CHECKS[provider](parts(Mood.WELL)).start(task({}))
    assert raised.value.permanent


@every_check
def test_a_look_at_what_never_began_and_is_wrong_spoils_no_other(provider: str) -> None:
    tasks = [task({}, "wrong"), task(DECLARED[provider], "right")]
    found = CHECKS[provider](parts(Mood.WELL)).look(tasks)
    wrong = found["wrong"]
    assert isinstance(wrong, MonitorError)
    assert wrong.permanent
    assert set(found) == {"wrong", "right"}


@every_check
def test_a_stop_is_harmless_before_and_after_and_twice(provider: str) -> None:
    check = CHECKS[provider](parts(Mood.DENIED))
    one = task(DECLARED[provider])
    check.stop(one)
    check.stop(one)
