"""The calls that Terraform's aws_codepipeline makes, in its order: a plan right after an apply is empty.

Its resource reads back every field that it has sent, and shows as a change what differs; only what the
server may fill in by itself (an action's run_order and region) does not. Terraform itself is not run.
https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/codepipeline
"""

from typing import Any

import pytest

from controlplane.store import audit
from tests.support.doors import Doors
from tests.support.moving import ROLE
from tests.support.wire import boto

FILLED_IN = ("runOrder", "region")
"""Optional and computed, in the resource's schema."""


def kind(category: str, provider: str) -> dict[str, str]:
    return {"category": category, "owner": "AWS", "provider": provider, "version": "1"}


def planned(**more: Any) -> dict[str, Any]:
    """What the resource sends: it always says mode and type, and a configuration, if an empty one."""
    upload = {
        "name": "Upload",
        "actionTypeId": kind("Source", "S3"),
        "namespace": "Source",
        "configuration": {
            "S3Bucket": "in",
            "S3ObjectKey": "shop.zip",
            "PollForSourceChanges": "false",
        },
        "outputArtifacts": [{"name": "App"}],
    }
    ask = {"name": "Ask", "actionTypeId": kind("Approval", "Manual"), "configuration": {}}
    ship = {
        "name": "Ship",
        "actionTypeId": kind("Deploy", "CodeDeploy"),
        "configuration": {"ApplicationName": "shop", "DeploymentGroupName": "prod"},
        "inputArtifacts": [{"name": "App"}],
        "roleArn": ROLE,
        "runOrder": 2,
    }
    return {
        "name": "shop",
        "roleArn": ROLE,
        "executionMode": "SUPERSEDED",
        "pipelineType": "V2",
        "artifactStore": {
            "type": "S3",
            "location": "artifacts",
            "encryptionKey": {"type": "KMS", "id": "alias/artifacts"},
        },
        "variables": [{"name": "Colour", "defaultValue": "blue", "description": "of the sign"}],
        "stages": [
            {"name": "Source", "actions": [upload]},
            {"name": "Prod", "actions": [ask, ship]},
        ],
        **more,
    }


def state(answer: Any) -> dict[str, Any]:
    """What the resource keeps of GetPipeline: empty and absent are one, as in its state."""
    found = {k: v for k, v in answer["pipeline"].items() if k != "version"}
    return _without_empty(found)  # type: ignore[no-any-return]


def _without_empty(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _without_empty(v) for k, v in value.items() if v not in ({}, [], None, "")}
    return [_without_empty(one) for one in value] if isinstance(value, list) else value


def diff(sent: dict[str, Any], read: dict[str, Any]) -> list[str]:
    """What a plan would show: what was not said and is filled in is none."""
    wanted, found = _without_empty(sent), read
    for stage, there in zip(wanted["stages"], found["stages"], strict=True):
        for action, filled in zip(stage["actions"], there["actions"], strict=True):
            for key in FILLED_IN:
                if key not in action:
                    filled.pop(key, None)
    return [key for key in wanted.keys() | found.keys() if wanted.get(key) != found.get(key)]


def test_a_plan_after_an_apply_is_empty(doors: Doors) -> None:
    with boto(doors) as client:
        client.create_pipeline(pipeline=planned(), tags=[{"key": "team", "value": "a"}])
        read = client.get_pipeline(name="shop")
        assert diff(planned(), state(read)) == []
        arn = read["metadata"]["pipelineArn"]
        assert client.list_tags_for_resource(resourceArn=arn)["tags"] == [
            {"key": "team", "value": "a"}
        ]

        changed = planned(executionMode="QUEUED")
        client.update_pipeline(pipeline=changed)
        client.untag_resource(resourceArn=arn, tagKeys=["team"])
        client.tag_resource(resourceArn=arn, tags=[{"key": "tier", "value": "1"}])
        assert diff(changed, state(client.get_pipeline(name="shop"))) == []
        assert client.list_tags_for_resource(resourceArn=arn)["tags"] == [
            {"key": "tier", "value": "1"}
        ]
        client.tag_resource(resourceArn=arn, tags=[{"key": "tier", "value": "1"}])
        client.untag_resource(resourceArn=arn, tagKeys=["none"])
        with doors.house.database.read() as connection:
            told = [one for one in audit.entries(connection) if one["kind"] == "tags.changed"]
        assert [(one["who"], one["pipeline"], one["text"]) for one in told] == [
            ("admin", "shop", "pipeline/shop: team=a"),
            ("admin", "shop", "pipeline/shop: team taken away"),
            ("admin", "shop", "pipeline/shop: tier=1"),
        ]

        client.delete_pipeline(name="shop")
        with pytest.raises(client.exceptions.PipelineNotFoundException):
            client.get_pipeline(name="shop")


def test_a_difference_would_be_seen() -> None:
    read = state({"pipeline": planned(roleArn=f"{ROLE}2")})
    read["stages"][0]["actions"][0]["configuration"]["Account"] = "dev"
    assert sorted(diff(planned(), read)) == ["roleArn", "stages"]
