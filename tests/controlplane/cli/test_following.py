"""Following an execution: how far, what is said, what a script learns, and what a lost server changes."""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import httpx
import pytest
import typer
from ruamel.yaml import YAML

from controlplane.cli import following
from controlplane.cli.following import Terms, Until, follow, follow_back
from controlplane.cli.output import Form
from controlplane.client.api import Api, Exit

ID = "0" * 8 + "-0000-0000-0000-" + "0" * 12
ASKS = {"name": "Ask", "category": "Approval", "provider": "Manual", "status": "InProgress"}
DEPLOYED = {"name": "Ship", "category": "Deploy", "provider": "CodeDeploy", "status": "Succeeded"}
Answer = dict[str, Any] | None


def state(status: str, *actions: Mapping[str, str], **more: Any) -> dict[str, Any]:
    """An execution as the server tells it."""
    stage = {"stage": "Prod", "status": "Succeeded", "bake": None, "actions": list(actions)}
    over = status != "InProgress"
    return {
        "id": ID,
        "pipeline": "shop",
        "status": status,
        "type": "STANDARD",
        "endedAt": "2026-11-27T00:00:00Z" if over else None,
        "stages": [stage],
        **more,
    }


class Server:
    """Stands as it is told, one state after the other; None: nobody answers that time."""

    def __init__(self, *states: Answer) -> None:
        self.states = list(states)
        self.told = 0
        self.pauses: list[float] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/events"):
            fresh = self.told < len(self.states)
            self.told = len(self.states) if fresh else self.told
            kind = {"id": self.told, "at": "2026-11-27T22:00:00.123Z", "kind": "stage.succeeded"}
            event = {**kind, "stage": "Prod", "action": "", "text": "well"}
            return httpx.Response(200, json={"events": [event] if fresh else []})
        now = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        return (
            httpx.Response(502, text="bad gateway")
            if now is None
            else httpx.Response(200, json=now)
        )

    def api(self) -> Api:
        return Api("http://towpath", pause=self.pauses.append, transport=httpx.MockTransport(self))


def ended(server: Server, terms: Terms) -> int:
    with pytest.raises(typer.Exit) as left:
        follow(server.api(), ID, terms)
    return left.value.exit_code


@pytest.mark.parametrize(
    ("status", "code"),
    [
        ("Succeeded", Exit.WELL),
        ("Failed", Exit.FAILED),
        ("Stopped", Exit.CANCELLED),
        ("Superseded", Exit.CANCELLED),
    ],
)
def test_the_exit_code_says_how_it_went(status: str, code: Exit) -> None:
    assert ended(Server(state("InProgress"), state(status)), Terms()) == code
    assert ended(Server(state(status)), Terms(tells=False)) == Exit.WELL


def test_what_waits_for_a_person_is_left_where_that_is_wanted(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert ended(Server(state("InProgress", ASKS)), Terms(until=Until.WAITS)) == Exit.WAITING
    assert f"towpath approve {ID} Prod -m WHY" in capsys.readouterr().err
    through = Server(state("InProgress", ASKS), state("InProgress", ASKS), state("Succeeded"))
    assert ended(through, Terms()) == Exit.WELL


def test_a_server_that_goes_away_is_asked_again_and_never_taken_for_an_end(
    capsys: pytest.CaptureFixture[str],
) -> None:
    server = Server(state("InProgress"), None, None, state("Failed"))
    assert ended(server, Terms()) == Exit.FAILED
    said = capsys.readouterr().err
    assert "nothing is known until it answers" in said and "answers again" in said
    assert server.pauses == [following.AGAIN_SECONDS] * 2


def test_a_time_that_is_over_is_no_success(capsys: pytest.CaptureFixture[str]) -> None:
    assert ended(Server(state("InProgress")), Terms(seconds=0.0)) == Exit.TIMED_OUT
    assert "it goes on" in capsys.readouterr().err


def test_the_way_back_is_said_with_the_real_names(capsys: pytest.CaptureFixture[str]) -> None:
    ended(Server(state("Succeeded", DEPLOYED)), Terms())
    assert "towpath rollback shop Prod -m WHY" in capsys.readouterr().err


def test_ctrl_c_says_what_goes_on(capsys: pytest.CaptureFixture[str]) -> None:
    server = Server(state("InProgress"), None)
    server.pauses = Interrupts()
    assert ended(server, Terms()) == Exit.INTERRUPTED
    assert (
        f"the release goes on; look again: towpath status {ID} --watch" in capsys.readouterr().err
    )


class Interrupts(list[float]):
    """Ctrl-C while it pauses."""

    def append(self, _: float) -> None:
        raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("form", "read"),
    [
        (Form.JSON, lambda text: map(json.loads, text.splitlines())),
        (Form.YAML, lambda text: YAML(typ="safe").load_all(text)),
    ],
)
def test_watched_for_a_program_each_event_is_a_document_and_the_execution_the_last(
    form: Form, read: Callable[[str], Iterator[Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    ended(Server(state("Succeeded", DEPLOYED)), Terms(form=form))
    events, last = read(capsys.readouterr().out)
    assert events["event"]["kind"] == "stage.succeeded"
    assert last["execution"]["status"] == "Succeeded"


@pytest.mark.parametrize(("end", "code"), [("done", Exit.WELL), ("failed", Exit.FAILED)])
def test_a_rollback_is_followed_to_its_verified_end(end: str, code: Exit) -> None:
    back = state("Succeeded", type="ROLLBACK", rollsBack="bad", rollbackState=end)

    def answer(request: httpx.Request) -> httpx.Response:
        listing = request.url.path.endswith("/executions")
        return httpx.Response(200, json=[back]) if listing else server(request)

    server = Server(back)
    api = Api("http://towpath", transport=httpx.MockTransport(answer))
    with pytest.raises(typer.Exit) as left:
        follow_back(api, "shop", "bad", None)
    assert left.value.exit_code == code
