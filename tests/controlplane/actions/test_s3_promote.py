from dataclasses import replace
from typing import Any

import pytest

from controlplane.actions.base import ActionError, Artifact, Outcome, Progress, Task
from controlplane.actions.s3_content import Digester
from controlplane.actions.s3_copy import Limits
from controlplane.actions.s3_promote import S3Promote
from tests.controlplane.actions.fake_s3 import FakeS3
from tests.controlplane.actions.making import CONTENT, REGION, bundle, digest_of, task
from tests.support.clients import FakeRegistry, StubClients, account

HEX = digest_of(CONTENT).removeprefix("sha256:")
KEY = f"releases/shop/{HEX}/shop.zip"
BUCKET = "towpath-artifacts-444444444444"
SMALL = Limits(one_copy=4, part=4, parts_each=2)
KMS = "arn:aws:kms:eu-west-1:444444444444:key/k"


def source(**given: str) -> Artifact:
    return bundle(CONTENT, **{"location": "s3://releases/in/shop.zip", "account": "tools"} | given)


def promoting(**given: Any) -> Task:
    return task(**{"inputs": (source(),), "outputs": ("prod-bundle",), **given})


def world(content: bytes = CONTENT, **given: Any) -> FakeS3:
    s3 = FakeS3(**given)
    s3.put("releases", "in/shop.zip", content)
    return s3


def followed(driver: S3Promote, begun: Task, progress: Progress) -> Progress:
    """Look until it has ended."""
    looks = 0
    while progress.outcome is Outcome.RUNNING:
        looks += 1
        assert looks < 20
        seen = driver.look([replace(begun, handle=progress.handle)])[begun.token]
        if isinstance(seen, Exception):
            raise seen
        progress = seen
    return progress


def test_the_copy_lies_under_its_digest_in_the_accounts_own_bucket() -> None:
    s3 = world()
    clients = StubClients(s3=s3)
    made = S3Promote(clients).start(promoting())
    assert made.outcome is Outcome.SUCCEEDED
    assert made.artifacts == (
        Artifact("prod-bundle", digest_of(CONTENT), f"s3://{BUCKET}/{KEY}", "v1", "prod", REGION),
    )
    assert s3.objects[BUCKET, KEY][0].content == CONTENT
    assert {(asked.account, asked.purpose) for asked in clients.asked} == {("prod", "deploy")}


def test_the_pinned_version_is_copied_between_the_owners_we_know() -> None:
    s3 = world()
    s3.put("releases", "in/shop.zip", b"release 2")
    S3Promote(StubClients(s3=s3)).start(promoting())
    (asked,) = s3.calls("CopyObject")
    assert asked["CopySource"]["VersionId"] == "v1"
    assert (asked["ExpectedBucketOwner"], asked["ExpectedSourceBucketOwner"]) == (
        "444444444444",
        "111111111111",
    )
    assert asked["ChecksumAlgorithm"] == "SHA256"


def test_the_copy_is_encrypted_with_the_accounts_key() -> None:
    s3, prod = world(), account().model_copy(update={"artifact_key": KMS})
    registry = FakeRegistry(prod, account("tools", "1" * 12))
    S3Promote(StubClients(registry, s3=s3)).start(promoting())
    (asked,) = s3.calls("CopyObject")
    assert (asked["ServerSideEncryption"], asked["SSEKMSKeyId"]) == ("aws:kms", KMS)


def test_what_is_there_already_is_not_copied_again() -> None:
    s3 = world()
    driver = S3Promote(StubClients(s3=s3))
    first, second = driver.start(promoting()), driver.start(promoting(again=True))
    assert len(s3.calls("CopyObject")) == 1
    assert second.artifacts == first.artifacts


def test_a_copy_that_is_not_what_was_tested_fails_and_names_both() -> None:
    s3 = world()
    s3.spoil = b"tampered"
    with pytest.raises(ActionError) as caught:
        S3Promote(StubClients(s3=s3)).start(promoting())
    assert caught.value.permanent
    assert digest_of(b"tampered") in str(caught.value)
    assert digest_of(CONTENT) in str(caught.value)
    assert (BUCKET, KEY) in s3.objects


def test_a_wrong_object_that_lies_in_the_way_is_covered_not_trusted() -> None:
    s3 = world()
    s3.put(BUCKET, KEY, b"somebody else's")
    made = S3Promote(StubClients(s3=s3)).start(promoting())
    assert made.artifacts[0].version == "v2"
    assert s3.objects[BUCKET, KEY][0].content == b"somebody else's"


def test_a_large_object_goes_over_in_parts_a_few_each_look() -> None:
    s3 = world()
    driver = S3Promote(StubClients(s3=s3), limits=SMALL)
    begun = driver.start(promoting())
    assert begun.handle == "copy 1 upload-1"
    made = followed(driver, promoting(), begun)
    assert made.artifacts[0].digest == digest_of(CONTENT)
    assert s3.objects[BUCKET, KEY][0].content == CONTENT
    assert [asked["PartNumber"] for asked in s3.calls("UploadPartCopy")] == [1, 2, 3]
    assert all(a["CopySource"]["VersionId"] == "v1" for a in s3.calls("UploadPartCopy"))


def test_what_was_copied_in_parts_is_hashed_look_by_look() -> None:
    driver = S3Promote(StubClients(s3=world()), Digester(budget=4), SMALL)
    made = followed(driver, promoting(), driver.start(promoting()))
    assert made.outcome is Outcome.SUCCEEDED


def test_parts_of_something_else_fail() -> None:
    driver = S3Promote(StubClients(s3=world(b"release 2")), limits=SMALL)
    with pytest.raises(ActionError, match=digest_of(b"release 2")):
        followed(driver, promoting(), driver.start(promoting()))


def test_a_copy_in_parts_that_a_crash_forgot_is_found_again() -> None:
    s3 = world()
    driver = S3Promote(StubClients(s3=s3), limits=SMALL)
    driver.start(promoting())
    assert driver.start(promoting(again=True)).handle == "copy 1 upload-1"
    assert len(s3.calls("CreateMultipartUpload")) == 1


def test_a_completion_whose_answer_was_lost_is_found_again() -> None:
    driver = S3Promote(StubClients(s3=world()), limits=SMALL)
    followed(driver, promoting(), driver.start(promoting()))
    old = promoting(handle="copy 3 upload-1")
    assert driver.look([old])[old.token].outcome is Outcome.SUCCEEDED  # type: ignore[union-attr]


def test_stopping_takes_the_parts_away_and_is_harmless_twice() -> None:
    s3 = world()
    driver = S3Promote(StubClients(s3=s3), limits=SMALL)
    begun = promoting(handle=driver.start(promoting()).handle)
    driver.stop(begun)
    driver.stop(begun)
    assert s3.uploads == {}


def test_a_source_that_is_gone_is_said() -> None:
    with pytest.raises(ActionError, match=r"Version v1 of s3://releases/in/shop\.zip is gone"):
        S3Promote(StubClients(s3=FakeS3())).start(promoting())


def test_an_unversioned_artifact_bucket_is_refused() -> None:
    with pytest.raises(ActionError, match=f"{BUCKET} of prod is not versioned"):
        S3Promote(StubClients(s3=world(versioned=False))).start(promoting())


def test_an_unpinned_input_is_refused() -> None:
    with pytest.raises(ActionError, match="not pinned"):
        S3Promote(StubClients(s3=world())).start(promoting(inputs=(source(version=""),)))


def test_another_prefix_may_be_said() -> None:
    s3 = world()
    S3Promote(StubClients(s3=s3)).start(promoting(configuration={"KeyPrefix": "/a/b/"}))
    assert (BUCKET, f"a/b/shop/{HEX}/shop.zip") in s3.objects
