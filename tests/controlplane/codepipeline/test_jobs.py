"""Jobs of custom actions: handed out, acknowledged, told how they went. Silence is never success."""

import itertools
import json
from collections.abc import Mapping
from typing import Any

import pytest

from accounts.lending import Lent, Objects
from controlplane.store import queries
from tests.support.house import ANNE, pipeline, source
from tests.support.wire import Wire

TYPE = {"category": "Test", "owner": "Custom", "provider": "Scan", "version": "1"}
NUMBERS = itertools.count()
SECRET_TEXT = "hunter2-hunter2"


def prop(name: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "required": False, "key": False, "secret": False, **more}


def create(call: Any, **more: Any) -> Any:
    """Register the type by whatever calls operations."""
    given = {
        "category": "Test",
        "provider": "Scan",
        "version": "1",
        "configurationProperties": [
            prop("Project", required=True, key=True, queryable=True),
            prop("Depth", type="Number"),
            prop("Password", secret=True),
        ],
        "inputArtifactDetails": {"minimumCount": 0, "maximumCount": 5},
        "outputArtifactDetails": {"minimumCount": 0, "maximumCount": 5},
        "settings": {
            "entityUrlTemplate": "https://scan.example/{Config:Project}",
            "revisionUrlTemplate": "https://scan.example/at/{RevisionId}",
            "executionUrlTemplate": "https://scan.example/{Config:Project}/{ExternalExecutionId}",
        },
    }
    return call("CreateCustomActionType", {**given, **more, "nothing": next(NUMBERS)})


def scan(name: str = "Scan", **more: Any) -> dict[str, Any]:
    """An action of the type."""
    given = {"Project": "shop", **more.pop("configuration", {})}
    return {"name": name, "actionTypeId": TYPE, "configuration": given, **more}


def asked(wire: Wire, operation: str, given: Mapping[str, Any]) -> Any:
    """What the door answers. Each request differs, or it would be taken for a replay."""
    answer = wire.call(operation, {**given, "nothing": next(NUMBERS)})
    assert answer.status_code < 500, answer.text
    return answer.json()


class Scene:
    """An installation whose pipeline `shop` has a custom action behind its source."""

    def __init__(self, wire: Wire, *actions: Mapping[str, Any]) -> None:
        self.wire, self.house = wire, wire.doors.house
        assert create(wire.call).status_code == 200
        self.house.apply(pipeline(source(), {"name": "Test", "actions": list(actions or [scan()])}))
        self.execution = self.house.start()

    def call(self, operation: str, **given: Any) -> Any:
        return asked(self.wire, operation, given)

    def refusal(self, operation: str, **given: Any) -> str:
        return str(self.call(operation, **given).get("__type", ""))

    def poll(self, **more: Any) -> list[Any]:
        query = {"queryParam": {"Project": "shop"}, **more}
        return list(self.call("PollForJobs", actionTypeId=TYPE, **query).get("jobs", []))

    def taken(self) -> str:
        """The id of a job that was polled for and acknowledged."""
        (job,) = self.poll()
        assert (
            self.call("AcknowledgeJob", jobId=job["id"], nonce=job["nonce"])["status"]
            == "InProgress"
        )
        return str(job["id"])

    def action(self) -> Any:
        self.house.settle()
        state = self.call("GetPipelineState", name="shop")["stageStates"][1]
        return state["actionStates"][0]["latestExecution"]


@pytest.fixture
def scene(wire: Wire) -> Scene:
    return Scene(wire)


def test_a_worker_polls_acknowledges_goes_on_and_succeeds(scene: Scene) -> None:
    (job,) = scene.poll()
    data = job["data"]
    assert data["actionConfiguration"]["configuration"] == {"Project": "shop"}
    assert data["pipelineContext"]["pipelineExecutionId"] == scene.execution
    assert scene.poll() == []  # one worker has it
    assert (
        scene.call("AcknowledgeJob", jobId=job["id"], nonce=job["nonce"])["status"] == "InProgress"
    )
    goes_on = {"summary": "half way", "percentComplete": 50, "externalExecutionId": "run 7"}
    scene.call(
        "PutJobSuccessResult", jobId=job["id"], continuationToken="at 50", executionDetails=goes_on
    )
    seen = scene.action()
    assert (seen["status"], seen["summary"]) == ("InProgress", "half way (50 %)")
    assert seen["externalExecutionUrl"] == "https://scan.example/shop/run%207"
    (second,) = scene.poll()
    assert second["id"] != job["id"] and second["data"]["continuationToken"] == "at 50"
    scene.call("AcknowledgeJob", jobId=second["id"], nonce=second["nonce"])
    scene.call("PutJobSuccessResult", jobId=second["id"], outputVariables={"Found": "0"})
    assert scene.action()["status"] == "Succeeded"
    (told,) = [
        one
        for one in scene.call("ListActionExecutions", pipelineName="shop")["actionExecutionDetails"]
        if one["actionName"] == "Scan"
    ]
    assert told["output"]["outputVariables"] == {"Found": "0"}
    assert scene.house.kinds(scene.execution).count("job.created") == 1


def test_what_a_worker_tells_on_the_way_shows_in_the_state(scene: Scene) -> None:
    revision = {"revision": "r 1", "changeIdentifier": "c1", "created": 1_700_000_000}
    told = {"currentRevision": revision, "executionDetails": {"percentComplete": 5}}
    scene.call("PutJobSuccessResult", jobId=scene.taken(), continuationToken="more", **told)
    scene.house.settle()
    (seen,) = scene.call("GetPipelineState", name="shop")["stageStates"][1]["actionStates"]
    assert seen["entityUrl"] == "https://scan.example/shop"
    assert seen["revisionUrl"] == "https://scan.example/at/r%201"
    assert seen["currentRevision"]["revisionId"] == "r 1"
    assert seen["latestExecution"]["percentComplete"] == 5
    both = {"continuationToken": "more", "outputVariables": {"A": "1"}}
    refused = scene.refusal("PutJobSuccessResult", jobId=scene.taken(), **both)
    assert refused == "ValidationException"


def test_a_worker_that_says_it_failed_fails_the_action(scene: Scene) -> None:
    id_ = scene.taken()
    why = {"type": "ConfigurationError", "message": "no such project"}
    assert scene.call("PutJobFailureResult", jobId=id_, failureDetails=why) == {}
    seen = scene.action()
    assert seen["status"] == "Failed"
    assert seen["errorDetails"] == {"code": "ConfigurationError", "message": seen["summary"]}
    assert "no such project" in seen["summary"]


def test_of_two_workers_one_wins(scene: Scene) -> None:
    (first,) = scene.poll()
    scene.house.clock.advance(61)
    (second,) = scene.poll()  # nobody had acknowledged it: it was handed out again
    assert second["id"] == first["id"] and second["nonce"] != first["nonce"]
    given = {"jobId": first["id"]}
    assert scene.refusal("AcknowledgeJob", **given, nonce=first["nonce"]) == "InvalidNonceException"
    assert scene.call("AcknowledgeJob", **given, nonce=second["nonce"])["status"] == "InProgress"


def test_a_word_counts_once(scene: Scene) -> None:
    id_ = scene.taken()
    assert scene.refusal("PutJobSuccessResult", jobId=id_) == ""
    assert scene.refusal("PutJobSuccessResult", jobId=id_) == "InvalidJobStateException"
    why = {"type": "JobFailed", "message": "after all"}
    refused = scene.refusal("PutJobFailureResult", jobId=id_, failureDetails=why)
    assert refused == "InvalidJobStateException"
    assert scene.action()["status"] == "Succeeded"


def test_nothing_is_believed_of_a_job_that_nobody_acknowledged(scene: Scene) -> None:
    (job,) = scene.poll()
    assert scene.refusal("PutJobSuccessResult", jobId=job["id"]) == "InvalidJobStateException"
    assert scene.action()["status"] == "InProgress"


TOLD = "https://anne:hush@example.com AKIAIOSFODNN7EXAMPLE"


def test_what_looks_like_a_credential_is_in_no_event_and_no_listing_but_is_handed_on(
    scene: Scene,
) -> None:
    id_ = scene.taken()
    details = {"externalExecutionId": TOLD, "summary": TOLD}
    said = {"executionDetails": details, "outputVariables": {"Key": TOLD}}
    assert scene.refusal("PutJobSuccessResult", jobId=id_, **said) == ""
    scene.house.settle()
    with scene.house.database.read() as connection:
        events = queries.events_after(connection, 0, limit=1000)
        row = [
            one
            for one in queries.actions_of_execution(connection, scene.execution)
            if one.output != "{}"
        ][-1]
    listed = scene.call("ListActionExecutions", pipelineName="shop")
    for shown in (
        str([one._mapping for one in events]),
        json.dumps(listed, default=str),
        row.handle,
        row.summary,
    ):
        assert "hush" not in shown and "AKIA" not in shown
    assert json.loads(row.output) == {"Key": TOLD}


def test_a_word_after_the_time_out_is_refused(scene: Scene) -> None:
    id_ = scene.taken()
    scene.house.clock.advance(600)
    with scene.house.database.begin() as connection:  # its time is over, and nobody has looked yet
        connection.exec_driver_sql("UPDATE action_execution SET timeout_at = 1 WHERE name = 'Scan'")
    assert scene.refusal("PutJobSuccessResult", jobId=id_) == "InvalidJobStateException"
    with scene.house.database.begin() as connection:
        connection.exec_driver_sql("UPDATE action_execution SET due_at = 1 WHERE name = 'Scan'")
    seen = scene.action()
    assert seen["status"] == "Failed" and "timed out" in seen["summary"]
    assert scene.refusal("PutJobSuccessResult", jobId=id_) == "InvalidJobStateException"
    assert "job.timedout" in scene.house.kinds(scene.execution)


def test_a_word_of_an_abandoned_execution_is_refused_and_its_jobs_are_gone(scene: Scene) -> None:
    id_ = scene.taken()
    scene.house.commands.stop(scene.execution, ANNE, abandon=True, reason="no more")
    scene.house.settle()
    assert scene.refusal("PutJobSuccessResult", jobId=id_) == "InvalidJobStateException"
    assert scene.action()["status"] == "Abandoned"
    other = scene.house.start()
    (job,) = scene.poll()
    scene.house.commands.stop(other, ANNE, abandon=True, reason="no more")
    scene.house.settle()
    taken = scene.call("AcknowledgeJob", jobId=job["id"], nonce=job["nonce"])
    assert taken["status"] == "Failed"  # it is not worth beginning
    third = scene.house.start()
    scene.house.commands.stop(third, ANNE, abandon=True, reason="no more")
    scene.house.settle()
    assert scene.poll() == []


def test_only_jobs_that_the_query_is_about(wire: Wire) -> None:
    scene = Scene(wire, scan("One"), scan("Two", configuration={"Project": "other"}))
    (job,) = scene.poll(queryParam={"Project": "other"}, maxBatchSize=10)
    assert job["data"]["pipelineContext"]["action"]["name"] == "Two"
    assert scene.refusal("PollForJobs", actionTypeId=TYPE) == "ValidationException"


def test_a_secret_is_told_to_the_worker_only(wire: Wire) -> None:
    assert create(wire.call).status_code == 200
    asked(wire, "CreatePipeline", {"pipeline": structure(Password=SECRET_TEXT)})
    again = asked(wire, "UpdatePipeline", {"pipeline": structure(Password="****")})
    assert again["pipeline"]["version"] == 1  # it is as it was
    shown = wire.call("GetPipeline", {"name": "shop"}).text
    assert '"Password":"****"' in shown and SECRET_TEXT not in shown
    with wire.doors.house.database.read() as connection:
        stored = connection.exec_driver_sql("SELECT declaration FROM pipeline_version").scalar()
    assert SECRET_TEXT not in str(stored)
    wire.doors.house.start()
    given = {"actionTypeId": TYPE, "queryParam": {"Project": "shop"}}
    (job,) = wire.call("PollForJobs", given).json()["jobs"]
    assert job["data"]["actionConfiguration"]["configuration"]["Password"] == SECRET_TEXT
    events = wire.doors.client().get("/api/v1/events").text
    assert SECRET_TEXT not in events and SECRET_TEXT not in shown


class FakeLender:
    """Lends made-up credentials, and remembers what for."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Objects]] = []

    def lend(self, account: str, region: str, objects: Objects, scope: Any) -> Lent:
        assert (region, scope.pipeline) == ("eu-west-1", "shop")
        self.asked.append((account, objects))
        return Lent("ASIA1", "secret", "token", "2026-01-01T00:00:00Z")


def structure(**configuration: str) -> dict[str, Any]:
    where = {"S3Bucket": "releases", "S3ObjectKey": "shop.zip", "Account": "dev"}
    first = {
        "name": "Upload",
        "actionTypeId": {"category": "Source", "owner": "AWS", "provider": "S3", "version": "1"},
        "configuration": where,
        "outputArtifacts": [{"name": "App"}],
    }
    stages = [
        {"name": "Source", "actions": [first]},
        {"name": "Test", "actions": [scan(configuration=configuration)]},
    ]
    return {
        "name": "shop",
        "roleArn": "arn:aws:iam::111111111111:role/x",
        "artifactStore": {"type": "S3", "location": "store"},
        "stages": stages,
    }
