"""Slack's door: presses that count, and presses that change nothing."""

from functools import partial
from pathlib import Path

import httpx
import pytest

from controlplane.engine.refusals import CommandError, Person
from controlplane.notify import buttons
from controlplane.sandbox.scripted import judging, source_of
from controlplane.store import queries
from monitors.base import Verdict
from tests.support.doors import SECRET, Doors, slack_press
from tests.support.house import BAD, deploying, pipeline, source

PATH = "/slack/interactivity"


@pytest.fixture
def doors(tmp_path: Path) -> Doors:
    return Doors(tmp_path)


def button(doors: Doors, execution: str, action: str = "approve", secret: str = SECRET) -> str:
    with doors.house.database.read() as connection:
        row = queries.open_approval(connection, execution, "Gate", "")
    assert row is not None
    return buttons.sign(action, execution, "Gate", row.name, row.token, secret)


def press(doors: Doors, value: str) -> httpx.Response:
    body, headers = slack_press(doors, value)
    return doors.client(None).post(PATH, content=body, headers=headers)


@pytest.mark.parametrize(("action", "status"), [("approve", "Succeeded"), ("reject", "Failed")])
def test_a_press_decides_in_the_name_of_who_pressed(doors: Doors, action: str, status: str) -> None:
    execution = doors.waits_for_approval()
    answer = press(doors, button(doors, execution, action))
    assert (answer.status_code, answer.content) == (200, b"")
    doors.house.settle()
    assert doors.house.stages(execution)["Gate"] == status
    with doors.house.database.read() as connection:
        said = [e.text for e in queries.events_after(connection, 0) if "answered" in e.kind]
    assert "by bo (slack)" in said[0]


@pytest.mark.parametrize(
    ("user", "action", "told"),
    [("U2", "approve", "TOWPATH_SLACK_PEOPLE"), ("U3", "rollback", "release-manager or admin")],
)
def test_a_press_by_nobody_who_may_moves_nothing_and_says_how_to(
    tmp_path: Path, user: str, action: str, told: str
) -> None:
    doors = Doors(tmp_path, slack_people={"U3": {"name": "vi", "role": "approver"}})
    execution = doors.waits_for_approval()
    before = doors.events()
    body, headers = slack_press(doors, button(doors, execution, action), user=user)
    answer = doors.client(None).post(PATH, content=body, headers=headers).json()
    assert (answer["response_type"], doors.events()) == ("ephemeral", before)
    assert told in answer["text"] and "nothing" in answer["text"].lower()


def test_a_role_that_there_is_not_is_refused_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="U3 has role 'boss'"):
        Doors(tmp_path, slack_people={"U3": {"name": "vi", "role": "boss"}})


def test_a_press_that_slack_did_not_sign_changes_nothing(doors: Doors) -> None:
    execution = doors.waits_for_approval()
    before = doors.events()
    body, headers = slack_press(doors, button(doors, execution), secret="a guess")
    assert doors.client(None).post(PATH, content=body, headers=headers).status_code == 401
    assert doors.events() == before


def test_a_button_that_we_did_not_sign_changes_nothing(doors: Doors) -> None:
    execution = doors.waits_for_approval()
    before = doors.events()
    assert press(doors, button(doors, execution, secret="a guess")).status_code == 401
    assert doors.events() == before


def test_a_replayed_press_is_refused_by_every_replica(doors: Doors) -> None:
    execution = doors.waits_for_approval()
    body, headers = slack_press(doors, button(doors, execution))
    answers = [doors.client(None).post(PATH, content=body, headers=headers) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 409]


def test_a_press_that_comes_too_late_is_told_why(doors: Doors) -> None:
    execution = doors.waits_for_approval()
    value = button(doors, execution)
    press(doors, value)
    doors.house.clock.advance(1)
    answer = press(doors, value)
    assert answer.status_code == 200
    assert answer.json()["response_type"] == "ephemeral"
    assert answer.json()["replace_original"] is False
    assert "decided" in answer.json()["text"]


def test_the_button_of_an_earlier_approval_does_not_answer_a_later_one(doors: Doors) -> None:
    execution = doors.waits_for_approval()
    old = buttons.sign("approve", execution, "Gate", "Ask", "tp-of-an-earlier-attempt", SECRET)
    assert "no longer open" in press(doors, old).json()["text"]
    doors.house.settle()
    assert doors.house.stages(execution)["Gate"] == "InProgress"


def test_a_decision_meant_for_another_attempt_is_refused_in_its_own_transaction(
    doors: Doors,
) -> None:
    execution = doors.waits_for_approval()
    decide = partial(doors.house.commands.decide_approval, execution, "Gate", "Ask")
    with pytest.raises(CommandError, match="was decided, superseded"):
        decide(Person("bo", "slack"), approve=True, summary="", token="of an earlier attempt")


def test_a_press_rolls_back_the_release_of_its_message_only(doors: Doors) -> None:
    doors.house.apply(pipeline(source(), deploying("Prod", bake="60s")))
    execution = doors.house.start()
    value = buttons.sign("rollback", execution, "Prod", "", "", SECRET)
    assert press(doors, value).content == b""
    doors.house.wait(5)
    assert doors.house.execution(execution).status == "Failed"
    doors.house.clock.advance(1)
    assert "no longer in Prod" in press(doors, value).json()["text"]


def asks(doors: Doors) -> str:
    """An execution whose bake in Prod asks a person; its id."""
    doors.house.drivers["CloudWatchAlarm"].default = judging(Verdict.INCONCLUSIVE)
    doors.house.apply(pipeline(source(), deploying("Prod", ExtendUpTo="5s")))
    execution = doors.house.start()
    doors.house.wait(20)
    return execution


def test_a_press_lets_a_bake_pass_that_asks(doors: Doors) -> None:
    execution = asks(doors)
    value = buttons.sign("pass", execution, "Prod", "", f"{execution}:1:1", SECRET)
    assert press(doors, value).content == b""
    assert doors.house.stages(execution)["Prod"] == "Succeeded"
    doors.house.clock.advance(1)
    assert "it has ended" in press(doors, value).json()["text"]


def test_the_button_of_an_earlier_attempt_lets_no_later_one_pass(doors: Doors) -> None:
    execution = asks(doors)
    old = buttons.sign("pass", execution, "Prod", "", f"{execution}:1:0", SECRET)
    assert "nobody asks" in press(doors, old).json()["text"]
    assert doors.house.stages(execution)["Prod"] == "Baking"


def test_a_press_rolls_back_what_is_watched(doors: Doors) -> None:
    doors.house.apply(pipeline(source(), deploying("Prod", Watch="1h")))
    doors.house.start()
    doors.house.wait(20)
    doors.house.drivers["S3"].default = source_of(BAD)
    execution = doors.house.start()
    doors.house.wait(20)
    value = buttons.sign("rollback", execution, "Prod", "", "", SECRET)
    assert press(doors, value).content == b""
    assert doors.house.rows()[0].rolls_back == execution


def test_an_oversize_press_is_read_no_further_than_its_bound(doors: Doors) -> None:
    pieces = iter([b"x" * 10_000] * 50)
    answer = doors.client(None).post(PATH, content=pieces)
    assert answer.status_code == 413
    assert len(list(pieces)) > 40
