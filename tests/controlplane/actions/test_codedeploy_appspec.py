"""What an AppSpec says of a Lambda alias; anything else is no alias of ours, or an error with its name."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.actions.base import ActionError
from controlplane.actions.codedeploy_appspec import Shift, is_appspec, shift_of
from controlplane.actions.s3_content import Place

SPEC = """\
version: 0.0
Resources:
  - myFunction:
      Type: AWS::Lambda::Function
      Properties: {Name: "NAME", Alias: live, CurrentVersion: 7, TargetVersion: "8"}
"""
ARN = "arn:aws:lambda:eu-west-1:444444444444:function:shop"


@pytest.mark.parametrize("name", ["shop", ARN, f"{ARN}:live"])
def test_the_alias_and_its_versions_are_read(name: str) -> None:
    assert shift_of(SPEC.replace("NAME", name), "a.yaml") == Shift("shop", "live", "7", "8")


def test_json_is_read_as_well() -> None:
    text = (
        '{"version": 0.0, "Resources": [{"f": {"Type": "AWS::Lambda::Function", "Properties": '
        '{"Name": "shop", "Alias": "live", "CurrentVersion": "7", "TargetVersion": "8"}}}]}'
    )
    assert shift_of(text, "a.json") == Shift("shop", "live", "7", "8")


def test_ecs_has_no_alias() -> None:
    text = "version: 0.0\nResources: [{TargetService: {Type: 'AWS::ECS::Service'}}]"
    assert shift_of(text, "a.yaml") is None


def test_what_is_missing_is_named() -> None:
    with pytest.raises(ActionError, match="has no TargetVersion") as caught:
        shift_of(SPEC.replace("TargetVersion", "Target"), "s3://b/a.yaml")
    assert caught.value.permanent


@given(
    st.text(max_size=200) | st.text("[]{}:-, \n&*!'\"aR", max_size=60).map("Resources: ".__add__)
)
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(ActionError):
        assert shift_of(text, "a") is None


@pytest.mark.parametrize(
    ("key", "is_one"), [("a/b.YAML", True), ("a.json", True), ("a.zip", False)]
)
def test_an_appspec_is_known_by_its_name(key: str, is_one: bool) -> None:
    assert is_appspec(Place("b", key)) is is_one
