import pytest

from controlplane.actions.base import ActionError, Outcome
from controlplane.actions.s3_content import Digester
from controlplane.actions.s3_source import S3Source
from monitors.base import Task
from tests.controlplane.actions.fake_s3 import FakeS3
from tests.controlplane.actions.making import REGION, digest_of, refused, task
from tests.support.clients import StubClients, stubbed

CONFIGURATION = {"Account": "tools", "S3Bucket": "releases", "S3ObjectKey": "shop.zip"}


def pinned(version: str = "v1") -> Task:
    configuration = {**CONFIGURATION, "RevisionId": version}
    return task(configuration=configuration, account="tools", outputs=("bundle",))


def two_versions(*, composite: bool = False) -> FakeS3:
    s3 = FakeS3()
    s3.put("releases", "shop.zip", b"one", composite=composite)
    s3.put("releases", "shop.zip", b"two", composite=composite)
    return s3


def test_the_newest_version_is_the_revision() -> None:
    found = S3Source(StubClients(s3=two_versions())).latest(CONFIGURATION, "tools", REGION)
    assert found is not None
    assert (found.id, found.location) == ("v2", "s3://releases/shop.zip")


def test_no_object_is_no_revision() -> None:
    assert S3Source(StubClients(s3=FakeS3())).latest(CONFIGURATION, "tools", REGION) is None


def test_an_unversioned_bucket_is_refused_with_the_mend() -> None:
    s3 = FakeS3(versioned=False)
    s3.put("releases", "shop.zip", b"one")
    with pytest.raises(ActionError, match="turn versioning on for bucket releases") as caught:
        S3Source(StubClients(s3=s3)).latest(CONFIGURATION, "tools", REGION)
    assert caught.value.permanent


def test_the_pinned_version_is_the_artifact_though_a_newer_one_is_there() -> None:
    clients = StubClients(s3=two_versions())
    made = S3Source(clients).start(pinned("v1"))
    assert made.outcome is Outcome.SUCCEEDED
    (artifact,) = made.artifacts
    assert artifact.digest == digest_of(b"one")
    assert (artifact.name, artifact.location) == ("bundle", "s3://releases/shop.zip")
    assert (artifact.version, artifact.account, artifact.region) == ("v1", "tools", REGION)
    assert made.output["VersionId"] == "v1"
    assert set(made.output) == {"BucketName", "ETag", "ObjectKey", "VersionId"}
    assert made.output["ETag"] == "etag"
    assert {asked.purpose for asked in clients.asked} == {"watch"}


def test_without_a_checksum_of_the_whole_the_content_is_hashed() -> None:
    s3 = two_versions(composite=True)
    made = S3Source(StubClients(s3=s3)).start(pinned("v1"))
    assert made.artifacts[0].digest == digest_of(b"one")
    assert s3.calls("GetObject")[0]["VersionId"] == "v1"


def test_a_large_object_is_hashed_look_by_look() -> None:
    source = S3Source(StubClients(s3=two_versions(composite=True)), Digester(budget=2))
    begun = source.start(pinned("v1"))
    assert begun.outcome is Outcome.RUNNING
    again = task(configuration=pinned().configuration, handle=begun.handle)
    made = source.look([again])[again.token]
    assert not isinstance(made, Exception)
    assert made.artifacts[0].digest == digest_of(b"one")


def test_a_version_that_is_gone_is_named() -> None:
    with pytest.raises(ActionError, match=r"no version v9 of s3://releases/shop\.zip in tools"):
        S3Source(StubClients(s3=two_versions())).start(pinned("v9"))


def test_the_request_is_one_that_s3_knows() -> None:
    with stubbed("s3") as (client, stub):
        wanted = {
            "Bucket": "releases",
            "Key": "shop.zip",
            "VersionId": "v1",
            "ChecksumMode": "ENABLED",
        }
        stub.add_client_error("head_object", "403", "Forbidden", 403, expected_params=wanted)
        with pytest.raises(ActionError, match=r"May not read s3://releases/shop\.zip") as caught:
            S3Source(StubClients(s3=client)).start(pinned())
    assert caught.value.permanent


def test_throttling_is_no_missing_object() -> None:
    class Busy(FakeS3):
        def head_object(self, **_: object) -> dict[str, object]:
            raise refused("HeadObject", "SlowDown", status=503)

    with pytest.raises(ActionError) as caught:
        S3Source(StubClients(s3=Busy())).latest(CONFIGURATION, "tools", REGION)
    assert not caught.value.permanent
