import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.actions import envelopes
from controlplane.actions.envelopes import Arrival, Change, EnvelopeError, read

REAL = Path("../shared/data/aws-events")
DIGEST = f"sha256:{'ab' * 32}"

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=20,
)


def created(**detail: Any) -> dict[str, Any]:
    given = {"bucket": {"name": "releases"}, "object": {"key": "a b+c.zip", "version-id": "v1"}}
    return {
        "source": "aws.s3",
        "detail-type": "Object Created",
        "account": "111111111111",
        "time": "2026-01-05T09:00:00Z",
        "detail": {**given, **detail},
    }


def pushed(**detail: Any) -> dict[str, Any]:
    given = {
        "result": "SUCCESS",
        "action-type": "PUSH",
        "repository-name": "shop",
        "image-tag": "latest",
        "image-digest": DIGEST,
    }
    return {
        "source": "aws.ecr",
        "detail-type": "ECR Image Action",
        "account": "111111111111",
        "detail": {**given, **detail},
    }


def deployed(state: str = "SUCCESS", **detail: Any) -> dict[str, Any]:
    given = {
        "application": "shop",
        "deploymentGroup": "shop-prod",
        "deploymentId": "d-123456789",
        "instanceGroupId": "8cd3bfa8-9e72-4cbe-a1e5-da4efc7efd49",
        "region": "eu-west-1",
        "state": state,
    }
    return {
        "source": "aws.codedeploy",
        "detail-type": "CodeDeploy Deployment State-change Notification",
        "account": "444444444444",
        "detail": {**given, **detail},
    }


def moved(**detail: Any) -> dict[str, Any]:
    given = {
        "event": "referenceUpdated",
        "repositoryName": "shop",
        "referenceType": "branch",
        "referenceName": "main",
        "commitId": "ab" * 20,
    }
    kind = "CodeCommit Repository State Change"
    told = {"source": "aws.codecommit", "detail-type": kind, "account": "111111111111"}
    return {**told, "detail": {**given, **detail}}


def arrival(body: str) -> Arrival:
    found = read(body)
    assert isinstance(found, Arrival)
    return found


def refusal(body: str) -> str:
    with pytest.raises(EnvelopeError) as caught:
        read(body)
    return str(caught.value)


def test_an_object_created_names_its_version() -> None:
    arrived = arrival(json.dumps(created()))
    assert arrived.provider == "S3"
    assert arrived.matches == {"S3Bucket": "releases", "S3ObjectKey": "a b+c.zip"}
    assert (arrived.revision.id, arrived.account) == ("v1", "111111111111")
    assert arrived.revision.at is not None


def test_a_pushed_image_names_its_digest() -> None:
    arrived = arrival(json.dumps(pushed()))
    assert arrived.matches == {"RepositoryName": "shop", "ImageTag": "latest"}
    assert arrived.revision.id == DIGEST


@pytest.mark.parametrize(
    ("state", "ended"),
    [("START", False), ("SUCCESS", True), ("FAILURE", True), ("STOP", True)],
)
def test_a_deployment_tells_that_it_began_and_that_it_ended(state: str, *, ended: bool) -> None:
    told = Change("444444444444", "eu-west-1", "d-123456789", ended)
    assert read(json.dumps(deployed(state))) == told


def build(status: str = "SUCCEEDED", **more: str) -> dict[str, Any]:
    arn = f"arn:aws:codebuild:eu-west-1:444444444444:build/shop:{BUILD}"
    return {
        "source": "aws.codebuild",
        "detail-type": "CodeBuild Build State Change",
        "account": "444444444444",
        "detail": {"build-status": status, "build-id": arn, **more},
    }


BUILD = "8745a7a9-c340-456a-9166-edf953571bee"


@pytest.mark.parametrize(("status", "ended"), [("IN_PROGRESS", False), ("FAULT", True)])
def test_a_build_tells_that_it_began_and_that_it_ended(status: str, *, ended: bool) -> None:
    told = Change("444444444444", "eu-west-1", f"shop:{BUILD}", ended, deployment=False)
    assert read(json.dumps(build(status))) == told


@pytest.mark.parametrize(
    "envelope",
    [
        build("PAUSED"),
        build(**{"build-id": "shop:1"}),
        {**build(), "account": "111111111111"},
        created(object={"key": "k"}),
        created(bucket="releases"),
        created(object={"key": "k" * 2000, "version-id": "v"}),
        created(object={"key": "k\n", "version-id": "v"}),
        pushed(result="FAILURE"),
        pushed(**{"action-type": "DELETE"}),
        pushed(**{"image-tag": ""}),
        pushed(**{"image-digest": "sha256:short"}),
        deployed(state="MAYBE"),
        deployed(deploymentId="../d-1"),
        deployed(region=""),
        {**deployed(), "account": ""},
        {**deployed(), "detail-type": "CodeDeploy Instance State-change Notification"},
        {**created(), "source": "my.app"},
        {**created(), "source": ["aws.s3"]},
        {**created(), "detail": []},
        {**created(), "account": 111111111111},
        {**created(), "account": "../../etc"},
    ],
)
def test_what_is_foreign_or_malformed_is_refused(envelope: dict[str, Any]) -> None:
    assert refusal(json.dumps(envelope))


def test_a_body_is_measured_before_it_is_parsed() -> None:
    assert refusal(" " * (envelopes.LARGEST + 1)) == "too large"
    assert refusal("é" * (envelopes.LARGEST // 2 + 1)) == "too large"


def test_a_deep_body_is_refused_before_it_is_parsed() -> None:
    assert refusal("[" * 100_000) == "nested too deeply"
    assert refusal('{"a":' * 1000 + "1" + "}" * 1000) == "nested too deeply"


def test_brackets_in_a_key_are_no_depth() -> None:
    version = {"key": "[" * 200 + '"', "version-id": "v"}
    assert arrival(json.dumps(created(object=version))).matches["S3ObjectKey"].startswith("[[")


@pytest.mark.parametrize("body", ["", "null", "[]", "{", "NaN", '{"a": Infinity}', "9" * 5000])
def test_what_is_no_envelope_is_refused(body: str) -> None:
    assert refusal(body)


@given(st.text() | JSON.map(json.dumps))
def test_no_body_does_more_than_be_refused(body: str) -> None:
    assert refusal(body)


@given(JSON, st.sampled_from(["bucket", "object"]))
def test_no_detail_of_s3_does_more_than_be_refused(value: Any, key: str) -> None:
    assert refusal(json.dumps(created(**{key: value})))


@given(JSON, st.sampled_from(["result", "action-type", "repository-name", "image-digest"]))
def test_no_detail_of_ecr_gets_through_unread(value: Any, key: str) -> None:
    try:
        arrived = arrival(json.dumps(pushed(**{key: value})))
    except EnvelopeError:
        return
    assert key == "repository-name"
    assert arrived.matches["RepositoryName"] == value


@given(JSON, st.sampled_from(["deploymentId", "region", "state"]))
def test_no_detail_of_codedeploy_gets_through_unread(value: Any, key: str) -> None:
    try:
        found = read(json.dumps(deployed(**{key: value})))
    except EnvelopeError:
        return
    assert isinstance(found, Change)
    assert value in (found.region, found.deployment, "SUCCESS", "START", "FAILURE", "STOP", "READY")


def test_of_real_events_only_versions_and_pushes_get_through() -> None:
    assert REAL.is_dir()
    got: dict[str, list[str]] = {"S3": [], "ECR": []}
    for path in REAL.rglob("*.json"):
        try:
            got[arrival(path.read_text("utf-8")).provider].append(path.name)
        except EnvelopeError:
            continue
    assert got["S3"] == ["Object-Created__amazon-s3-userguide__ev-events.md_L21.json"]
    assert all(name.startswith("ECR-Image-Action") for name in got["ECR"])


def test_a_branch_of_codecommit_that_moved_names_its_commit() -> None:
    arrived = arrival(json.dumps(moved()))
    assert arrived.matches == {"RepositoryName": "shop", "BranchName": "main"}
    assert (arrived.revision.id, arrived.revision.ref) == ("ab" * 20, "refs/heads/main")


@pytest.mark.parametrize(
    ("detail", "said"),
    [
        ({"event": "referenceDeleted"}, "no branch that moved"),
        ({"referenceType": "tag"}, "no branch that moved"),
        ({"commitId": "main"}, "no commit id"),
        ({"referenceName": ""}, "no referenceName"),
    ],
)
def test_of_codecommit_nothing_else_is_for_us(detail: dict[str, str], said: str) -> None:
    assert refusal(json.dumps(moved(**detail))) == said
