import pytest
from botocore.exceptions import ConnectTimeoutError
from botocore.exceptions import ParamValidationError as BadParameters

from accounts.throttle import CallError
from controlplane.actions.base import ActionError
from controlplane.actions.vendor import asking, one_input
from tests.controlplane.actions.making import bundle, refused, task


def said(error: Exception) -> ActionError:
    with pytest.raises(ActionError) as caught, asking("start a deployment of shop in prod"):
        raise error
    return caught.value


@pytest.mark.parametrize("code", ["ThrottlingException", "SlowDown", "RequestLimitExceeded"])
def test_what_is_throttled_may_be_tried_again(code: str) -> None:
    assert not said(refused("CreateDeployment", code)).permanent


def test_the_vendors_own_fault_may_be_tried_again() -> None:
    assert not said(refused("CreateDeployment", "Strange", status=503)).permanent


def test_a_time_out_may_be_tried_again() -> None:
    assert not said(ConnectTimeoutError(endpoint_url="https://x.invalid")).permanent


def test_a_refused_role_is_told_with_operation_and_mend() -> None:
    error = said(refused("CreateDeployment", "AccessDeniedException", "User: arn:x"))
    assert error.permanent
    assert "May not start a deployment of shop in prod" in str(error)
    assert "codedeploy:CreateDeployment" in str(error)
    assert "StartDeployments" in str(error)


def test_what_is_wrong_is_wrong_tomorrow_too() -> None:
    error = said(refused("CreateDeployment", "ApplicationDoesNotExistException", "No such app"))
    assert error.permanent
    assert "No such app" in str(error)


def test_a_malformed_parameter_is_permanent() -> None:
    assert said(BadParameters(report="bad")).permanent


def test_a_long_message_is_cut() -> None:
    assert len(str(said(refused("CreateDeployment", "X", "y" * 5000)))) < 1000


@pytest.mark.parametrize("inputs", [(), (bundle(), bundle())])
def test_no_input_or_two_are_refused(inputs: tuple[object, ...]) -> None:
    with pytest.raises(ActionError, match="takes one input artifact") as caught:
        one_input(task(inputs=inputs))
    assert caught.value.permanent


def test_when_to_try_again_is_told_on() -> None:
    assert said(CallError("held back", retry_after=7.0)).retry_after == 7.0
