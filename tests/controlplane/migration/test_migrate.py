"""Pipelines of an account come over: the old CodePipeline is a Towpath's own wire door, asked by boto3."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.stub import Stubber
from typer.testing import CliRunner, Result

from accounts.base import AccountError
from controlplane.cli import app
from controlplane.declarations.model import ExecutionMode
from controlplane.engine.refusals import Person
from controlplane.migration.reading import Place
from controlplane.store import pipelines, tags
from controlplane.store.roles import Role
from tests.support.clients import StubClients, client
from tests.support.doors import served
from tests.support.moving import Moving, moving, structure

ANNE = Person("anne", "api")


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Moving]:
    with moving(tmp_path) as found:
        yield found


def towpath(two: Moving, *arguments: str) -> Result:
    with served(two.new.app) as url:
        env = {"TOWPATH_URL": url, "TOWPATH_TOKEN": two.new.tokens[Role.ADMIN]}
        return CliRunner().invoke(app, [*arguments], env={**os.environ, **env})


def test_without_apply_nothing_is_stored(two: Moving) -> None:
    two.aws.create_pipeline(pipeline=structure())
    before = two.new.events()
    done = towpath(two, "migrate", "--from-account", "dev")
    assert done.exit_code == 0 and "shop: would import" in done.stdout
    assert "2 actions acts in account dev" not in done.stdout
    assert "2 actions act in account dev" in done.stdout
    assert two.new.events() == before and two.closed() == {}


def test_an_import_asks_the_server_for_its_accounts(two: Moving, tmp_path: Path) -> None:
    (tmp_path / "p.json").write_text(json.dumps({"pipeline": structure()}))
    done = towpath(two, "import", str(tmp_path / "p.json"), "--server", "--region", "eu-west-1")
    assert done.exit_code == 0 and "2 actions act in account dev" in done.stderr


def test_it_comes_over_with_every_way_in_behind_the_source_closed(two: Moving) -> None:
    two.aws.create_pipeline(pipeline=structure(), tags=[{"key": "team", "value": "a"}])
    way = {"pipelineName": "shop", "stageName": "Prod", "transitionType": "Inbound"}
    two.aws.disable_stage_transition(**way, reason="a fair")
    report = two.move()
    assert (report["state"], report["version"], report["closed"]) == (
        "imported",
        1,
        ["Gate", "Prod"],
    )
    closed = two.closed()
    assert closed["Gate"].startswith("migrated from dev/eu-west-1: let it go when the old one")
    assert closed["Prod"].endswith("at CodePipeline: a fair (admin)")
    with two.new.house.database.read() as connection:
        assert tags.of(connection, "pipeline/shop") == {"team": "a"}


def test_what_the_source_starts_waits_in_front_of_the_first_closed_way_in(two: Moving) -> None:
    two.aws.create_pipeline(pipeline=structure())
    two.move()
    execution = two.new.house.start()
    assert two.new.house.stages(execution) == {"Source": "Succeeded", "Gate": "Inbound"}


def test_again_changes_nothing_and_leaves_open_what_a_person_opened(two: Moving) -> None:
    two.aws.create_pipeline(pipeline=structure())
    two.move()
    two.new.house.commands.enable_transition("shop", "Gate", ANNE, reason="go")
    before = two.new.events()
    assert two.move()["state"] == "unchanged"
    assert list(two.closed()) == ["Prod"] and two.new.events() == before


def test_a_stage_that_is_new_over_there_comes_closed(two: Moving) -> None:
    two.aws.create_pipeline(pipeline=structure())
    two.move()
    more = structure()
    more["stages"].append({**more["stages"][2], "name": "More"})
    two.aws.update_pipeline(pipeline=more)
    report = two.move()
    assert (report["state"], report["version"], report["closed"]) == ("imported", 2, ["More"])


def test_what_was_edited_here_stays_and_both_sides_are_a_conflict(two: Moving) -> None:
    two.aws.create_pipeline(pipeline=structure())
    two.move()
    house = two.new.house
    with house.database.read() as connection:
        declared = house.structures.pipeline(connection, "shop", 1)
    house.apply(declared.model_copy(update={"execution_mode": ExecutionMode.QUEUED}))
    report = two.move()
    assert (report["state"], report["version"]) == ("kept", 2)
    two.aws.update_pipeline(pipeline=structure() | {"executionMode": "PARALLEL"})
    report = two.move()
    assert report["state"] == "refused" and "edited here" in report["refused"][0]
    with house.database.read() as connection:
        assert pipelines.version(connection, "shop") == 2


def test_a_pipeline_that_was_made_here_is_never_overwritten(two: Moving) -> None:
    two.aws.create_pipeline(pipeline=structure())
    two.new.waits_for_approval()
    report = two.move()
    assert report["state"] == "refused" and "was not migrated" in report["refused"][0]


def test_one_that_cannot_run_keeps_no_other(two: Moving) -> None:
    for name in ("a", "b", "other"):
        two.aws.create_pipeline(pipeline=structure(name))
    _break(two, "a")
    done = towpath(two, "migrate", "--from-account", "dev", "--pipeline", "?", "--apply")
    assert done.exit_code == 2, done.output
    assert "a: refused" in done.stdout
    assert "refused: stages.Prod.actions.Ship.configuration.Strange:" in done.stdout
    assert "b: imported, version 1" in done.stdout and "other" not in done.stdout
    assert "2 pipelines of dev: 1 imported, 1 refused" in done.stderr


def _break(two: Moving, name: str) -> None:
    """CodePipeline has a structure that a driver here does not take."""
    house = two.old.house
    with house.database.begin() as connection:
        text = pipelines.declaration(connection, name, 1).replace('"ApplicationName"', '"Strange"')
        pipelines.put(connection, name, text, 0.0, "anne")


def test_topics_are_told_here_and_what_stays_behind_is_said(two: Moving) -> None:
    two.aws.create_pipeline(pipeline=structure())
    two.rules.append(RULE)
    hook = {"name": "h", "targetPipeline": "shop", "authentication": "GITHUB_HMAC"}
    notes = two.move(webhooks=[hook])["notes"]
    assert len(notes) == 2 and "webhook h stays behind" in notes[0] and "secret" in notes[0]
    assert "AWSChatbotSlack is not told here" in notes[1]
    house = two.new.house
    with house.database.read() as connection:
        (told,) = house.structures.pipeline(connection, "shop", 1).notifications
    assert told.configuration == {"TopicArn": "arn:aws:sns:eu-west-1:1:t", "Account": "dev"}
    assert told.events == ("execution.failed", "action.failed")


RULE: dict[str, Any] = {
    "Arn": "arn:aws:codestar-notifications:eu-west-1:1:notificationrule/r",
    "Name": "r",
    "Status": "ENABLED",
    "EventTypes": [
        {"EventTypeId": "codepipeline-pipeline-pipeline-execution-failed"},
        {"EventTypeId": "codepipeline-pipeline-action-execution-failed"},
    ],
    "Targets": [
        {"TargetType": "SNS", "TargetAddress": "arn:aws:sns:eu-west-1:1:t"},
        {"TargetType": "AWSChatbotSlack", "TargetAddress": "arn:aws:chatbot::1:c"},
    ],
}


def test_an_account_that_throttles_is_asked_again_later(two: Moving) -> None:
    two.clients.refuse = AccountError("slow down", permanent=False, retry_after=2.5)
    with two.new.client() as browser:
        answer = browser.post("/api/v1/migrations/dev/shop", json={})
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "3")


def test_a_role_that_may_not_read_is_named(two: Moving) -> None:
    two.clients.refuse = AccountError("add ReadPipelines", permanent=True)
    with two.new.client() as browser:
        answer = browser.get("/api/v1/migrations/dev")
    assert answer.status_code == 422 and "add ReadPipelines" in answer.json()["detail"]


def test_every_page_is_read() -> None:
    aws = client("codepipeline")
    with Stubber(aws) as stub:
        first = {"pipelines": [{"name": "b"}, {"name": "x"}], "nextToken": "2"}
        stub.add_response("list_pipelines", first, {})
        stub.add_response("list_pipelines", {"pipelines": [{"name": "a"}]}, {"nextToken": "2"})
        place = Place(StubClients(codepipeline=aws), "dev", "eu-west-1")
        assert place.names("[ab]") == ["a", "b"]
        stub.add_client_error("list_webhooks", "AccessDeniedException")
        with pytest.raises(AccountError, match="ReadPipelines in deploy/account-roles"):
            place.webhooks()
