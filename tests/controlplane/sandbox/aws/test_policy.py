"""What one IAM document says of one request."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.sandbox.aws.policy import Effect, Request, decide, parse

ARN = "arn:aws:s3:::shop/release.zip"


def says(statement: dict[str, Any], action: str = "s3:GetObject", **more: Any) -> Effect:
    request = Request(action, more.pop("resource", ARN), **more)
    return decide([{"Statement": statement}], request)


def statement(**more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*", **more}


@pytest.mark.parametrize("action", ["s3:GetObject", "S3:getobject", "s3:Get*", "s3:Get?bject", "*"])
def test_actions_match_by_wildcard_whatever_their_case(action: str) -> None:
    assert says(statement(Action=action)) is Effect.ALLOW


@pytest.mark.parametrize("action", ["s3:PutObject", "s3:GetObjectVersion", "kms:*", "s3.GetObject"])
def test_other_actions_do_not(action: str) -> None:
    assert says(statement(Action=[action])) is Effect.NONE


def test_not_action_allows_all_others() -> None:
    only = {"Effect": "Allow", "NotAction": ["iam:*"], "Resource": "*"}
    assert says(only) is Effect.ALLOW
    assert says(only, "iam:GetRole") is Effect.NONE


def test_resources_match_by_wildcard_and_case() -> None:
    assert says(statement(Resource="arn:aws:s3:::shop/*")) is Effect.ALLOW
    assert says(statement(Resource="arn:aws:s3:::Shop/*")) is Effect.NONE
    assert says(statement(Resource="arn:aws:s3:::shop")) is Effect.NONE


def test_a_resource_that_we_do_not_know_matches_an_allow_but_not_a_deny() -> None:
    narrow = statement(Resource="arn:aws:s3:::shop/*")
    assert says(narrow, resource=None) is Effect.ALLOW
    assert says({**narrow, "Effect": "Deny"}, resource=None) is Effect.NONE


def test_an_action_without_a_resource_needs_a_star() -> None:
    assert says(statement(Resource="arn:aws:s3:::shop/*"), resource="*") is Effect.NONE


def test_a_known_condition_key_is_compared() -> None:
    only = statement(Condition={"StringEquals": {"aws:PrincipalAccount": ["1", "2"]}})
    assert says(only, context={"aws:principalaccount": "2"}) is Effect.ALLOW
    assert says(only, context={"aws:principalaccount": "3"}) is Effect.NONE
    assert says(only, context={"aws:principalaccount": None}) is Effect.NONE


def test_negated_and_optional_conditions_hold_where_the_key_is_absent() -> None:
    absent: dict[str, Any] = {"context": {"aws:sourceidentity": None}}
    for operator in ("StringNotEquals", "StringLikeIfExists"):
        condition = {operator: {"aws:SourceIdentity": "ana"}}
        assert says(statement(Condition=condition), **absent) is Effect.ALLOW


def test_an_unknown_condition_lets_an_allow_through_and_stops_no_deny() -> None:
    unknown = {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}
    assert says(statement(Condition=unknown)) is Effect.ALLOW
    assert says(statement(Effect="Deny", Condition=unknown)) is Effect.NONE


def test_a_variable_stands_for_the_callers_tag() -> None:
    tagged = statement(Resource="arn:aws:s3:::${aws:PrincipalTag/pipeline}/*")
    assert says(tagged, context={"aws:principaltag/pipeline": "shop"}) is Effect.ALLOW
    assert says(tagged, context={"aws:principaltag/pipeline": "other"}) is Effect.NONE


def test_a_resources_policy_names_who_may_call() -> None:
    document = {"Statement": statement(Principal={"AWS": ["111111111111"]})}
    ours = Request("s3:GetObject", ARN, frozenset({"111111111111"}))
    theirs = Request("s3:GetObject", ARN, frozenset({"222222222222"}))
    assert decide([document], ours, of_resource=True) is Effect.ALLOW
    assert decide([document], theirs, of_resource=True) is Effect.NONE


@given(st.recursive(st.none() | st.booleans() | st.text(), st.lists, max_leaves=5))
def test_a_document_of_any_json_says_nothing_or_something_but_never_breaks(value: Any) -> None:
    text = json.dumps({"Statement": [{"Effect": "Allow", "Action": value, "Resource": value}]})
    assert decide([parse(text)], Request("s3:GetObject", ARN)) in Effect
