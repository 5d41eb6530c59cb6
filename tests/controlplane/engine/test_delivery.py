"""The outbox: in order, at least once, never lost, given up only where trying again cannot help."""

from collections.abc import Mapping
from typing import Any

import pytest
from sqlalchemy import delete, select

from controlplane.declarations.model import Notification
from controlplane.engine.delivery import GIVE_UP_AFTER, IDLE, PAUSES, Delivery
from controlplane.engine.notes import NoteMaker
from controlplane.notify.base import Note, NotifyError
from controlplane.sandbox.scripted import judging
from controlplane.store.tables import Event, Outbox, table
from monitors.base import Verdict
from tests.support.house import ANNE, House, deploying, pipeline, source

OUTBOX, EVENT = table(Outbox), table(Event)


class Channel:
    """Keeps what it was sent; fails as told."""

    def __init__(self) -> None:
        self.sent: list[tuple[Note, str]] = []
        self.fails: list[NotifyError] = []

    def send(self, note: Note, configuration: Mapping[str, str], thread: str) -> str:
        assert configuration == {"Channel": "#releases"}
        if self.fails:
            raise self.fails.pop(0)
        self.sent.append((note, thread))
        return "C1:1.1"


@pytest.fixture
def house(empty: House) -> House:
    house = empty
    told = Notification(provider="Slack", configuration={"Channel": "#releases"})
    declared = pipeline(source(), deploying("Prod"))
    house.apply(declared.model_copy(update={"notifications": (told,)}))
    return house


def delivery(house: House, channel: Channel) -> Delivery:
    notes = NoteMaker(lambda pipeline, _execution: f"http://towpath/{pipeline}", "secret")
    return Delivery(house.database, {"Slack": channel}, notes, lambda: house.clock().timestamp())


def statuses(house: House) -> list[str]:
    with house.database.read() as connection:
        return list(connection.execute(select(OUTBOX.c.status).order_by(OUTBOX.c.id)).scalars())


def test_events_of_one_execution_reach_one_place_in_order_and_in_one_thread(house: House) -> None:
    channel = Channel()
    house.start()
    house.wait(20)
    while delivery(house, channel).turn():
        pass
    kinds = [note.kind for note, _ in channel.sent]
    assert kinds == [
        "execution.started",
        "stage.succeeded",
        "stage.succeeded",
        "execution.succeeded",
    ]
    assert [thread for _, thread in channel.sent] == ["", "C1:1.1", "C1:1.1", "C1:1.1"]


def test_what_waited_for_longer_than_its_lease_is_given_back_unsent(house: House) -> None:
    channel, ticks = Channel(), iter([0.0, 31.0])
    house.start()
    late = delivery(house, channel)
    late.tick = lambda: next(ticks)
    assert late.turn() == 1
    assert channel.sent == [], "another replica may have sent it"
    assert delivery(house, channel).turn() == 1
    assert [note.kind for note, _ in channel.sent] == ["execution.started"]


def test_what_fails_is_tried_again_and_nothing_overtakes_it(house: House) -> None:
    channel = Channel()
    channel.fails = [NotifyError("503")]
    house.start()
    house.wait(20)
    delivery(house, channel).turn()
    assert channel.sent == []
    house.clock.advance(1)
    while delivery(house, channel).turn():
        pass
    assert channel.sent[0][0].kind == "execution.started"


def test_what_waits_behind_a_place_that_fails_costs_nothing_meanwhile(house: House) -> None:
    channel = Channel()
    channel.fails = [NotifyError("503", retry_after=60)]
    house.start()
    house.wait(20)
    waiting = delivery(house, channel)
    waiting.turn()
    assert waiting._nap() == IDLE


def test_what_concerns_no_execution_is_a_message_of_its_own(house: House) -> None:
    channel = Channel()
    for reason in ("freeze", "again"):
        house.commands.disable_transition("shop", "Prod", ANNE, reason=reason)
        house.commands.enable_transition("shop", "Prod", ANNE, reason="over")
    while delivery(house, channel).turn():
        pass
    assert [thread for _, thread in channel.sent] == ["", "", "", ""]


def test_a_note_that_cannot_be_made_holds_up_its_own_execution_alone(house: House) -> None:
    channel = Channel()
    house.start()
    house.commands.disable_transition("shop", "Prod", ANNE, reason="freeze")
    with house.database.begin() as connection:
        connection.execute(delete(EVENT).where(EVENT.c.kind == "execution.started"))
    delivery(house, channel).turn()
    assert [note.kind for note, _ in channel.sent] == ["transition.disabled"]
    assert statuses(house)[0] == "PENDING"


def test_a_note_that_can_never_be_made_is_given_up_as_any_other(house: House) -> None:
    house.start()
    house.wait(20)
    with house.database.begin() as connection:
        first = select(OUTBOX.c.event_id).order_by(OUTBOX.c.id).limit(1).scalar_subquery()
        connection.execute(delete(EVENT).where(EVENT.c.id == first))
    sender = delivery(house, Channel())
    for _ in range(20):
        sender.turn()
        house.clock.advance(PAUSES[-1])
    assert statuses(house)[0] == "PENDING"
    for _ in range(int(GIVE_UP_AFTER / PAUSES[-1])):
        sender.turn()
        house.clock.advance(PAUSES[-1])
    assert set(statuses(house)) == {"DEAD", "SENT"}


def test_a_permanent_refusal_is_kept_for_people_and_lets_the_next_pass(house: House) -> None:
    channel = Channel()
    channel.fails = [NotifyError("channel_not_found", permanent=True)]
    house.start()
    while delivery(house, channel).turn():
        pass
    assert statuses(house)[:2] == ["DEAD", "SENT"]


def test_a_delivery_killed_between_claim_and_send_loses_nothing(house: House) -> None:
    channel = Channel()
    house.start()
    channel.send = lambda *_: (_ for _ in ()).throw(KeyboardInterrupt)  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        delivery(house, channel).turn()
    house.clock.advance(31)
    again = Channel()
    while delivery(house, again).turn():
        pass
    assert again.sent[0][0].kind == "execution.started"


def test_a_note_offers_the_legal_moves_and_no_others(house: House) -> None:
    channel = Channel()
    house.start()
    delivery(house, channel).turn()
    offered = [button.action for button in channel.sent[0][0].buttons]
    assert offered == ["extend", "rollback"]
    house.wait(30)
    while delivery(house, channel).turn():
        pass
    assert channel.sent[-1][0].buttons == ()


def test_the_same_event_makes_the_same_note_id(house: House) -> None:
    channel = Channel()
    house.commands.disable_transition("shop", "Prod", ANNE, reason="freeze")
    delivery(house, channel).turn()
    assert channel.sent[0][0].id.startswith("towpath-event-")


def buttons_of_the_last_note(house: House, stage: dict[str, Any], seconds: int) -> list[str]:
    channel = Channel()
    told = Notification(provider="Slack", configuration={"Channel": "#releases"})
    declared = pipeline(source(), stage)
    house.apply(declared.model_copy(update={"notifications": (told,)}))
    house.start()
    house.wait(seconds)
    while delivery(house, channel).turn():
        pass
    return [button.action for button in channel.sent[-1][0].buttons]


def test_a_bake_that_asks_offers_both_answers(house: House) -> None:
    house.drivers["CloudWatchAlarm"].default = judging(Verdict.INCONCLUSIVE)
    asks = deploying("Prod", ExtendUpTo="5s")
    assert buttons_of_the_last_note(house, asks, 20) == ["pass", "extend", "rollback"]


def test_what_is_watched_can_be_rolled_back_from_its_last_note(house: House) -> None:
    offered = buttons_of_the_last_note(house, deploying("Prod", Watch="1h"), 15)
    assert offered == ["rollback", "extend"]
