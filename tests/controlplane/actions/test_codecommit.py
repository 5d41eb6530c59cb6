"""A commit of CodeCommit becomes an artifact: its files, in the same bytes whenever it is asked for."""

import io
import zipfile
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from controlplane.actions.base import ActionError, Outcome, Progress, Task
from controlplane.actions.codecommit import CodeCommit
from controlplane.actions.codecommit_tree import Trees
from controlplane.sandbox.aws import clock
from tests.controlplane.actions.fake_codecommit import FakeCodeCommit
from tests.controlplane.actions.fake_s3 import FakeS3
from tests.controlplane.actions.making import digest_of, task
from tests.support.clients import StubClients
from tests.support.scripted import scripted

NAMED = {"RepositoryName": "shop", "BranchName": "main"}
FILES = {"b/run.sh": b"#!/bin/sh", "appspec.yml": b"version: 0.0", "b/c/d.txt": b"deep"}


class World:
    """A CodeCommit, an S3, and the source."""

    def __init__(self, trees: Trees | None = None) -> None:
        self.cc, self.s3 = FakeCodeCommit(), FakeS3()
        client = scripted("codecommit", **self.cc.operations())
        self.clients = StubClients(codecommit=client, s3=self.s3)
        self.source = CodeCommit(self.clients, trees)

    def content(self) -> bytes:
        (versions,) = self.s3.objects.values()
        return versions[-1].content


def bring(**more: str) -> Task:
    return task(configuration={**NAMED, **more}, outputs=("App",))


def test_the_files_of_the_head_are_packed_in_the_order_of_their_names() -> None:
    world = World()
    commit = world.cc.push(FILES)
    done = world.source.start(bring())
    (made,) = done.artifacts
    assert (done.outcome, done.handle, done.summary) == (Outcome.SUCCEEDED, commit, "Add b/c/d.txt")
    with zipfile.ZipFile(io.BytesIO(world.content())) as packed:
        assert packed.namelist() == sorted(FILES)
        assert {name: packed.read(name) for name in FILES} == FILES
    assert made.digest == digest_of(world.content())
    assert made.location.startswith("s3://towpath-artifacts-444444444444/sources/shop/")


def test_the_same_files_are_the_same_bytes_and_are_written_once() -> None:
    world = World()
    world.cc.push(FILES)
    first = world.source.start(bring()).artifacts[0]
    again = world.source.start(replace(bring(), again=True)).artifacts[0]
    assert (first.digest, first.version) == (again.digest, again.version)
    assert len(world.s3.calls("PutObject")) == 1
    other = World()
    other.cc.push(dict(reversed(FILES.items())))
    assert other.source.start(bring()).artifacts[0].digest == first.digest


def test_what_runs_and_what_is_a_link_stays_so() -> None:
    world = World()
    world.cc.push({"run.sh": b"x"}, mode="EXECUTABLE")
    world.cc.push({"link": b"run.sh"}, mode="SYMLINK")
    world.source.start(bring())
    with zipfile.ZipFile(io.BytesIO(world.content())) as packed:
        modes = {one.filename: one.external_attr >> 16 for one in packed.infolist()}
    assert modes == {"run.sh": 0o100755, "link": 0o120777}


def test_a_pinned_commit_is_brought_though_the_branch_has_moved() -> None:
    world = World()
    pinned = world.cc.push({"a": b"1"})
    world.cc.push({"a": b"2"})
    done = world.source.start(bring(RevisionId=pinned))
    assert done.output["CommitId"] == pinned
    with zipfile.ZipFile(io.BytesIO(world.content())) as packed:
        assert packed.read("a") == b"1"


def test_a_large_commit_is_read_a_piece_a_look() -> None:
    world = World(Trees(calls=2))
    world.cc.push({f"f{n}": b"x" for n in range(5)})
    seen = world.source.start(bring())
    looks = 0
    while seen.outcome is Outcome.RUNNING:
        answer = world.source.look([replace(bring(), handle=seen.handle)])[bring().token]
        assert isinstance(answer, Progress)
        seen, looks = answer, looks + 1
    assert looks == 2
    assert world.cc.asked.count("get_blob") == 5
    whole = World()
    whole.cc.push({f"f{n}": b"x" for n in range(5)})
    assert seen.artifacts[0].digest == whole.source.start(bring()).artifacts[0].digest


@pytest.mark.parametrize(("bound", "said"), [((2, 1000), "over 2 files"), ((10, 20), "over 0 MiB")])
def test_what_is_too_large_is_refused(bound: tuple[int, int], said: str) -> None:
    world = World(Trees(bound=bound))
    world.cc.push(FILES)
    with pytest.raises(ActionError, match=said) as caught:
        world.source.start(bring())
    assert caught.value.permanent
    assert not world.s3.objects


@pytest.mark.parametrize("name", ["../up", "a/../../up", "a\\b"])
def test_a_path_that_leads_out_of_the_artifact_is_refused(name: str) -> None:
    world = World()
    world.cc.push({name: b"x"})
    with pytest.raises(ActionError, match="lies nowhere in it"):
        world.source.start(bring())


def test_polling_names_the_head_and_nothing_where_there_is_no_such_branch() -> None:
    world = World()
    assert world.source.latest(NAMED, "tools", "eu-west-1") is None
    commit = world.cc.push({"a": b"1"})
    found = world.source.latest(NAMED, "tools", "eu-west-1")
    assert found is not None
    assert (found.id, found.ref) == (commit, "refs/heads/main")
    with pytest.raises(ActionError, match="has no branch 'other'"):
        world.source.start(bring(BranchName="other"))


def test_its_variables_are_codepipelines_own() -> None:
    clock.use(lambda: datetime(2026, 1, 5, 9, tzinfo=UTC))
    try:
        world = World()
        commit = world.cc.push({"a": b"1"})
    finally:
        clock.use(None)
    assert world.source.start(bring()).output == {
        "AuthorDate": "2026-01-05T09:00:00Z",
        "BranchName": "main",
        "CommitId": commit,
        "CommitMessage": "Add a\n\nx",
        "CommitterDate": "2026-01-05T09:00:00Z",
        "RepositoryName": "shop",
    }
