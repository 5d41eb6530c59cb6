"""Session policies: valid, small, and never wider than the purpose or the scope."""

import json
from fnmatch import fnmatchcase
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.base import AccountError, Scope
from accounts.models import Purpose
from accounts.policies import LIMIT, session_policies, session_policy
from accounts.statements import ONLY_NAMED, SET_ALARMS, STATEMENTS, On, Statement
from tests.support.clients import account

PROD = account().model_copy(update={"artifact_key": "arn:aws:kms:eu-west-1:444444444444:key/abc"})
GROUP = "arn:aws:codedeploy:eu-west-1:444444444444:deploymentgroup:shop/shop-prod"
SOURCE = "arn:aws:s3:::releases/shop.zip"
OWN = {
    "arn:aws:s3:::towpath-artifacts-444444444444",
    "arn:aws:s3:::towpath-artifacts-444444444444/*",
    PROD.artifact_key,
}
NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=80)
ARNS = st.builds(
    "arn:aws:{}:eu-west-1:444444444444:{}".format,
    st.sampled_from(["codedeploy", "lambda", "ecr", "sns", "synthetics", "kms", "s3"]),
    NAMES,
)


def parsed(policy: str) -> list[dict[str, Any]]:
    document = json.loads(policy)
    assert document["Version"] == "2012-10-17"
    return [
        {
            **one,
            "Resource": [one["Resource"]] if isinstance(one["Resource"], str) else one["Resource"],
        }
        for one in document["Statement"]
    ]


def allows(policy: str, action: str, resource: str) -> bool:
    return any(
        action in one["Action"] and any(fnmatchcase(resource, r) for r in one["Resource"])
        for one in parsed(policy)
    )


def actions_of(purpose: Purpose) -> set[str]:
    return {action for statement in STATEMENTS[purpose] for action in statement.actions}


def apart(purpose: Purpose) -> list[Statement]:
    return [one for one in STATEMENTS[purpose] if one in ONLY_NAMED]


def test_an_environment_is_updated_only_by_a_session_that_names_it() -> None:
    named = "arn:aws:elasticbeanstalk:eu-west-1:444444444444:environment/shop/web"
    policy = session_policy(PROD, Purpose.DEPLOY, Scope(resources=(named,)))
    assert allows(policy, "elasticbeanstalk:UpdateEnvironment", named)
    assert not allows(policy, "elasticbeanstalk:UpdateEnvironment", f"{named}-other")
    assert "elasticbeanstalk" not in session_policy(PROD, Purpose.DEPLOY, Scope())


def test_a_session_for_one_group_cannot_deploy_to_another() -> None:
    policy = session_policy(PROD, Purpose.DEPLOY, Scope(resources=(GROUP,)))
    assert allows(policy, "codedeploy:CreateDeployment", GROUP)
    assert not allows(policy, "codedeploy:CreateDeployment", GROUP.replace("shop-prod", "other"))


def test_a_session_for_one_group_cannot_invoke_a_function() -> None:
    policy = session_policy(PROD, Purpose.DEPLOY, Scope(resources=(GROUP,)))
    assert "lambda:InvokeFunction" not in policy


def test_an_action_that_knows_no_resource_stays_allowed() -> None:
    policy = session_policy(PROD, Purpose.ROLLBACK, Scope(resources=(GROUP,)))
    assert allows(policy, "codedeploy:StopDeployment", "*")


def test_the_own_bucket_and_key_stay_allowed() -> None:
    policy = session_policy(PROD, Purpose.ROLLBACK, Scope(resources=(GROUP,)))
    assert allows(policy, "s3:GetObject", "arn:aws:s3:::towpath-artifacts-444444444444/k")
    assert allows(policy, "kms:Decrypt", str(PROD.artifact_key))
    assert not allows(policy, "s3:GetObject", "arn:aws:s3:::somebody-elses/k")


def test_with_a_source_object_comes_the_listing_of_its_bucket() -> None:
    policy = session_policy(PROD, Purpose.DEPLOY, Scope(resources=(SOURCE,)))
    assert allows(policy, "s3:GetObject", SOURCE)
    assert allows(policy, "s3:ListBucket", "arn:aws:s3:::releases")
    assert not allows(policy, "s3:GetObject", "arn:aws:s3:::releases/other.zip")


@pytest.mark.parametrize("purpose", list(Purpose))
def test_an_empty_scope_is_narrowed_to_its_purpose_only(purpose: Purpose) -> None:
    (statement,) = parsed(session_policy(PROD, purpose, Scope()))
    assert statement["Resource"] == ["*"]
    left_out = {action for one in (SET_ALARMS, *apart(purpose)) for action in one.actions}
    assert set(statement["Action"]) == actions_of(purpose) - left_out


def test_alarms_are_set_outside_production_only_and_only_the_one_that_is_named() -> None:
    alarm = "arn:aws:cloudwatch:eu-west-1:444444444444:alarm:errors"
    (setting,) = SET_ALARMS.actions
    test = PROD.model_copy(update={"environment": "test"})
    policy = session_policy(test, Purpose.DEPLOY, Scope(resources=(alarm,)))
    assert allows(policy, setting, alarm) and not allows(policy, setting, f"{alarm}-other")
    assert all(
        setting not in rung
        for scope in (Scope(), Scope(resources=(alarm,)))
        for rung in session_policies(PROD, Purpose.DEPLOY, scope)
    )


def test_too_many_resources_fall_back_to_their_services() -> None:
    many = tuple(f"{GROUP}-{number:03}" for number in range(40))
    policy = session_policy(PROD, Purpose.DEPLOY, Scope(resources=many))
    assert allows(policy, "codedeploy:CreateDeployment", GROUP)
    assert "lambda:InvokeFunction" not in policy


def test_what_is_no_arn_is_refused_with_the_mend() -> None:
    with pytest.raises(AccountError, match=r"'shop' is not an ARN.*correct the names") as caught:
        session_policy(PROD, Purpose.DEPLOY, Scope(resources=("shop",)))
    assert caught.value.permanent


@given(st.sampled_from(Purpose), st.lists(ARNS, max_size=12))
def test_any_names_make_valid_policies_that_only_narrow(purpose: Purpose, arns: list[str]) -> None:
    rungs = session_policies(PROD, purpose, Scope(resources=tuple(arns)))
    for policy in rungs:
        assert len(policy) <= LIMIT
        assert policy.isascii()
        assert {action for one in parsed(policy) for action in one["Action"]} <= actions_of(purpose)
    assert all(one["Action"] for one in parsed(rungs[-1]))


@given(st.sampled_from(Purpose), st.lists(ARNS, min_size=1, max_size=3))
def test_the_narrowest_policy_names_only_what_the_task_named(
    purpose: Purpose, arns: list[str]
) -> None:
    buckets = {arn.partition("/")[0] for arn in arns}
    anything = {
        action
        for statement in STATEMENTS[purpose]
        if statement.on in (On.ANYTHING, On.SOURCE_KEY)
        for action in statement.actions
    }
    for one in parsed(session_policy(PROD, purpose, Scope(resources=tuple(arns)))):
        if one["Resource"] == ["*"]:
            assert set(one["Action"]) <= anything
        else:
            assert set(one["Resource"]) <= {*arns, *buckets, *OWN}


def test_a_pipelines_store_is_let_in_beside_the_accounts_own_bucket() -> None:
    key = "arn:aws:kms:eu-west-1:111111111111:key/k"
    scope = Scope(resources=(GROUP,), buckets=("shop-store",), key=key)
    policy = session_policy(PROD, Purpose.DEPLOY, scope)
    for bucket in ("shop-store", PROD.artifact_bucket):
        assert allows(policy, "s3:PutObject", f"arn:aws:s3:::{bucket}/a.zip")
    assert not allows(policy, "s3:PutObject", "arn:aws:s3:::other/a.zip")
    assert allows(policy, "kms:GenerateDataKey", key)
    assert not allows(policy, "kms:GenerateDataKey", key.replace("key/k", "key/other"))
    unknown = session_policy(
        PROD, Purpose.DEPLOY, Scope(resources=(GROUP,), buckets=("shop-store",))
    )
    assert allows(unknown, "kms:GenerateDataKey", key), "which keys those are, the role says"
