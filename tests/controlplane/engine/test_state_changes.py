"""Rules that were made for CodePipeline's events match ours, and the bodies are CodePipeline's."""

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws
from sqlalchemy import select

from controlplane.declarations.model import Notification
from controlplane.engine.commands import Moved
from controlplane.engine.delivery import Delivery
from controlplane.engine.notes import NoteMaker
from controlplane.engine.refusals import Person
from controlplane.notify.base import Note, NotifyError
from controlplane.notify.eventbridge import EventBridgeNotifier
from controlplane.sandbox.scripted import after, succeed
from controlplane.store.tables import Event, Outbox, table
from monitors.base import Outcome, Progress, Task
from tests.support.clients import StubClients
from tests.support.house import ANNE, House, action, pipeline, source

SAMPLES = Path("../shared/data/aws-events/codepipeline")
CHANNEL = Notification(
    provider="EventBridge", configuration={"Account": "tools", "Region": "eu-west-1"}
)
LEVELS = [
    f"CodePipeline {level} Execution State Change" for level in ("Pipeline", "Stage", "Action")
]
BROKEN = after(0, Outcome.FAILED, "exit 1")
Detail = Mapping[str, Any]


@pytest.fixture
def bus() -> Iterator[Callable[[Mapping[str, Any]], Callable[[], list[dict[str, Any]]]]]:
    """Make a rule of a pattern; what is answered reads the queue behind it."""
    with mock_aws():
        events = boto3.client("events", region_name="eu-west-1")
        sqs = boto3.client("sqs", region_name="eu-west-1")

        def rule(pattern: Mapping[str, Any]) -> Callable[[], list[dict[str, Any]]]:
            url = sqs.create_queue(QueueName="heard")["QueueUrl"]
            arn = "arn:aws:sqs:eu-west-1:123456789012:heard"
            events.put_rule(Name="existing", EventPattern=json.dumps(pattern))
            events.put_targets(Rule="existing", Targets=[{"Id": "1", "Arn": arn}])

            def heard() -> list[dict[str, Any]]:
                found: list[dict[str, Any]] = []
                while batch := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get(
                    "Messages"
                ):
                    found += [json.loads(one["Body"]) for one in batch]
                    for one in batch:
                        sqs.delete_message(QueueUrl=url, ReceiptHandle=one["ReceiptHandle"])
                return found

            return heard

        yield rule


def told(house: House, *stages: dict[str, Any]) -> None:
    declared = pipeline(
        source(), *(stages or ({"name": "Prod", "actions": [action("Go", "NoOp")]},))
    )
    house.apply(declared.model_copy(update={"notifications": (CHANNEL,)}))


def deliver(house: House, notifier: Any = None) -> None:
    if notifier is None:
        events = boto3.client("events", region_name="eu-west-1")
        notifier = EventBridgeNotifier(StubClients(events=events))
    notes = NoteMaker(lambda *_: "", "secret", house.structures)
    delivery = Delivery(
        house.database, {"EventBridge": notifier}, notes, lambda: house.clock().timestamp()
    )
    while delivery.turn():
        pass


class Kept:
    """A channel that takes many at once. refuses: ids of notes, once each."""

    at_once = 10

    def __init__(self, *refuses: str) -> None:
        self.details: list[Detail] = []
        self.calls: list[list[str]] = []
        self.refuses = set(refuses)

    def send(self, note: Note, configuration: Mapping[str, str], thread: str) -> str:
        raise NotImplementedError

    def send_many(self, notes: list[Note], _: Mapping[str, str]) -> list[NotifyError | None]:
        self.calls.append([note.execution for note in notes])
        found: list[NotifyError | None] = []
        for note in notes:
            if note.execution in self.refuses:
                self.refuses.remove(note.execution)
                found.append(NotifyError("InternalFailure"))
            else:
                self.details += [{**one.detail, "type_": one.detail_type} for one in note.changes]
                found.append(None)
        return found


def states(channel: Kept, execution: str) -> list[str]:
    """Level and state of everything that was told of an execution, in order."""
    mine = [one for one in channel.details if one["execution-id"] == execution]
    return [f"{one['type_'].split()[1]} {one['state']}" for one in mine]


def test_a_rule_that_exists_matches_and_is_given_codepipelines_own_body(
    empty: House, bus: Callable[[Detail], Callable[[], list[dict[str, Any]]]]
) -> None:
    # The pattern of the user guide, but for the source.
    heard = bus(
        {
            "source": ["aws.codepipeline", "towpath.codepipeline"],
            "detail-type": ["CodePipeline Action Execution State Change"],
            "detail": {"state": ["SUCCEEDED"], "type": {"category": ["Source"]}},
        }
    )
    told(empty)
    execution = empty.start()
    deliver(empty)
    [body] = heard()
    [sample] = [json.loads(path.read_text()) for path in SAMPLES.glob("*L505.json")]
    whose = {"account"}  # moto alone does not say whose bus it is, the sandbox's does
    assert set(sample) - whose == set(body) - whose
    assert set(sample["detail"]) - {"output-artifacts"} <= set(body["detail"])
    assert body["resources"] == ["arn:aws:codepipeline:eu-west-1:000000000000:shop"]
    assert (body["detail"]["execution-id"], body["detail"]["action"]) == (execution, "Upload")
    assert body["detail"]["type"] == {**sample["detail"]["type"], "provider": "S3"}


def test_every_field_of_the_real_events_is_in_ours_of_the_same_kind(empty: House) -> None:
    """Failed, stopped and succeeded executions together have all that the samples have."""
    channel = Kept()
    told(empty)
    empty.start()
    empty.drivers["NoOp"].default = BROKEN
    empty.start()
    deliver(empty, channel)
    ours: dict[tuple[str, str], set[str]] = {}
    for one in channel.details:
        ours.setdefault((one["type_"], one["state"]), set()).update(one)
    compared = 0
    for path in SAMPLES.glob("*.json"):
        sample = json.loads(path.read_text())
        found = ours.get((sample["detail-type"], sample["detail"]["state"]))
        if found is None:
            continue
        assert set(sample["detail"]) - {"output-artifacts"} <= found, path.name
        compared += 1
    assert compared >= 6


def test_states_come_in_order_and_an_action_that_ends_at_once_has_started_too(empty: House) -> None:
    channel = Kept()
    told(empty)
    execution = empty.start()
    deliver(empty, channel)
    stage = ["Stage STARTED", "Action STARTED", "Action SUCCEEDED", "Stage SUCCEEDED"]
    assert states(channel, execution) == ["Pipeline STARTED", *stage, *stage, "Pipeline SUCCEEDED"]
    ids = [one["towpath-event-id"] for one in channel.details]
    assert len(set(ids)) == len(ids)


def test_a_retry_is_a_second_attempt(empty: House) -> None:
    channel = Kept()
    told(empty)
    empty.drivers["NoOp"].default = BROKEN
    execution = empty.start()
    empty.drivers["NoOp"].default = succeed
    empty.commands.retry(execution, "Prod", ANNE, all_actions=True)
    empty.settle()
    deliver(empty, channel)
    resumed = [one for one in channel.details if one["state"] == "RESUMED"]
    assert [one["type_"] for one in resumed] == LEVELS[:2]
    assert [one["pipeline-execution-attempt"] for one in resumed] == [2.0, 2.0]
    assert "stage-last-retry-attempt-time" in resumed[1]
    assert channel.details[0]["pipeline-execution-attempt"] == 1.0
    assert states(channel, execution)[-1] == "Pipeline SUCCEEDED"


def test_an_entry_that_is_refused_is_tried_again_and_no_other_is(empty: House) -> None:
    told(empty)
    good, bad = empty.start(), empty.start()
    channel = Kept(bad)
    deliver(empty, channel)
    assert states(channel, good)[-1] == "Pipeline SUCCEEDED"
    assert states(channel, bad) == [], "nothing overtakes what failed"
    empty.clock.advance(1)
    deliver(empty, channel)
    assert states(channel, bad) == states(channel, good)
    assert channel.calls[0] == [good, bad], "what concerns several executions goes by one call"


def outgoing(house: House, provider: str) -> set[str]:
    outbox, event = table(Outbox), table(Event)
    wanted = select(event.c.kind).join(outbox, outbox.c.event_id == event.c.id)
    with house.database.read() as connection:
        return set(connection.execute(wanted.where(outbox.c.provider == provider)).scalars())


def test_people_are_not_told_of_what_only_machines_want(empty: House) -> None:
    slack = Notification(provider="Slack", configuration={"Channel": "#releases"})
    declared = pipeline(source(), {"name": "Prod", "actions": [action("Go", "NoOp")]})
    empty.apply(declared.model_copy(update={"notifications": (CHANNEL, slack)}))
    empty.start()
    empty.commands.disable_transition("shop", "Prod", ANNE, reason="freeze")
    people, machines = outgoing(empty, "Slack"), outgoing(empty, "EventBridge")
    assert people == {
        "execution.started", "stage.succeeded", "execution.succeeded", "transition.disabled",
    }  # fmt: skip
    assert "action.succeeded" in machines
    assert "transition.disabled" not in machines


def test_a_stop_tells_its_reason(empty: House) -> None:
    channel = Kept()
    told(empty, {"name": "Prod", "actions": [action("Sign", "Manual")]})
    execution = empty.start()
    empty.commands.disable_transition("shop", "Prod", ANNE, reason="freeze")
    waiting = empty.start()
    empty.commands.stop(waiting, ANNE, abandon=False, reason="an update")
    deliver(empty, channel)
    assert states(channel, waiting)[-2:] == ["Pipeline STOPPING", "Pipeline STOPPED"]
    [stopping] = [one for one in channel.details if one["state"] == "STOPPING"]
    assert "an update" in stopping["stop-execution-comments"]
    assert execution != waiting


def test_what_a_git_host_started_names_its_commit(empty: House) -> None:
    channel = Kept()
    told(empty)

    def brought(task: Task, _: int) -> Progress:
        assert task.configuration["TriggerRef"] == "refs/heads/main"
        said = {"CommitId": task.configuration["RevisionId"], "BranchName": "main"}
        return Progress(Outcome.SUCCEEDED, handle="c0ffee", output=said)

    empty.drivers["S3"].default = brought
    moved = Moved("Upload", "refs/heads/main", "c0ffee", "")
    person, pinned = Person("Upload", "git"), {"Upload": "c0ffee"}
    empty.commands.start("shop", person, revisions=pinned, detail="arn:connection", moved=moved)
    empty.settle()
    deliver(empty, channel)
    first, last = channel.details[0], channel.details[-1]
    trigger = {"trigger-type": "WebhookV2", "trigger-detail": "arn:connection"}
    assert first["execution-trigger"] == trigger
    assert last["execution-trigger"] == {"commit-id": "c0ffee", "branch-name": "main"}
