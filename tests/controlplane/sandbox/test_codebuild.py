"""The sandbox's CodeBuild: builds take a while, fail by order, write to S3, and start once under a token."""

import io
import zipfile
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from botocore.exceptions import ClientError

from controlplane.clock import ManualClock
from controlplane.sandbox import codebuild
from controlplane.sandbox.aws import register
from controlplane.sandbox.aws.server import Server
from tests.controlplane.sandbox.conftest import REGION, ClientOf

OUTPUT = {"type": "S3", "packaging": "ZIP", "path": "builds/t", "name": "App.zip"}


class Shop:
    """A project of an account, as CodePipeline's console makes them, with a bucket beside it."""

    def __init__(self, client: ClientOf, account: str, url: str, clock: ManualClock) -> None:
        self.builds, self.s3 = client("codebuild", account), client("s3", account)
        self.account, self.url, self.clock = account, url, clock
        self.bucket = f"artifacts-{account}"
        where = {"LocationConstraint": REGION}
        self.s3.create_bucket(Bucket=self.bucket, CreateBucketConfiguration=where)
        versioned = {"Status": "Enabled"}
        self.s3.put_bucket_versioning(Bucket=self.bucket, VersioningConfiguration=versioned)
        made = io.BytesIO()
        with zipfile.ZipFile(made, "w") as archive:
            archive.writestr("main.py", "print()")
        put = self.s3.put_object(Bucket=self.bucket, Key="src.zip", Body=made.getvalue())
        self.source = {
            "sourceTypeOverride": "S3",
            "sourceLocationOverride": f"{self.bucket}/src.zip",
            "sourceVersion": put["VersionId"],
        }
        self.builds.create_project(
            name="shop",
            source={"type": "CODEPIPELINE", "location": "x"},
            artifacts={"type": "CODEPIPELINE", "location": "x"},
            environment={"type": "LINUX_CONTAINER", "image": "i", "computeType": SMALL},
            serviceRole=f"arn:aws:iam::{account}:role/build",
        )

    def start(self, under: str = "t", **more: Any) -> Any:
        output = {**OUTPUT, "location": self.bucket}
        asked = {**self.source, "artifactsOverride": output, "idempotencyToken": under, **more}
        return self.builds.start_build(projectName="shop", **asked)["build"]

    def order(self, **said: Any) -> None:
        place = {"account": self.account, "region": REGION, "project": "shop"}
        httpx.post(f"{self.url}/_sandbox/builds", json={**place, **said}).raise_for_status()

    def after(self, seconds: float, build: Any) -> Any:
        self.clock.advance(seconds)
        return self.builds.batch_get_builds(ids=[build["id"]])["builds"][0]


SMALL = "BUILD_GENERAL1_SMALL"
register(codebuild.install)


@pytest.fixture
def shop(aws: Server, client: ClientOf, account: str, by_hand: ManualClock) -> Shop:
    return Shop(client, account, aws.url, by_hand)


def refused(call: Callable[[], object]) -> str:
    with pytest.raises(ClientError) as caught:
        call()
    return str(caught.value)


def test_a_build_takes_its_time_and_goes_through_its_phases(shop: Shop) -> None:
    shop.order(seconds=100)
    build = shop.start()
    assert (build["buildStatus"], build["currentPhase"]) == ("IN_PROGRESS", "SUBMITTED")
    assert shop.after(65, build)["currentPhase"] == "BUILD"
    assert shop.after(36, build)["buildStatus"] == "SUCCEEDED"


def test_what_it_made_holds_its_source_and_lies_in_s3_as_it_says(shop: Shop) -> None:
    told = shop.after(2, shop.start())["artifacts"]
    assert told["location"] == f"arn:aws:s3:::{shop.bucket}/builds/t/App.zip"
    body = shop.s3.get_object(Bucket=shop.bucket, Key="builds/t/App.zip")["Body"].read()
    assert zipfile.ZipFile(io.BytesIO(body)).namelist() == ["main.py", "built-by.json"]


def test_a_token_starts_once_for_five_minutes(shop: Shop) -> None:
    first = shop.start()
    assert shop.start()["id"] == first["id"]
    assert "mismatch" in refused(lambda: shop.start(sourceVersion="other"))
    shop.clock.advance(360)
    assert shop.start()["id"] != first["id"]


def test_it_fails_in_the_phase_that_it_was_told_to(shop: Shop) -> None:
    shop.order(fails="BUILD", message="make: exit 2")
    told = shop.after(2, shop.start())
    assert told["buildStatus"] == "FAILED"
    last = told["phases"][-1]
    assert (last["phaseType"], last["contexts"][0]["message"]) == ("BUILD", "make: exit 2")


def test_a_source_that_is_not_there_fails_the_download(shop: Shop) -> None:
    shop.source["sourceLocationOverride"] = f"{shop.bucket}/nothing.zip"
    told = shop.after(2, shop.start())
    assert told["phases"][-1]["phaseType"] == "DOWNLOAD_SOURCE"


def test_a_stopped_build_stays_stopped(shop: Shop) -> None:
    build = shop.start()
    assert shop.builds.stop_build(id=build["id"])["build"]["buildStatus"] == "STOPPED"
    assert shop.after(9, build)["buildStatus"] == "STOPPED"


def test_what_a_pipelines_project_needs_to_be_told_is_asked_for(shop: Shop) -> None:
    assert "ArtifactsOverride" in refused(lambda: shop.builds.start_build(projectName="shop"))
    assert "ResourceNotFound" in refused(lambda: shop.builds.start_build(projectName="other"))
    assert "does not emulate" in refused(lambda: shop.builds.start_build_batch(projectName="shop"))


def test_builds_are_listed_newest_first_and_unknown_ones_are_named(shop: Shop) -> None:
    ids = [shop.start(token)["id"] for token in ("a", "b")]
    assert shop.builds.list_builds_for_project(projectName="shop")["ids"] == ids[::-1]
    asked = shop.builds.batch_get_builds(ids=["shop:no", ids[0]])
    assert asked["buildsNotFound"] == ["shop:no"]
