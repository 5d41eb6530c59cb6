"""Webhooks are put in at GitHub and taken out again."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from controlplane import server
from controlplane.actions.github_hooks import GitHub
from controlplane.sandbox.github import FakeGitHub
from tests.controlplane.codepipeline.test_jobs import asked
from tests.support.doors import Doors
from tests.support.house import deploying, pipeline, source
from tests.support.wire import Wire

SECRET = "a secret of the webhook"
TOKEN = "ghp_of_tests"
NAME = {"webhookName": "push"}


class Scene:
    """An installation with a webhook, in front of a GitHub. token: the one that Towpath has."""

    def __init__(self, folder: Path, token: str = TOKEN, repository: str = "acme/shop") -> None:
        self.github = FakeGitHub(TOKEN, "acme/shop")
        client = httpx.Client(transport=self.github.transport())
        doors = Doors(folder)
        hooks = GitHub(client, doors.house.clock, "https://github.invalid", token)
        doors.app = server.create_app(doors.parts(hooks=hooks))
        self.wire = Wire(doors)
        doors.house.apply(pipeline(source(), deploying("Prod")))
        self.put(SECRET, repository)

    def put(self, secret: str, repository: str = "acme/shop") -> None:
        webhook = {
            "name": "push",
            "targetPipeline": "shop",
            "targetAction": "Upload",
            "filters": [{"jsonPath": "$.repository.full_name", "matchEquals": repository}],
            "authentication": "GITHUB_HMAC",
            "authenticationConfiguration": {"SecretToken": secret},
        }
        self.url = asked(self.wire, "PutWebhook", {"webhook": webhook})["webhook"]["url"]

    def ask(self, operation: str, **given: Any) -> Any:
        return asked(self.wire, f"{operation}WebhookWithThirdParty", given or NAME)

    @property
    def hooks(self) -> list[Any]:
        return list(self.github.hooks["acme/shop"].values())


def test_a_webhook_is_made_once_and_brought_up_to_date(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    assert scene.ask("Register") == {}
    scene.put("another secret")
    assert scene.ask("Register") == {}
    (hook,) = scene.hooks
    wanted = {"url": scene.url, "content_type": "json", "insecure_ssl": "0"}
    assert hook["config"] == {**wanted, "secret": "another secret"}
    assert (hook["name"], hook["events"], hook["active"]) == ("web", ["push"], True)


def test_a_webhook_is_taken_away_and_nobody_elses(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    other = {"config": {"url": "https://other.invalid"}}
    scene.github.hooks["acme/shop"][99] = other
    scene.ask("Register")
    assert scene.ask("Deregister") == {}
    assert scene.ask("Deregister") == {}
    assert scene.hooks == [other]


@pytest.mark.parametrize(
    ("token", "repository", "why"),
    [
        ("", "acme/shop", "TOWPATH_GITHUB_TOKEN"),
        ("wrong", "acme/shop", "the token is not valid"),
        (TOKEN, "acme/other", "no such repository"),
        (TOKEN, "acme/../other", "owner/name"),
    ],
)
def test_what_cannot_be_registered_says_why(
    tmp_path: Path, token: str, repository: str, why: str
) -> None:
    scene = Scene(tmp_path, token, repository)
    refused = scene.ask("Register")
    assert refused["__type"] == "ValidationException" and why in refused["message"]
    assert SECRET not in str(refused) and TOKEN not in str(refused)
    assert scene.hooks == []


def test_a_webhook_that_is_not_there(tmp_path: Path) -> None:
    refused = Scene(tmp_path).ask("Register", webhookName="other")
    assert refused["__type"] == "WebhookNotFoundException"
