"""Errors as sentences: what was refused, to whom, which statement mends it, and nothing secret."""

from typing import Any

import pytest
from botocore.exceptions import (
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    ParamValidationError,
    ReadTimeoutError,
)
from botocore.parsers import ResponseParserError
from botocore.retries.standard import ThrottledRetryableChecker
from botocore.session import Session
from hypothesis import given
from hypothesis import strategies as st

from accounts.base import AccountError
from accounts.codes import PASSING, REFUSED, SKEWED, THROTTLED, UNKNOWN_SESSION
from accounts.errors import ACTIONS, action_of, explain, is_passing
from accounts.redact import LONGEST, redacted
from accounts.statements import STATEMENTS, granting
from accounts.throttle import RATES
from tests.accounts.fake_sts import refusal

WHAT = "start a deployment of shop/shop-prod in prod"
ROLE = "arn:aws:sts::444444444444:assumed-role/Towpath{}/towpath-x"
GROUP = "arn:aws:codedeploy:eu-west-1:444444444444:deploymentgroup:shop/shop-prod"


def denied(action: str, role: str = "Deploy", why: str = "") -> str:
    who = f"User: {ROLE.format(role)} is not authorized"
    said = f"{who} to perform: {action} on resource: {GROUP}{why}"
    return str(explain(refusal("AccessDeniedException", said, 403, action.partition(":")[2]), WHAT))


def test_a_refusal_names_who_what_on_which_and_the_statement() -> None:
    why = " because no identity-based policy allows the codedeploy:CreateDeployment action"
    assert denied("codedeploy:CreateDeployment", why=why) == (
        f"May not {WHAT}: {ROLE.format('Deploy')} lacks codedeploy:CreateDeployment on {GROUP} "
        "(because no identity-based policy allows the codedeploy:CreateDeployment action); "
        "StartDeployments in deploy/account-roles.cfn.yaml grants it: update the account's stack."
    )


def test_the_statement_is_that_of_the_refused_role() -> None:
    assert "RestoreDeployments in" in denied("codedeploy:CreateDeployment", "Rollback")


def test_what_no_role_has_is_said() -> None:
    assert "no statement of deploy/account-roles.cfn.yaml grants it" in denied("ec2:RunInstances")


def test_a_session_policy_is_not_mended_in_the_role() -> None:
    why = " because no session policy allows the codedeploy:CreateDeployment action"
    assert denied("codedeploy:CreateDeployment", why=why).endswith(
        "the session was narrowed to other resources: name this one in the action."
    )


def test_an_explicit_deny_is_mended_by_somebody_else() -> None:
    why = " with an explicit deny in a service control policy"
    assert "ask the account's administrator" in denied("codedeploy:CreateDeployment", why=why)


def test_a_head_without_words_still_names_its_statements() -> None:
    said = str(explain(refusal("403", "Forbidden", 403, "HeadObject"), "read s3://b/k in prod"))
    assert "lacks s3:GetObject; ReadSource or ReadArtifacts in" in said


@pytest.mark.parametrize(
    "action", sorted({a for s in STATEMENTS.values() for t in s for a in t.actions})
)
def test_every_action_of_the_roles_leads_to_its_statement(action: str) -> None:
    sids = granting(action)
    assert sids
    assert all(sid in denied(action, "Unknown") for sid in sids)


def test_operations_with_other_names_lead_to_real_actions() -> None:
    known = {a for table in STATEMENTS.values() for s in table for a in s.actions}
    assert set(ACTIONS.values()) <= known
    assert (
        action_of(refusal("403", "", 403, "GetDeploymentGroup")) == "codedeploy:GetDeploymentGroup"
    )


@pytest.mark.parametrize("code", sorted(PASSING))
def test_what_passes_is_not_permanent(code: str) -> None:
    assert not explain(refusal(code), WHAT).permanent


@pytest.mark.parametrize("code", sorted(SKEWED))
def test_a_clock_that_is_off_is_said_with_the_time_by_aws(code: str) -> None:
    error = refusal(code, "Signature expired", 403)
    about: Any = error.response["ResponseMetadata"]
    about["HTTPHeaders"] = {"date": "Fri, 27 Nov 2026 09:00:00 GMT"}
    said = str(explain(error, WHAT))
    assert "clock is off" in said
    assert f"({code}; AWS's own time is Fri, 27 Nov 2026 09:00:00 GMT)" in said


def test_every_word_of_botocore_for_throttling_is_known() -> None:
    words = set(ThrottledRetryableChecker._THROTTLED_ERROR_CODES)  # type: ignore[attr-defined]
    assert words - THROTTLED == {"LimitExceededException"}, "elsewhere than in Kinesis a quota"


@pytest.mark.parametrize("service", sorted({name.partition(":")[0] for name in RATES}))
def test_every_service_that_we_call_says_throttled_in_a_word_that_we_know(service: str) -> None:
    model = Session().get_service_model(service)
    shapes: Any = model.error_shapes
    codes = {shape.error_code for shape in shapes}
    assert {code for code in codes if "throttl" in code.lower()} <= THROTTLED


@pytest.mark.parametrize("code", sorted(REFUSED | UNKNOWN_SESSION))
def test_a_refusal_is_told_from_other_errors(code: str) -> None:
    told = explain(refusal(code, "", 403), WHAT)
    assert (told.permanent, told.refused) == (True, True)
    assert not explain(refusal("ValidationError"), WHAT).refused


def test_a_server_fault_passes_whatever_its_code() -> None:
    assert is_passing(refusal("Weird", "", 503))
    assert is_passing(refusal("Weird", "", 429))
    assert not is_passing(refusal("Weird", "", 400))


@pytest.mark.parametrize("code", ["AccessDenied", "ValidationError", "PackedPolicyTooLarge", ""])
def test_what_does_not_pass_is_permanent(code: str) -> None:
    assert explain(refusal(code), WHAT).permanent


URL = "https://sts.eu-west-1.amazonaws.com/"
OTHERS = [
    (NoCredentialsError(), True, "no AWS credentials of its own"),
    (EndpointConnectionError(endpoint_url=URL), False, "Check the network"),
    (ConnectTimeoutError(endpoint_url=URL), False, "could not be reached in time"),
    (ReadTimeoutError(endpoint_url=URL), False, "did not answer in time"),
    (ResponseParserError("invalid XML received"), False, "broke off"),
    (ParamValidationError(report="Missing: x"), True, "the request is wrong"),
    (OSError("broken pipe"), False, "OSError: broken pipe"),
    (ValueError("what?"), True, "ValueError: what?"),
]


@pytest.mark.parametrize(("error", "permanent", "said"), OTHERS)
def test_what_is_no_answer_is_said_too(error: Exception, permanent: bool, said: str) -> None:
    explained = explain(error, WHAT)
    assert said in str(explained)
    assert explained.permanent is permanent


def test_our_own_error_stays_as_it_is() -> None:
    ours = AccountError("There is no account.", permanent=True)
    assert explain(ours, WHAT) is ours


SECRETS = [
    "ASIAIOSFODNN7EXAMPLE",
    "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    "FwoGZXIvYXdzE" + "a1B2" * 60,
]


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize(
    "around", ["{}", "the key '{}' is wrong", "token={}&x", "https://u:{}@h/?X-Amz-Signature={}"]
)
def test_no_secret_is_repeated(secret: str, around: str) -> None:
    error = refusal("InvalidRequest", around.format(secret, secret))
    assert secret not in str(explain(error, WHAT))


def test_the_signed_request_in_a_wrong_signature_is_not_repeated() -> None:
    error = refusal("SignatureDoesNotMatch", "The Canonical String should have been 'POST /x'")
    assert "Canonical" not in str(explain(error, WHAT))
    assert "clock is off" in str(explain(error, WHAT))


@pytest.mark.parametrize(
    "kept", ["sha256:" + "ab12" * 16, "da39a3ee5e6b4b0d3255bfef95601890afd80709", GROUP]
)
def test_what_people_need_is_kept(kept: str) -> None:
    assert redacted(f"see {kept}") == f"see {kept}"


@given(st.text(max_size=2000))
def test_anything_said_becomes_one_bounded_line(said: str) -> None:
    text = redacted(said)
    assert len(text) <= LONGEST + 3
    assert text.isprintable() or "\n" not in text
