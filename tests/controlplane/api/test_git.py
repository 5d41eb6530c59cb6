"""Git hosts' webhooks at the door: signed, once each, never backwards; and what follows is of that commit."""

import hashlib
import hmac
import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from sqlalchemy import insert, select, update

from controlplane.actions.base import Revision, SourceEvent
from controlplane.actions.git import kinds
from controlplane.actions.git.base import Hosts, Told
from controlplane.actions.git.source import GitSource
from controlplane.api import git as door
from controlplane.declarations.model import PipelineDeclaration
from controlplane.engine import git_late
from controlplane.engine.git_late import LateDeliveries
from controlplane.engine.loop import Engine, Limits
from controlplane.engine.pushes import Pushes
from controlplane.engine.sources import Sources
from controlplane.engine.structures import Structures
from controlplane.engine.tasks import Key
from controlplane.sandbox.git import API, TOKEN, FakeGit
from controlplane.sandbox.scripted import AtOnce, Scripted
from controlplane.settings import GitHost
from controlplane.store import late as store_late
from controlplane.store.tables import Pipeline, PipelineVersion, table
from tests.controlplane.actions.fake_s3 import FakeS3
from tests.support.clients import StubClients
from tests.support.doors import Doors, InProcess
from tests.support.house import action, pipeline, source

KEY = ("Source", "AWS", "CodeStarSourceConnection")
SECRET = "a secret of the host's"
SETTINGS = {"kind": "github", "secretEnv": "HOOK", "tokenEnv": "TOKEN", "api": API}
ENVIRON = {"HOOK": SECRET, "TOKEN": TOKEN}
RUN = {"Commit": "#{Source.CommitId}"}
MAIN = [{"branches": {"includes": ["main"]}}]


class Met:
    """Doors with a Git host behind, and GitHub's webhooks in front."""

    def __init__(self, folder: Path, environ: dict[str, str] | None = None, **more: Any) -> None:
        self.git = FakeGit()
        host = GitHost.model_validate(SETTINGS | more)
        known = ENVIRON if environ is None else environ
        self.hosts = kinds.make(self.git.client(), {"shop": host}, known)
        self.doors = Doors(folder, git=Hosts(self.hosts))
        self.client = httpx.Client(transport=InProcess(self.doors.app), base_url="http://towpath")

    def apply(self, name: str = "shop", **git: Any) -> None:
        """A pipeline that follows the repository; with a trigger where one is given."""
        self.doors.house.apply(declared(name, **git))

    def send(
        self, event: str, body: Any, secret: str = SECRET, host: str = "shop"
    ) -> httpx.Response:
        sent = json.dumps(body).encode()
        signature = hmac.new(secret.encode(), sent, hashlib.sha256).hexdigest()
        headers = {"X-GitHub-Event": event, "X-Hub-Signature-256": f"sha256={signature}"}
        return self.client.post(f"/git/{host}", content=sent, headers=headers)

    def push(
        self, after: str, before: str = "0" * 40, ref: str = "refs/heads/main"
    ) -> httpx.Response:
        """What GitHub tells of a push."""
        return self.send("push", pushed(after, before, ref))

    def late(self) -> LateDeliveries:
        """What takes those that wait."""
        return self.doors.parts().late

    def commits(self, name: str = "shop") -> list[str]:
        """What executions were pinned to, the oldest first."""
        rows = reversed(self.doors.house.rows(name))
        return [one for row in rows for one in json.loads(row.revisions).values()]


def declared(name: str, **git: Any) -> PipelineDeclaration:
    configuration = {
        "ConnectionArn": "arn:aws:codestar-connections:eu-west-1:111111111111:connection/shop",
        "FullRepositoryName": "team/shop", "BranchName": "main", "Account": "dev",
    }  # fmt: skip
    kind = dict(zip(("category", "owner", "provider"), KEY, strict=True))
    source = {
        "name": "Git", "actionTypeId": kind, "configuration": configuration,
        "outputArtifacts": [{"name": "App"}], "namespace": "Source",
    }  # fmt: skip
    made = pipeline(
        {"name": "Source", "actions": [source]},
        {"name": "Test", "actions": [action("Go", "NoOp", configuration=RUN)]},
        name=name,
    )
    given = {"sourceActionName": "Git", **git}
    trigger = {"providerType": "CodeStarSourceConnection", "gitConfiguration": given}
    return made.model_copy(update={"triggers": (trigger,) if git else ()})


def pushed(after: str, before: str, ref: str = "refs/heads/main", **files: Any) -> dict[str, Any]:
    return {
        "ref": ref, "before": before, "after": after, "deleted": False,
        "repository": {"full_name": "team/shop", "default_branch": "main"},
        "commits": [{"added": [], "modified": [], "removed": [], **files}],
    }  # fmt: skip


def pulled(head: str, event: str = "opened", repository: str = "team/shop") -> dict[str, Any]:
    base = {"ref": "main", "repo": {"full_name": "team/shop", "default_branch": "main"}}
    source = {"ref": "feature", "sha": head, "repo": {"full_name": repository}}
    return {"action": event, "pull_request": {"number": 12, "head": source, "base": base}}


@pytest.fixture
def met(tmp_path: Path) -> Iterator[Met]:
    made = Met(tmp_path)
    yield made
    made.doors.house.database.close()


def test_a_push_starts_the_pipeline_with_its_commit_once(met: Met) -> None:
    met.apply(push=MAIN)
    commit = met.git.push("main", {"a": b"1"})
    first, second = met.push(commit), met.push(commit)
    assert first.status_code == 200
    assert first.json()["started"] == second.json()["started"]
    assert met.commits() == [commit]
    [row] = met.doors.house.rows()
    assert json.loads(row.trigger)["ref"] == "refs/heads/main"


def test_a_push_that_comes_after_a_newer_one_starts_nothing(met: Met) -> None:
    met.apply(push=MAIN)
    older = met.git.push("main", {"a": b"1"})
    newer = met.git.push("main", {"a": b"2"})
    met.push(newer, older)
    late = met.push(older)
    assert late.status_code == 200
    assert "is older than" in late.json()["notStarted"]["shop"]
    assert met.commits() == [newer]


def test_a_commit_that_started_from_another_branch_is_not_gone_behind_either(met: Met) -> None:
    met.apply(push=[{"branches": {"includes": ["**"]}}])
    older = met.git.push("main", {"a": b"1"})
    newer = met.git.push("feature", {"a": b"2"}, parent=older)
    met.push(newer, ref="refs/heads/feature")
    met.git.branches["main"] = newer
    met.push(newer, older)
    met.push(older)
    assert met.commits() == [newer]


def test_of_two_deliveries_at_once_the_slower_decides_anew(
    met: Met, monkeypatch: pytest.MonkeyPatch
) -> None:
    met.apply(push=MAIN)
    older = met.git.push("main", {"a": b"1"})
    newer = met.git.push("main", {"a": b"2"})
    start, overtaking = met.doors.house.commands.start, [newer]

    def overtaken(*args: Any, **named: Any) -> str:
        """Between its decision and its start another replica takes the newer one."""
        if overtaking:
            met.push(overtaking.pop(), older)
        return start(*args, **named)

    monkeypatch.setattr(met.doors.house.commands, "start", overtaken)
    assert "is older than" in met.push(older).json()["notStarted"]["shop"]
    assert met.commits() == [newer]


def test_a_branch_that_was_put_back_on_purpose_starts(met: Met) -> None:
    met.apply(push=MAIN)
    older = met.git.push("main", {"a": b"1"})
    newer = met.git.push("main", {"a": b"2"})
    met.push(newer, "f" * 40)
    met.git.branches["main"] = older
    met.push(older, "f" * 40)
    assert met.commits() == [newer, older]


def test_what_follows_the_last_needs_no_question(met: Met) -> None:
    met.apply(push=MAIN)
    older = met.git.push("main", {"a": b"1"})
    met.push(older)
    newer = met.git.push("main", {"a": b"2"})
    met.git.down = True
    assert met.push(newer, older).status_code == 200
    assert met.commits() == [older, newer]


def test_a_question_that_cannot_be_asked_is_no_answer(met: Met) -> None:
    met.apply(push=[{"filePaths": {"includes": ["src/**"]}}])
    met.git.push("main", {"src/a": b"1"})
    commit = met.git.push("new", {"src/a": b"2"}, parent=met.git.branches["main"])
    met.git.down = True
    answer = met.push(commit, ref="refs/heads/new")
    assert answer.status_code == 202 and "503" in answer.json()["waitsFor"]
    assert met.commits() == []
    met.git.down = False
    assert met.late().run_once() == 1
    assert met.commits() == [commit]


def test_what_waits_is_asked_for_with_pauses_and_given_up_after_a_day(met: Met) -> None:
    met.apply(push=[{"filePaths": {"includes": ["src/**"]}}])
    met.git.down = True
    assert met.push(met.git.push("new", {"src/a": b"1"}), ref="refs/heads/new").status_code == 202
    late, house = met.late(), met.doors.house
    asked = len(met.git.asked)
    for _ in range(3):
        assert late.run_once() == 0
    assert len(met.git.asked) == asked + 1
    (said,) = [text for name, text in met.doors.health.degraded().items() if "Git" in name]
    assert said.startswith("1 wait for shop")
    house.clock.advance(git_late.DAY + 1)
    assert late.run_once() == 0
    assert "1 of shop were given up" in met.doors.health.degraded()["Git deliveries"]
    house.clock.advance(git_late.DAY + 1)
    assert late.run_once() == 0
    assert met.doors.health.degraded() == {}


def test_one_that_its_host_refuses_keeps_up_no_other(met: Met) -> None:
    """A commit that is gone by now is tried again; the next push is not made to wait for it."""
    met.apply(push=[{"filePaths": {"includes": ["src/**"]}}])
    met.git.push("main", {"src/a": b"0"})
    met.git.down = True
    met.push("f" * 40, ref="refs/heads/gone")
    commit = met.git.push("new", {"src/a": b"1"})
    met.push(commit, ref="refs/heads/new")
    met.git.down = False
    assert met.late().run_once() == 1
    assert met.commits() == [commit]


def test_what_is_told_late_starts_once_and_never_moves_back(met: Met) -> None:
    """The next push is taken live, before the one that waits."""
    met.apply(push=[{"filePaths": {"includes": ["src/**"]}}])
    met.git.push("main", {"src/a": b"0"})
    first = met.git.push("new", {"src/a": b"1"})
    met.git.down = True
    met.push(first, ref="refs/heads/new")
    met.push(first, ref="refs/heads/new")
    met.git.down = False
    second = met.git.push("new", {"src/a": b"2"})
    assert met.push(second, ref="refs/heads/new").json()["started"]
    assert met.late().run_once() == 2
    assert met.commits() == [second]


def test_no_more_are_kept_than_can_be(met: Met, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_late, "MOST", 1)
    met.apply(push=[{"filePaths": {"includes": ["src/**"]}}])
    met.git.down = True
    commit = met.git.push("new", {"src/a": b"1"})
    assert met.push(commit, ref="refs/heads/new").status_code == 202
    assert met.push(commit, ref="refs/heads/new").status_code == 503


def test_one_change_that_cannot_be_taken_keeps_no_other_of_its_delivery(
    met: Met, monkeypatch: pytest.MonkeyPatch
) -> None:
    met.apply()
    met.apply("asking", push=[{"filePaths": {"includes": ["src/**"]}}])
    first = met.git.push("main", {"a": b"1"})
    second = met.git.push("new", {"a": b"2"}, parent=first)
    changes = [Told("team/shop", f"refs/heads/{ref}", one, first) for ref, one in
               (("new", second), ("main", first))]  # fmt: skip
    monkeypatch.setattr(door, "read", lambda *_: changes)
    met.git.down = True
    assert met.send("push", {}).status_code == 202
    assert met.commits() == [first]


def test_the_first_push_of_all_changes_everything(met: Met) -> None:
    met.apply(push=[{"filePaths": {"includes": ["src/**"]}}])
    commit = met.git.push("main", {"src/a": b"1"})
    assert met.push(commit).json()["started"]


def test_files_are_the_bodys_where_it_has_them_all(met: Met) -> None:
    met.apply(push=[{"filePaths": {"includes": ["src/**"], "excludes": ["**/*.md"]}}])
    first = met.git.push("main", {"src/a": b"1"})
    commit = met.git.push("main", {"src/a.md": b"1"})
    met.git.down = True
    assert met.send("push", pushed(commit, first, modified=["src/a.md"])).json()["started"] == {}
    assert met.send("push", pushed(commit, first, added=["src/b"])).json()["started"]


def test_without_a_trigger_the_actions_own_branch_starts_it(met: Met) -> None:
    met.apply()
    commit = met.git.push("feature", {"a": b"1"})
    assert met.push(commit, ref="refs/heads/feature").json()["started"] == {}
    assert met.push(commit).json()["started"]


def test_another_host_cannot_speak_for_a_connection_that_is_listed_elsewhere(met: Met) -> None:
    met.apply(push=MAIN)
    arn = "arn:aws:codestar-connections:eu-west-1:111111111111:connection/shop"
    listed = GitHost.model_validate(SETTINGS | {"connections": [arn]})
    met.hosts.update(kinds.make(met.git.client(), {"other": listed}, ENVIRON))
    commit = met.git.push("main", {"a": b"1"})
    assert met.push(commit).json() == {"started": {}, "notStarted": {}}
    assert met.send("push", pushed(commit, "0" * 40), host="other").json()["started"]


def test_a_tag_starts_what_wants_tags(met: Met) -> None:
    met.apply("tags", push=[{"tags": {"includes": ["v*"]}}])
    met.apply("branches", push=MAIN)
    commit = met.git.push("main", {"a": b"1"})
    assert set(met.push(commit, ref="refs/tags/v1").json()["started"]) == {"tags"}


def test_a_pull_request_starts_with_its_head_and_again_where_it_is_merged(met: Met) -> None:
    met.apply(pullRequest=[{"events": ["OPEN", "CLOSED"], "branches": {"includes": ["main"]}}])
    met.git.push("main", {"a": b"1"})
    head = met.git.push("feature", {"a": b"2"})
    met.send("pull_request", pulled(head))
    met.send("pull_request", pulled(head, "closed"))
    met.send("pull_request", pulled(head, "closed"))
    assert met.commits() == [head, head]
    row = met.doors.house.rows()[0]
    assert json.loads(row.trigger)["pull"] == "12"


@pytest.mark.parametrize("forks", [True, False])
def test_a_commit_of_another_repository_starts_only_where_that_is_allowed(
    tmp_path: Path, forks: bool
) -> None:
    met = Met(tmp_path, forks=forks)
    met.apply(pullRequest=[{"events": ["OPEN"]}])
    head = met.git.push("feature", {"a": b"2"})
    answer = met.send("pull_request", pulled(head, repository="mallory/shop")).json()
    assert bool(answer["started"]) is forks
    met.doors.house.database.close()


@pytest.mark.parametrize(
    ("send", "status"),
    [
        (lambda met, body: met.send("push", body, secret="guessed"), 401),
        (lambda met, body: met.client.post("/git/shop", json=body), 401),
        (lambda met, body: met.send("push", body, host="other"), 404),
        (lambda met, _: met.send("push", {"ref": 1}), 400),
        (lambda met, _: met.send("push", "x" * (2 * 1024 * 1024)), 413),
        (lambda met, _: met.send("ping", {"zen": "Keep it logically awesome."}), 200),
    ],
)
def test_what_is_not_let_in_starts_nothing(met: Met, send: Any, status: int) -> None:
    met.apply(push=MAIN)
    assert send(met, pushed(met.git.push("main", {"a": b"1"}), "0" * 40)).status_code == status
    assert met.commits() == []


def test_a_secret_that_is_not_set_is_named(tmp_path: Path) -> None:
    met = Met(tmp_path, environ={"TOKEN": TOKEN})
    answer = met.push("a" * 40)
    assert answer.status_code == 503
    assert "HOOK" in answer.text
    met.doors.house.database.close()


def test_the_commit_of_the_push_is_what_goes_down_the_pipeline(met: Met) -> None:
    met.apply(push=MAIN)
    house, s3, work = met.doors.house, FakeS3(), Scripted()
    drivers: dict[Key, Any] = {
        KEY: GitSource(StubClients(s3=s3), Hosts(met.hosts)),
        ("Test", "Custom", "NoOp"): work,
    }
    engine = Engine(
        house.database, house.structures, drivers, house.clock, Limits(), (AtOnce(), AtOnce())
    )
    commit = met.git.push("main", {"appspec.yml": b"1"})
    execution = met.push(commit).json()["started"]["shop"]
    met.git.push("main", {"appspec.yml": b"2"})
    while engine.turn():
        pass
    row = house.execution(execution)
    [put] = s3.calls("PutObject")
    assert row.status == "Succeeded"
    assert row.digest.removeprefix("sha256:") in put["Key"]
    [task] = work.started
    assert task.configuration["Commit"] == commit


def sources(met: Met) -> Sources:
    class Polled:
        """A source by its host alone."""

        def latest(self, configuration: Any, _account: str, _region: str) -> Any:
            made = GitSource(None, Hosts(met.hosts))  # type: ignore[arg-type]
            return made.latest(configuration, "", "")

    house = met.doors.house
    pushes = Pushes(house.database, house.structures, house._now)
    return Sources(house.database, house.structures, house.commands, {KEY: Polled()}, pushes)


def test_the_poll_finds_what_no_webhook_told_and_no_late_one_moves_it_back(met: Met) -> None:
    met.apply()
    older = met.git.push("main", {"a": b"1"})
    newer = met.git.push("main", {"a": b"2"})
    assert sources(met).poll() == 1
    met.push(older)
    met.push(newer, older)
    assert met.commits() == [newer]


def test_a_source_with_a_trigger_is_not_polled(met: Met) -> None:
    met.apply(push=[{"branches": {"includes": ["release"]}}])
    met.git.push("main", {"a": b"1"})
    assert sources(met).poll() == 0


class TestAPipelineThatCannotBeRead:
    """It hears of a push later, the others at once."""

    def poison(self, met: Met, name: str = "till", text: str = "{}") -> None:
        rows, versions = table(Pipeline), table(PipelineVersion)
        with met.doors.house.database.begin() as connection:
            newest = connection.execute(
                select(rows.c.version).where(rows.c.name == name)
            ).scalar_one()
            row = {"pipeline": name, "version": newest + 1, "created_at": 0.0, "created_by": ""}
            connection.execute(insert(versions), {**row, "declaration": text})
            connection.execute(update(rows).where(rows.c.name == name).values(version=newest + 1))

    def starts(self, met: Met, name: str) -> list[str]:
        rows = reversed(met.doors.house.rows(name))
        return [one for row in rows for one in json.loads(row.revisions).values()]

    def test_its_push_is_kept_and_said_and_taken_once_it_can_be_read(self, met: Met) -> None:
        met.apply("till")
        met.apply("shop")
        self.poison(met)
        commit = met.git.push("main", {"a": b"1"})
        answer = met.push(commit)
        assert (answer.status_code, list(answer.json()["started"])) == (202, ["shop"])
        assert "version 2 of pipeline till cannot be read" in answer.json()["notStarted"]["till"]
        assert self.starts(met, "shop") == [commit]
        (said,) = met.doors.house.texts("source.waits")
        assert "team/shop" in said and "apply the pipeline again" in said
        ready = met.doors.health.degraded()["Git deliveries"]
        assert "1 wait for pipeline till (version 2 of pipeline till cannot be read" in ready
        assert met.late().run_once() == 0
        met.apply("till")
        assert met.late().run_once() == 1, "at once, for it was applied"
        assert (self.starts(met, "till"), self.starts(met, "shop")) == ([commit], [commit])
        assert met.doors.health.degraded() == {}

    def test_several_are_taken_in_their_order_and_said_once(self, met: Met) -> None:
        met.apply("till")
        self.poison(met)
        older = met.git.push("main", {"a": b"1"})
        newer = met.git.push("main", {"a": b"2"})
        met.push(older)
        met.push(newer, older)
        met.push(newer, older)
        assert len(met.doors.house.texts("source.waits")) == 1
        met.apply("till")
        assert met.late().run_once() == 2
        assert self.starts(met, "till") == [older, newer]

    def test_what_it_surely_does_not_follow_is_not_kept(self, met: Met) -> None:
        met.apply("till")
        other = {"FullRepositoryName": "team/other"}
        self.poison(met, text="{}")
        answer = met.send("push", {**pushed("c" * 40, "0" * 40), "repository": other_repository()})
        assert answer.status_code == 200
        self.poison(met, text=json.dumps({"stages": other}))
        answer = met.send("push", {**pushed("d" * 40, "0" * 40), "repository": other_repository()})
        assert answer.status_code == 202, "its text names that repository now"

    def test_one_of_which_nothing_is_known_may_follow_anything(self, met: Met) -> None:
        met.apply("till")
        with met.doors.house.database.begin() as connection:
            connection.execute(update(table(PipelineVersion)).values(declaration="{"))
        met.doors.house.structures = met.doors.parts().intake.structures = Structures()
        assert met.push(met.git.push("main", {"a": b"1"})).status_code == 202

    def test_it_waits_for_a_month_and_no_host_waits_with_it(self, met: Met) -> None:
        met.apply("till")
        self.poison(met)
        met.push(met.git.push("main", {"a": b"1"}))
        met.doors.house.clock.advance(3 * git_late.DAY)
        met.late().run_once()
        met.apply("till")
        assert met.late().run_once() == 1

    def test_what_is_new_in_a_bucket_is_started_then_and_only_the_newest(self, met: Met) -> None:
        house = met.doors.house
        where = {"S3Bucket": "releases", "S3ObjectKey": "a.zip", "PollForSourceChanges": "false"}
        stages = source()
        stages["actions"][0]["configuration"] = where
        work = {"name": "Test", "actions": [action("Go", "NoOp")]}
        house.apply(pipeline(stages, work, name="till"))
        self.poison(met)
        newest = SimpleNamespace(latest=lambda *_: Revision("v3", "s3://releases/a.zip"))
        house.drivers["S3"] = newest  # type: ignore[assignment]
        sources = met.doors.sources()
        events = [
            SourceEvent("S3", {"S3Bucket": bucket, "S3ObjectKey": "a.zip"}, Revision(id_, "x"), id_)
            for bucket, id_ in (("releases", "v1"), ("releases", "v2"), ("others", "v9"))
        ]
        feed = Feed(events)
        sources.take(feed)
        assert feed.taken == ["v1", "v2", "v9"]
        assert "1 wait for pipeline till" in met.doors.health.degraded()["Git deliveries"]
        house.apply(pipeline(stages, work, name="till"))
        assert met.late().run_once() == 1
        assert self.starts(met, "till") == ["v3"]


class Feed:
    """Some events, once."""

    def __init__(self, events: list[SourceEvent]) -> None:
        self.events, self.taken = events, list[str]()

    def receive(self) -> list[Any]:
        return list(self.events)

    def done(self, receipts: Any) -> None:
        self.taken += receipts


def other_repository() -> dict[str, str]:
    return {"full_name": "team/other", "default_branch": "main"}
