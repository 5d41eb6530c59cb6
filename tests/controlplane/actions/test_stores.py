"""Drivers write into the pipeline's own store, read there, and say what they may not."""

from typing import Any

import pytest

from accounts.base import Scope
from controlplane.actions.base import ActionError, Outcome
from controlplane.actions.codebuild_request import build_request
from controlplane.actions.codedeploy import _revision
from controlplane.actions.job_data import home, job_data, lent
from controlplane.actions.s3_content import Digester
from controlplane.actions.s3_promote import S3Promote
from controlplane.actions.s3_source import S3Source
from controlplane.actions.store_copy import StoreCopy
from controlplane.actions.vendor import scope_of
from monitors.base import Store, Task
from tests.controlplane.actions.fake_s3 import FakeS3
from tests.controlplane.actions.making import bundle, digest_of, refused, task
from tests.support.clients import FakeRegistry, StubClients

KEY = "arn:aws:kms:eu-west-1:111111111111:key/k"
STORE = Store("shop-store", KEY, "111111111111")
SOURCE = {"S3Bucket": "releases", "S3ObjectKey": "shop.zip", "RevisionId": "v1"}
DIGEST = digest_of(b"one")
ENCRYPTED = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": KEY}


def releases(**given: Any) -> FakeS3:
    s3 = FakeS3(**given)
    s3.put("releases", "shop.zip", b"one")
    return s3


def uploaded(store: Store = STORE) -> Task:
    return task(configuration=SOURCE, account="tools", outputs=("App",), store=store)


def test_a_source_is_copied_into_the_store_under_its_key_and_its_digest_is_checked() -> None:
    s3 = releases()
    made = S3Source(StubClients(s3=s3)).start(uploaded())
    (artifact,) = made.artifacts
    assert artifact.location == f"s3://shop-store/sources/shop/{DIGEST[7:]}/shop.zip"
    assert (artifact.digest, artifact.version, artifact.account) == (DIGEST, "v1", "tools")
    (asked,) = s3.calls("CopyObject")
    assert {**asked, **ENCRYPTED} == asked
    assert asked["ExpectedBucketOwner"] == "111111111111"
    assert made.output["BucketName"] == "releases", "variables are of the source itself"


def test_a_copy_of_other_bytes_is_refused() -> None:
    s3 = releases()
    s3.spoil = b"other"
    with pytest.raises(ActionError, match="nothing was done with it") as caught:
        S3Source(StubClients(s3=s3)).start(uploaded())
    assert caught.value.permanent
    assert digest_of(b"other") in str(caught.value)


def test_a_store_without_versions_is_refused() -> None:
    s3 = releases()
    made = s3.copy_object
    s3.copy_object = lambda **given: made(**given) and {}  # type: ignore[method-assign]
    with pytest.raises(
        ActionError, match="bucket shop-store of the store of shop is not versioned"
    ):
        S3Source(StubClients(s3=s3)).start(uploaded())


REFUSED = {
    "AccessDenied": (
        "bucket's policy must let",
        "belong to account 111111111111",
        "StoreBucketArn",
    ),
    "NoSuchBucket": ("make the bucket",),
    "KMS.DisabledException": ("the key must be enabled", "its policy must let", "StoreKeyArn"),
}


@pytest.mark.parametrize("code", REFUSED)
def test_what_s3_refuses_names_bucket_key_account_and_mend(code: str) -> None:
    s3 = releases()

    def refuse(**_: Any) -> Any:
        raise refused("CopyObject", code, "no", 403)

    s3.copy_object = refuse  # type: ignore[method-assign]
    with pytest.raises(ActionError) as caught:
        S3Source(StubClients(s3=s3)).start(uploaded())
    said = str(caught.value)
    for words in ("shop-store is the artifact store of shop", KEY, "in tools", *REFUSED[code]):
        assert words in said
    assert caught.value.permanent


def test_inputs_are_brought_into_the_store_of_their_region_in_the_stores_own_account() -> None:
    s3 = FakeS3()
    version = s3.put("west-store", "sources/shop/App.zip", b"one", composite=True)
    artifact = bundle(b"one", location="s3://west-store/sources/shop/App.zip", version=version)
    clients = StubClients(s3=s3)
    copying = StoreCopy(clients, Digester(budget=2))
    asked = task(inputs=(artifact,), store=STORE)
    made = copying.start(asked)
    assert made.outcome is Outcome.SUCCEEDED
    assert made.artifacts[0].location == "s3://shop-store/sources/shop/App.zip"
    assert (made.artifacts[0].digest, made.artifacts[0].account) == (artifact.digest, "tools")
    assert [one.account for one in clients.asked] == ["tools"], (
        "not prod, where it will be deployed"
    )
    assert len(s3.calls("CopyObject")) == 1
    copying.start(asked)
    assert len(s3.calls("CopyObject")) == 2, (
        "the fake does not say which key it lies under: once more"
    )
    s3.put("shop-store", "sources/shop/App.zip", b"one", composite=True)
    keyless = StoreCopy(clients, Digester(budget=2)).start(
        task(inputs=(artifact,), store=Store("shop-store"))
    )
    assert keyless.outcome is Outcome.RUNNING, "a large copy is hashed in pieces"


def test_who_builds_hears_of_the_store_and_its_key() -> None:
    request = build_request(task(outputs=("App",), configuration={"ProjectName": "p"}), STORE)
    assert request["artifactsOverride"]["location"] == "shop-store"
    assert request["encryptionKeyOverride"] == KEY
    own = {"ProjectName": "p", "ArtifactBucket": "others"}
    elsewhere = build_request(task(outputs=("App",), configuration=own), STORE)
    assert elsewhere["artifactsOverride"]["location"] == "others"
    assert "encryptionKeyOverride" not in elsewhere


def test_a_worker_hears_of_the_store_and_its_key_and_may_write_there_only() -> None:
    job = task(outputs=("Report",), store=STORE)
    account = home(job, FakeRegistry())
    lender = Lending()
    data = job_data(job, {"id": "1", "continuation": ""}, account, lent(job, account, lender))
    where = data["outputArtifacts"][0]["location"]["s3Location"]
    assert (where["bucketName"], data["encryptionKey"]) == (
        "shop-store",
        {"id": KEY, "type": "KMS"},
    )
    (objects,) = lender.asked
    assert objects.writes == [f"arn:aws:s3:::shop-store/{where['objectKey']}"]
    assert objects.key == KEY


class Lending:
    """Remembers what was borrowed."""

    def __init__(self) -> None:
        self.asked: list[Any] = []

    def lend(self, _account: str, _region: str, objects: Any, _scope: Scope) -> Any:
        self.asked.append(objects)


def test_what_lies_in_the_store_is_deployed_from_there_whatever_account_it_is_of() -> None:
    artifact = bundle(location="s3://shop-store/a.zip", account="tools")
    revision = _revision(task(inputs=(artifact,), store=STORE))
    assert revision["s3Location"]["bucket"] == "shop-store"
    with pytest.raises(ActionError, match="promote it there first"):
        _revision(task(inputs=(artifact,)))


def test_promotion_reads_the_store_as_the_bucket_of_its_owner() -> None:
    s3 = FakeS3()
    version = s3.put("shop-store", "a.zip", b"one")
    artifact = bundle(b"one", location="s3://shop-store/a.zip", version=version, account="prod")
    S3Promote(StubClients(s3=s3)).start(task(inputs=(artifact,), store=STORE))
    (asked,) = s3.calls("CopyObject")
    assert asked["ExpectedSourceBucketOwner"] == "111111111111"


def test_a_session_is_narrowed_to_the_store_too_and_to_what_is_restored() -> None:
    scope = scope_of(task(store=STORE))
    assert (scope.buckets, scope.key) == (("shop-store",), KEY)
    back = scope_of(task(configuration={"RevisionLocation": "s3://once-named/a.zip"}))
    assert (back.buckets, back.key) == (("once-named",), "")
    alias = scope_of(task(store=Store("shop-store", "alias/shop")))
    assert alias.key == "", "IAM knows no aliases"
