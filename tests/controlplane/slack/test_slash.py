"""`/towpath`: what it does, and what it teaches."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from controlplane.store import gates
from tests.support.chat import Chat
from tests.support.house import deploying


@pytest.fixture
def chat(tmp_path: Path) -> Iterator[Chat]:
    made = Chat(tmp_path)
    made.release(deploying("Prod", bake="60s"))
    yield made
    made.fake.stop()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "promote PIPELINE"),
        ("help", "freeze PIPELINE"),
        ("launch <!here>", "There is no command 'launch'"),
        ("<!here>", "&lt;!here&gt;"),
        ("status", "InProgress"),
        ("status shop", "Prod: "),
        ("status nope", "there is: shop"),
        ("promote", "Say which"),
        ("promote nope", "there is: shop"),
        ("freeze", "Say what and why"),
        ("freeze shop", "has the stages Source, Prod"),
        ("freeze shop Prod 2h", "needs a reason"),
        ("freeze nope because", "there is: shop"),
    ],
)
def test_the_answer_shows_or_teaches(chat: Chat, text: str, told: str) -> None:
    before = chat.doors.events()
    assert told in chat.say(text)
    assert chat.doors.events() == before


@pytest.mark.parametrize("text", ["status", "promote nope", "freeze nope why"])
def test_strangers_hear_no_names(chat: Chat, text: str) -> None:
    assert "does not know who you are" in chat.say(text, "U9") and "shop" not in chat.told()


def test_who_has_one_pipeline_sees_that_one(chat: Chat) -> None:
    assert "never" not in chat.say("status", "U4") and "shop" not in chat.told()
    assert "does not reach as far" in chat.say("freeze shop Prod why", "U4")


@pytest.mark.parametrize("text", ["promote shop", "freeze shop because"])
def test_who_may_not_is_refused(chat: Chat, text: str) -> None:
    before = chat.doors.events()
    assert "role viewer may not do this" in chat.say(text, "U2")
    assert chat.doors.events() == before


def test_promote_starts_one_execution_however_often_slack_delivers_it(chat: Chat) -> None:
    before = len(chat.house.rows())
    command = chat.fake.command("promote shop")
    for _ in range(2):
        chat.post(command)
        chat.work()
    assert "Started" in chat.told() and len(chat.house.rows()) == before + 1
    assert "by bo (slack)" in chat.house.texts("execution.started")[-1]


@pytest.mark.parametrize(
    ("text", "stage", "seconds", "reason"),
    [
        ("freeze shop Prod 2h the database moves", "Prod", 7_200, "the database moves"),
        ("freeze shop Prod moving", "Prod", None, "moving"),
        ("freeze shop 30m moving", "", 1_800, "moving"),
        ("freeze shop moving to Prod", "", None, "moving to Prod"),
    ],
)
def test_freeze_closes_what_it_says(
    chat: Chat, text: str, stage: str, seconds: int | None, reason: str
) -> None:
    now = chat.house._now()
    assert "is frozen until" in chat.say(text)
    with chat.house.database.read() as connection:
        [row] = gates.freezes(connection, now)
    assert (row.pipeline, row.stage, row.reason, row.frozen_by) == ("shop", stage, reason, "bo")
    assert row.until == (None if seconds is None else now + seconds)
