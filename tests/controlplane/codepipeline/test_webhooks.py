"""Webhooks of version 1: stored, and what they are sent starts the pipeline where the filters match."""

import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from controlplane.codepipeline import filters
from controlplane.store import audit
from tests.support.house import deploying, pipeline, source
from tests.support.wire import Wire

VECTORS = Path("../shared/data/webhooks/signatures.json")
PUSH = Path("../shared/data/webhooks/github/octokit__push__1.payload.json")
SECRET = "It's a Secret to Everybody"


def put(wire: Wire, authentication: str = "GITHUB_HMAC", **given: str) -> str:
    """A webhook of this kind; the path of its URL."""
    wire.doors.house.apply(pipeline(source(), deploying("Prod")))
    configuration = given or {"SecretToken": SECRET}
    webhook = {
        "name": "push",
        "targetPipeline": "shop",
        "targetAction": "Upload",
        "filters": [{"jsonPath": "$.ref", "matchEquals": "refs/tags/simple-tag"}],
        "authentication": authentication,
        "authenticationConfiguration": {} if "none" in given else configuration,
    }
    made = wire.call("PutWebhook", {"webhook": webhook}).json()["webhook"]
    return str(made["url"].partition("/webhooks/")[2])


def send(wire: Wire, path: str, body: bytes, **headers: str) -> httpx.Response:
    return wire.client.post(f"http://towpath/webhooks/{path}", content=body, headers=headers)


def signature(body: bytes) -> str:
    return "sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()


def test_a_signed_push_starts_the_pipeline_once(wire: Wire) -> None:
    path, body = put(wire), PUSH.read_bytes()
    for _ in range(2):
        answer = send(wire, path, body, **{"x-hub-signature-256": signature(body)})
        assert answer.status_code == 200
    (row,) = wire.doors.house.rows()
    listed = wire.call("ListPipelineExecutions", {"pipelineName": "shop"}).json()
    (seen,) = listed["pipelineExecutionSummaries"]
    assert seen["pipelineExecutionId"] == row.id
    assert seen["trigger"]["triggerType"] == "Webhook"


def test_what_no_filter_matches_starts_nothing(wire: Wire) -> None:
    path, body = put(wire), b'{"ref": "refs/heads/main"}'
    assert "No filter" in send(wire, path, body, **{"x-hub-signature-256": signature(body)}).text
    assert wire.doors.house.rows() == []


def test_the_published_signatures_are_told_right_from_wrong(wire: Wire) -> None:
    path = put(wire)
    vectors = [v for v in json.loads(VECTORS.read_text()) if "github X-Hub" in v["scheme"]]
    assert len(vectors) > 1
    for one in vectors:
        answer = send(wire, path, one["body"].encode(), **one["headers"])
        # "Hello, World!" is well signed and no JSON.
        assert (answer.status_code == 401) is not one["expected_valid"]


def test_an_address_from_elsewhere_is_refused(wire: Wire) -> None:
    path = put(wire, "IP", AllowedIPRange="192.0.2.0/24")
    assert send(wire, path, PUSH.read_bytes()).status_code == 403


def test_the_secret_is_never_answered(wire: Wire) -> None:
    put(wire)
    text = wire.call("ListWebhooks").text
    assert '"SecretToken":"****"' in text and SECRET not in text
    with wire.doors.house.database.read() as connection:
        stored = connection.exec_driver_sql("SELECT * FROM webhook").one()
    assert SECRET not in str(stored)


def test_webhooks_are_paged_by_the_words_of_their_own_shape(wire: Wire) -> None:
    wire.doors.house.apply(pipeline(source(), deploying("Prod")))
    hook: dict[str, Any] = {
        "targetPipeline": "shop",
        "targetAction": "Upload",
        "filters": [{"jsonPath": "$.ref"}],
    }
    hook |= {"authentication": "UNAUTHENTICATED", "authenticationConfiguration": {}}
    for name in ("a", "b", "c"):
        wire.call("PutWebhook", {"webhook": {**hook, "name": name}})
    first = wire.call("ListWebhooks", {"MaxResults": 2}).json()
    last = wire.call("ListWebhooks", {"NextToken": first["NextToken"]}).json()
    names = [one["definition"]["name"] for one in (*first["webhooks"], *last["webhooks"])]
    assert (names, "NextToken" in last) == (["a", "b", "c"], False)


def test_what_is_nested_too_deep_to_be_written_matches_nothing() -> None:
    deep: Any = []
    for _ in range(5_000):
        deep = [deep]
    assert not filters.match([{"jsonPath": "$.a", "matchEquals": "[]"}], {"a": deep}, {})


def test_a_deleted_webhook_is_called_in_vain(wire: Wire) -> None:
    path = put(wire)
    assert wire.refusal("DeleteWebhook", {"name": "push"}) == ""
    assert send(wire, path, b"{}").status_code == 404
    assert wire.call("ListWebhooks").json()["webhooks"] == []


def test_who_opens_and_closes_a_way_in_is_in_the_audit_log(wire: Wire) -> None:
    put(wire)
    for _ in range(2):
        wire.call("DeleteWebhook", {"name": "push"})
    with wire.doors.house.database.read() as connection:
        found = [one for one in audit.entries(connection) if one["kind"].startswith("webhook.")]
    assert [(one["kind"], one["who"], one["door"], one["text"]) for one in found] == [
        ("webhook.put", "admin", "codepipeline", "push starts shop by Upload (GITHUB_HMAC)"),
        ("webhook.deleted", "admin", "codepipeline", "push"),
    ]


@pytest.mark.parametrize(
    ("path", "wanted", "matches"),
    [
        ("$.ref", "refs/heads/{Branch}", True),
        ("$.ref", "refs/heads/{Nothing}", False),
        ("$.commits[0].id", "c1", True),
        ("$.commits[1].id", "c1", False),
        ("$['ref']", None, True),
        ("$.deleted", "false", True),
        ("$.absent", None, False),
    ],
)
def test_filters(path: str, wanted: Any, matches: bool) -> None:
    body = {"ref": "refs/heads/main", "commits": [{"id": "c1"}], "deleted": False}
    one = {"jsonPath": path} | ({} if wanted is None else {"matchEquals": wanted})
    assert filters.match([one], body, {"Branch": "main"}) is matches
