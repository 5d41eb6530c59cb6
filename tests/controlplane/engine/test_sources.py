"""Revisions become executions once each, and one bad source or event holds up no other."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from controlplane.actions.base import Revision, SourceEvent
from controlplane.engine.pushes import Pushes
from controlplane.engine.refusals import CommandError, Problem
from controlplane.engine.sources import Sources
from controlplane.sandbox.scripted import Scripted, source_of
from tests.support.house import GOOD, KEYS, House, action, pipeline, source


class Bucket(Scripted):
    """A source with one newest revision for all; some cannot be asked."""

    def latest(self, configuration: Mapping[str, str], _account: str, _region: str) -> Revision:
        if configuration.get("S3Bucket") == "broken":
            raise KeyError("VersionId")
        return Revision("v1", "s3://bucket/key")


class Feed:
    """A queue with these events; keeps what is done."""

    def __init__(self, *events: SourceEvent) -> None:
        self.events, self.finished = events, list[str]()

    def receive(self) -> Sequence[SourceEvent]:
        return self.events

    def done(self, receipts: Sequence[str]) -> None:
        self.finished += receipts


@pytest.fixture
def house(empty: House) -> House:
    house = empty
    for name in ("a", "b"):
        sources = source()
        sources["actions"][0]["configuration"] = {"S3Bucket": "broken" if name == "a" else name}
        test = {"name": "Test", "actions": [action("Check", "NoOp")]}
        house.apply(pipeline(sources, test, name=name))
    return house


def sources(house: House, commands: Any = None) -> Sources:
    drivers = {KEYS["S3"]: Bucket(source_of(GOOD))}
    pushes = Pushes(house.database, house.structures, house._now)
    return Sources(house.database, house.structures, commands or house.commands, drivers, pushes)


def arrived(bucket: str) -> SourceEvent:
    return SourceEvent("S3", {"S3Bucket": bucket}, Revision("v2", "s3://b/k"), f"receipt-{bucket}")


def test_a_source_that_cannot_be_asked_holds_up_no_other(house: House) -> None:
    assert sources(house).poll() == 1
    assert [len(house.rows(name)) for name in ("a", "b")] == [0, 1]


def test_a_revision_that_was_taken_is_taken_once(house: House) -> None:
    feed = Feed(arrived("b"), arrived("b"))
    sources(house).take(feed)
    sources(house).take(feed)
    assert len(house.rows("b")) == 1


class Refusing:
    """Commands of which those for one pipeline cannot be done today."""

    def __init__(self, house: House) -> None:
        self.house = house

    def start(self, name: str, *given: Any, **more: Any) -> str:
        if name == "a":
            raise CommandError(Problem.CONFLICT, "not today")
        return self.house.commands.start(name, *given, **more)


def test_an_event_that_cannot_be_taken_stays_in_the_queue_alone(house: House) -> None:
    feed = Feed(arrived("broken"), arrived("b"))
    sources(house, Refusing(house)).take(feed)
    assert len(house.rows("b")) == 1
    assert feed.finished == ["receipt-b"]
