"""The Git source: exactly one commit becomes an artifact, on every kind of host."""

import io
import json
import zipfile
from dataclasses import replace
from typing import Any

import httpx
import pytest

from controlplane.actions.base import ActionError, Task
from controlplane.actions.git import kinds
from controlplane.actions.git.base import Hosts
from controlplane.actions.git.bundle import Bounds, keep, repack
from controlplane.actions.git.source import GitSource
from controlplane.sandbox.git import API, TOKEN, FakeGit
from controlplane.settings import GitHost
from monitors.base import Store
from tests.controlplane.actions.fake_s3 import FakeS3
from tests.controlplane.actions.making import task
from tests.support.clients import StubClients

ARN = "arn:aws:codestar-connections:eu-west-1:111111111111:connection/0a1b"
CONFIGURATION = {"ConnectionArn": ARN, "FullRepositoryName": "team/shop", "BranchName": "main"}
KINDS = pytest.mark.parametrize("kind", list(kinds.KINDS))


def settings(kind: str = "github", **more: Any) -> GitHost:
    given = {"kind": kind, "tokenEnv": "GIT_TOKEN", "api": API, "site": API, "connections": [ARN]}
    return GitHost.model_validate(given | more)


class Met:
    """A source in front of a Git host and a bucket."""

    def __init__(
        self, kind: str = "github", environ: dict[str, str] | None = None, **more: Any
    ) -> None:
        self.git, self.s3 = FakeGit(), FakeS3()
        known = {"GIT_TOKEN": TOKEN} if environ is None else environ
        hosts = kinds.make(self.git.client(), {"shop": settings(kind)}, known)
        self.source = GitSource(StubClients(s3=self.s3), Hosts(hosts), **more)

    def task(self, **configuration: str) -> Task:
        return task(configuration=CONFIGURATION | configuration, inputs=(), outputs=("App",))

    def stored(self) -> bytes:
        [(_, versions)] = self.s3.objects.items()
        return bytes(versions[-1].content)


@KINDS
def test_a_pinned_commit_is_brought_though_the_branch_went_on(kind: str) -> None:
    met = Met(kind)
    first = met.git.push("main", {"appspec.yml": b"one", "src/a.py": b"a"})
    met.git.push("main", {"appspec.yml": b"two"})
    done = met.source.start(met.task(RevisionId=first))
    with zipfile.ZipFile(io.BytesIO(met.stored())) as bundle:
        assert bundle.namelist() == ["appspec.yml", "src/a.py"], "at its root, for CodeDeploy"
        assert bundle.read("appspec.yml") == b"one"
    assert done.output["CommitId"] == first
    assert done.output["BranchName"] == "main"
    assert done.output["AuthorDisplayName"] == "Anne"
    [artifact] = done.artifacts
    assert (artifact.version, artifact.account) != ("", "")


@KINDS
def test_without_a_pinned_commit_it_is_the_head_of_the_branch(kind: str) -> None:
    met = Met(kind)
    met.git.push("main", {"a": b"1"})
    head = met.git.push("main", {"a": b"2"})
    assert met.source.start(met.task()).handle == head
    revision = met.source.latest(CONFIGURATION, "tools", "eu-west-1")
    assert revision is not None
    assert (revision.id, revision.ref) == (head, "refs/heads/main")
    assert met.source.latest(CONFIGURATION | {"BranchName": "gone"}, "", "") is None


@KINDS
def test_the_same_commit_is_the_same_digest_and_lies_there_once(kind: str) -> None:
    met = Met(kind)
    commit = met.git.push("main", {"a": b"1", "b": b"2"})
    first = met.source.start(met.task(RevisionId=commit))
    met.git.asked.pop()  # so that the next archive is packed in another order
    second = met.source.start(met.task(RevisionId=commit))
    assert first.artifacts == second.artifacts
    assert len(met.s3.calls("PutObject")) == 1


def test_what_codebuild_clones_is_a_document() -> None:
    met = Met()
    commit = met.git.push("main", {"a": b"1"})
    met.source.start(met.task(RevisionId=commit, OutputArtifactFormat="CODEBUILD_CLONE_REF"))
    said = json.loads(met.stored())
    assert (said["CommitId"], said["FullRepositoryName"]) == (commit, "team/shop")
    assert (said["SourceType"], said["CloneUrl"]) == ("GITHUB_ENTERPRISE", f"{API}/team/shop.git")


def test_a_pipelines_store_takes_the_place_of_the_accounts_bucket() -> None:
    met = Met()
    key = "arn:aws:kms:eu-west-1:111111111111:key/k"
    commit = met.git.push("main", {"a": b"1"})
    asked = replace(met.task(RevisionId=commit), store=Store("shop-store", key, "111111111111"))
    [artifact] = met.source.start(asked).artifacts
    (put,) = met.s3.calls("PutObject")
    assert (put["Bucket"], put["SSEKMSKeyId"]) == ("shop-store", key)
    assert put["ExpectedBucketOwner"] == "111111111111"
    assert (artifact.location.split("/")[2], artifact.account) == ("shop-store", "tools")


def test_a_tag_and_a_pull_request_are_in_the_variables() -> None:
    met = Met()
    commit = met.git.push("main", {"a": b"1"})
    tagged = met.source.start(met.task(RevisionId=commit, TriggerRef="refs/tags/v1"))
    assert (tagged.output["TagName"], "BranchName" in tagged.output) == ("v1", False)
    asked = {"TriggerRef": "refs/heads/feature/x", "PullRequestId": "12"}
    pulled = met.source.start(met.task(RevisionId=commit, **asked))
    assert (pulled.output["BranchName"], pulled.output["PullRequestId"]) == ("feature/x", "12")


def test_the_token_goes_to_its_host_alone() -> None:
    met = Met()
    commit = met.git.push("main", {"a": b"1"})
    met.source.start(met.task(RevisionId=commit))
    last = met.git.asked[-1]
    assert last.url.host == "archives.sandbox"
    assert "authorization" not in last.headers


@pytest.mark.parametrize(
    ("environ", "configuration", "mend"),
    [
        ({}, {}, "environment variable GIT_TOKEN"),
        ({"GIT_TOKEN": "wrong"}, {}, "token in GIT_TOKEN the right"),
        ({"GIT_TOKEN": TOKEN}, {"ConnectionArn": "arn:other"}, "put it into TOWPATH_GIT"),
        ({"GIT_TOKEN": TOKEN}, {"FullRepositoryName": "../etc"}, "is no repository"),
        ({"GIT_TOKEN": TOKEN}, {"FullRepositoryName": "team/other"}, "knows no"),
        ({"GIT_TOKEN": TOKEN}, {"RevisionId": "main/../x"}, "is no id of a commit"),
        ({"GIT_TOKEN": TOKEN}, {"RevisionId": "", "BranchName": "gone"}, "has no branch 'gone'"),
    ],
)
def test_what_cannot_work_names_the_mend(
    environ: dict[str, str], configuration: dict[str, str], mend: str
) -> None:
    met = Met(environ=environ)
    commit = met.git.push("main", {"a": b"1"})
    with pytest.raises(ActionError, match=mend) as caught:
        met.source.start(met.task(**{"RevisionId": commit, **configuration}))
    assert caught.value.permanent
    assert "wrong" not in str(caught.value)


def test_a_host_that_is_away_is_tried_again() -> None:
    met = Met()
    commit = met.git.push("main", {"a": b"1"})
    met.git.down = True
    with pytest.raises(ActionError, match="answered 503") as caught:
        met.source.start(met.task(RevisionId=commit))
    assert not caught.value.permanent


@pytest.mark.parametrize("bounds", [Bounds(packed=10), Bounds(unpacked=10), Bounds(files=1)])
def test_an_archive_over_a_bound_is_refused(bounds: Bounds) -> None:
    met = Met(bounds=bounds)
    commit = met.git.push("main", {"a": b"1" * 100, "b": b"2"})
    with pytest.raises(ActionError, match="keep it out of the repository") as caught:
        met.source.start(met.task(RevisionId=commit))
    assert caught.value.permanent
    assert met.s3.calls("PutObject") == []


def archive(*names: str) -> io.BytesIO:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as made:
        for name in names:
            made.writestr(name, b"x")
    return content


@pytest.mark.parametrize("name", ["shop/../../etc/passwd", "/etc/passwd", "passwd", "shop\\..\\x"])
def test_a_name_that_leads_out_of_the_archive_is_refused(name: str) -> None:
    with pytest.raises(ActionError, match="lies nowhere in it"):
        repack(archive("shop/a", name), io.BytesIO(), Bounds())


def test_a_name_that_is_there_twice_is_refused() -> None:
    with pytest.raises(ActionError, match="a name twice"):
        repack(archive("one/a", "two/a"), io.BytesIO(), Bounds())


def test_what_is_no_zip_is_tried_again() -> None:
    content = io.BytesIO()
    keep(iter([b"PK", b"not a zip"]), content, Bounds())
    with pytest.raises(ActionError, match="can not be read") as caught:
        repack(content, io.BytesIO(), Bounds())
    assert not caught.value.permanent


def test_a_host_that_leads_away_from_https_is_not_followed() -> None:
    def astray(_: httpx.Request) -> httpx.Response:
        return httpx.Response(302, headers={"Location": "http://127.0.0.1/"})

    http = httpx.Client(transport=httpx.MockTransport(astray))
    host = kinds.make(http, {"shop": settings()}, {"GIT_TOKEN": TOKEN})["shop"]
    with pytest.raises(ActionError, match="away from https"):
        host.commit("team/shop", "a" * 40)
