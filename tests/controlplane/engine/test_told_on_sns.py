"""What a topic is told, and the attributes that a filter policy asks for."""

from collections.abc import Mapping
from pathlib import Path

from controlplane.declarations.model import Notification
from controlplane.engine.delivery import Delivery
from controlplane.engine.notes import NoteMaker
from controlplane.notify.base import Note
from tests.support.house import House, deploying, pipeline, source

ARN = "arn:aws:sns:eu-west-1:111111111111:towpath-prod"


class Topic:
    """Keeps what it was sent."""

    def __init__(self) -> None:
        self.sent: list[Note] = []

    def send(self, note: Note, configuration: Mapping[str, str], thread: str) -> str:
        assert configuration["TopicArn"] == ARN and not thread
        self.sent.append(note)
        return ""


def told(folder: Path, *events: str, **more: str) -> list[Note]:
    """What an execution through Dev and Prod tells a topic."""
    house, topic = House(folder), Topic()
    wanted = {"TopicArn": ARN, "Account": "tools", **more}
    one = Notification(provider="SNS", configuration=wanted, events=events)
    declared = pipeline(source(), deploying("Dev", watched=False), deploying("Prod", watched=False))
    house.apply(declared.model_copy(update={"notifications": (one,)}))
    house.start()
    house.wait(20)
    notes = NoteMaker(lambda *_: "", "secret", house.structures)
    delivery = Delivery(house.database, {"SNS": topic}, notes, house._now)
    while delivery.turn():
        pass
    return topic.sent


def test_a_topic_of_one_environment_is_told_of_its_stage_alone(tmp_path: Path) -> None:
    assert {(n.kind, n.stage) for n in told(tmp_path, Stages="Prod")} == {
        ("stage.succeeded", "Prod")
    }


def test_codepipelines_own_events_go_out_where_they_are_named(tmp_path: Path) -> None:
    found = told(tmp_path, "action.succeeded", "stage.entered", Stages="Prod, Dev")
    assert {n.notice for n in found} == {
        "codepipeline-pipeline-action-execution-succeeded",
        "codepipeline-pipeline-stage-execution-started",
    }


def test_without_a_list_only_what_concerns_people_goes_out(tmp_path: Path) -> None:
    kinds = {n.kind for n in told(tmp_path)}
    assert "stage.entered" not in kinds and "execution.succeeded" in kinds


def test_a_note_says_the_accounts_of_its_stage(tmp_path: Path) -> None:
    accounts = {n.stage: n.accounts for n in told(tmp_path)}
    assert accounts[""] == () and accounts["Prod"] == ("prod",)
