"""Artifacts of jobs: where they lie, by which credentials, and that what was made is there."""

from pathlib import Path
from typing import Any

import pytest

from accounts.base import AccountError
from accounts.lending import Lent, Objects
from controlplane import server
from controlplane.actions.job_outputs import JobOutputs
from tests.controlplane.actions.fake_s3 import FakeS3
from tests.controlplane.codepipeline.test_jobs import Scene, scan
from tests.support.clients import StubClients
from tests.support.doors import Doors
from tests.support.wire import Wire

BUCKET = "artifacts-dev"


class FakeLender:
    """Lends made-up credentials, and remembers what for. refuse: raised instead, once."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Objects]] = []
        self.refuse: Exception | None = None

    def lend(self, account: str, region: str, objects: Objects, scope: Any) -> Lent:
        assert (region, scope.pipeline) == ("eu-west-1", "shop")
        refuse, self.refuse = self.refuse, None
        if refuse is not None:
            raise refuse
        self.asked.append((account, objects))
        return Lent("ASIA1", "a secret key", "a token", "2026-01-01T00:00:00Z")


@pytest.fixture
def s3() -> FakeS3:
    return FakeS3()


@pytest.fixture
def lender() -> FakeLender:
    return FakeLender()


@pytest.fixture
def scene(tmp_path: Path, s3: FakeS3, lender: FakeLender) -> Scene:
    doors = Doors(tmp_path)
    doors.app = server.create_app(doors.parts(lender=lender))
    clients = StubClients(registry=doors.registry, s3=s3)
    doors.house.others["Job", "Towpath", "Outputs"] = JobOutputs(clients)
    doors.house.engine = doors.house.new_engine()
    made: dict[str, Any] = {
        "inputArtifacts": [{"name": "App"}],
        "outputArtifacts": [{"name": "Report"}],
    }
    where: dict[str, Any] = {"configuration": {"Account": "dev"}, "region": "eu-west-1"}
    return Scene(Wire(doors), scan(**made, **where))


def place(job: Any) -> tuple[str, str]:
    found = job["data"]["outputArtifacts"][0]["location"]["s3Location"]
    return found["bucketName"], found["objectKey"]


def done(scene: Scene) -> Any:
    """Poll, acknowledge, and say that it is done."""
    (job,) = scene.poll()
    scene.call("AcknowledgeJob", jobId=job["id"], nonce=job["nonce"])
    scene.call("PutJobSuccessResult", jobId=job["id"])
    return job


def test_a_worker_gets_credentials_for_the_artifacts_and_nothing_else(
    scene: Scene, lender: FakeLender
) -> None:
    (job,) = scene.poll()
    given = job["data"]["inputArtifacts"][0]["location"]["s3Location"]
    bucket, key = place(job)
    assert bucket == BUCKET and key.endswith("/Report")
    ((account, objects),) = lender.asked
    assert account == "dev"
    assert list(objects.reads) == [f"arn:aws:s3:::{given['bucketName']}/{given['objectKey']}"]
    assert list(objects.writes) == [f"arn:aws:s3:::{bucket}/{key}"]
    assert job["data"]["artifactCredentials"]["sessionToken"] == "a token"
    assert "Account" not in job["data"]["actionConfiguration"]["configuration"]


def test_what_was_made_is_read_and_named_by_its_digest(scene: Scene, s3: FakeS3) -> None:
    (job,) = scene.poll()
    bucket, key = place(job)
    s3.put(bucket, key, b"all is well")
    scene.call("AcknowledgeJob", jobId=job["id"], nonce=job["nonce"])
    scene.call("PutJobSuccessResult", jobId=job["id"])
    assert scene.action()["status"] == "Succeeded"
    with scene.house.database.read() as connection:
        text = connection.exec_driver_sql("SELECT document FROM artifact WHERE name = 'Report'")
        assert "sha256:" in str(text.scalar())


def test_for_a_job_that_is_over_nothing_is_lent(scene: Scene, lender: FakeLender) -> None:
    job = done(scene)
    details = scene.call("GetJobDetails", jobId=job["id"])["jobDetails"]
    assert details["data"]["inputArtifacts"] == job["data"]["inputArtifacts"]
    assert "artifactCredentials" not in details["data"]
    assert len(lender.asked) == 1


def test_said_to_be_done_without_what_it_was_to_make_is_a_failure(scene: Scene) -> None:
    done(scene)
    seen = scene.action()
    assert seen["status"] == "Failed" and "put no object" in seen["summary"]


def test_a_job_whose_credentials_cannot_be_had_waits_for_the_next_poll(
    scene: Scene, lender: FakeLender, caplog: pytest.LogCaptureFixture
) -> None:
    lender.refuse = AccountError("the role refuses", permanent=True)
    assert scene.poll() == []
    assert "the role refuses" in caplog.text
    assert len(scene.poll()) == 1
    assert "a secret key" not in caplog.text
