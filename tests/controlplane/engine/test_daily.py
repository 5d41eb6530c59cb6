"""The digest of the day: once, of what happened, to whom it concerns."""

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta

import pytest
from sqlalchemy import select

from controlplane.declarations.model import Notification
from controlplane.engine.daily import Daily
from controlplane.engine.gate_commands import Scope
from controlplane.engine.notes import NoteMaker
from controlplane.notify.base import Note
from controlplane.notify.message import encoded, headline
from controlplane.notify.slack_blocks import first
from controlplane.store.tables import Event, Outbox, table
from tests.support.doors import asks_a_person
from tests.support.house import ANNE, House, action, deploying, pipeline, source

OUTBOX, EVENT = table(Outbox), table(Event)
EIGHT = time(8, 0)
TOPIC = "arn:aws:sns:eu-west-1:111111111111:towpath-"


def topic(name: str, *events: str, **more: str) -> Notification:
    wanted = {"TopicArn": f"{TOPIC}{name}", "Account": "tools", **more}
    return Notification(provider="SNS", configuration=wanted, events=events)


def apply(house: House, name: str, *told: Notification) -> None:
    declared = pipeline(source(), deploying("Prod", watched=False), name=name)
    house.apply(declared.model_copy(update={"notifications": told}))


def on_the_next_day_at(house: House, hour: int) -> None:
    now = house.clock()
    then = datetime(now.year, now.month, now.day, hour, tzinfo=UTC) + timedelta(days=1)
    house.clock.advance((then - now).total_seconds())


def daily(house: House, *, quiet_too: bool = False) -> Daily:
    return Daily(house.database, house.structures, house._now, EIGHT, quiet_too=quiet_too)


def told(house: House) -> Sequence[Note]:
    with house.database.read() as connection:
        wanted = select(EVENT.c.id).join(OUTBOX, OUTBOX.c.event_id == EVENT.c.id)
        ids = connection.execute(wanted.where(EVENT.c.kind == "day.told")).scalars().all()
        notes = NoteMaker(lambda *_: "", "secret", house.structures)
        return [notes.note(connection, id_, "SNS") for id_ in ids]


@pytest.fixture
def house(empty: House) -> House:
    apply(empty, "shop", topic("shop"))
    empty.start()
    empty.wait(20)
    return empty


def test_the_day_is_told_once_by_however_many_replicas(house: House) -> None:
    on_the_next_day_at(house, 8)
    assert daily(house).tell() == 1
    assert daily(house).tell() == 0, "another replica, or the same one after it was started again"
    house.clock.advance(3600)
    assert daily(house).tell() == 0
    (note,) = told(house)
    assert "Deployments: 1\n- shop · Prod: sha256:" in note.text
    assert (note.kind, note.title) == ("day.told", "the digest of the day")


def test_it_waits_for_its_time_and_makes_up_for_it_later(house: House) -> None:
    on_the_next_day_at(house, 7)
    assert daily(house).tell() == 0
    house.clock.advance(5 * 3600)
    assert daily(house).tell() == 1


def test_a_day_on_which_nothing_happened_is_told_only_where_it_is_asked_for(house: House) -> None:
    for _ in range(3):
        on_the_next_day_at(house, 9)
    assert daily(house).tell() == 0
    on_the_next_day_at(house, 9)
    assert daily(house, quiet_too=True).tell() == 1
    assert told(house)[0].text.endswith("\nNothing happened.")


def test_a_channel_hears_of_its_pipelines_and_stages_alone(house: House) -> None:
    apply(house, "other", topic("other"))
    apply(house, "elsewhere", topic("dev", Stages="Dev"))
    apply(house, "picky", topic("picky", "stage.failed"))
    for name in ("elsewhere", "picky"):
        house.start(name)
    house.wait(20)
    on_the_next_day_at(house, 8)
    assert daily(house).tell() == 1
    assert "elsewhere" not in told(house)[0].text


def test_pipelines_that_share_a_topic_are_told_together(house: House) -> None:
    apply(house, "other", topic("shop"))
    house.start("other")
    house.wait(20)
    on_the_next_day_at(house, 8)
    assert daily(house).tell() == 1
    assert "Deployments: 2\n" in told(house)[0].text


def test_what_waits_for_a_person_and_what_is_frozen_is_told(house: House) -> None:
    asks_a_person(house)
    gate = {"name": "Gate", "actions": [action("Ask", "Manual")]}
    declared = pipeline(source(), gate, deploying("Prod", watched=False))
    house.apply(declared.model_copy(update={"notifications": (topic("shop"),)}))
    waits = house.start()
    house.wait(5)
    house.commands.freeze(Scope("", "", "", None), ANNE, reason="a fair\nof ours")
    on_the_next_day_at(house, 8)
    assert daily(house).tell() == 1
    text = told(house)[0].text
    assert f"Approvals waiting: 1\n- shop · Gate: Ask of {waits}" in text
    assert "Freezes in force: 1\n- everything until it is lifted: a fair of ours" in text


def test_every_channel_can_say_what_is_about_no_pipeline(house: House) -> None:
    on_the_next_day_at(house, 8)
    daily(house).tell()
    (note,) = told(house)
    assert first(note, "") and encoded(note)
    assert headline(note) == "the digest of the day"


def test_without_a_time_no_day_is_told(house: House) -> None:
    on_the_next_day_at(house, 8)
    assert Daily(house.database, house.structures, house._now, None).tell() == 0
