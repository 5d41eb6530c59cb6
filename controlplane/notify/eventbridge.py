"""Amazon EventBridge: state changes as CodePipeline tells them, so that rules which exist go on matching.

Configuration: EventBusName (a name or an ARN; "default"); Source ("towpath.codepipeline": AWS keeps
`aws.` for itself); Account: the registered account whose deploy role puts the events; Region.
https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError

from accounts.base import AccountError, Clients, Scope
from accounts.errors import is_passing
from accounts.models import Purpose
from controlplane.notify.base import Note, NotifyError
from controlplane.notify.message import MAX_NAME, cut
from controlplane.notify.state_changes import arn

SOURCE = "towpath.codepipeline"
MOST = 10
MOST_BYTES = 256 * 1024
"""Entries of one call, and how much they may be in all."""
TIME_BYTES = 14
"""What AWS counts for an entry's Time.
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html#eb-putevent-size
"""
PASSING = frozenset({"InternalFailure", "InternalException", "ThrottlingException", "Throttled"})
"""An entry's ErrorCode that another try may help against."""
MENDS = {
    "ResourceNotFoundException": "Create the bus, or correct EventBusName and Region.",
    "AccessDeniedException": "Allow events:PutEvents on the bus to the account's deploy role.",
    "NotAuthorizedForSourceException": "Correct Source: AWS takes no other's, and none of its own.",
}
Entry = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Place:
    bus: str
    bus_arn: str
    account: str
    region: str
    source: str


class EventBridgeNotifier:
    """Puts events on a bus. Has no thread."""

    at_once = MOST
    """So many notes are given to `send_many`."""

    def __init__(self, clients: Clients) -> None:
        """Take the clients that act in accounts."""
        self._clients = clients

    def send(
        self,
        note: Note,
        configuration: Mapping[str, str],
        thread: str,  # noqa: ARG002 the contract's; this channel has none
    ) -> str:
        """Put the note's events; answers no thread."""
        for error in self.send_many([note], configuration):
            if error is not None:
                raise error
        return ""

    def send_many(
        self, notes: Sequence[Note], configuration: Mapping[str, str]
    ) -> list[NotifyError | None]:
        """Put the events of several notes; answers for each what went wrong, None where nothing did.

        A note is told once every event of it was taken. What EventBridge took before stays with it, and
        is put again with the next try.
        """
        try:
            place = self._place(configuration)
            scope = Scope(resources=(place.bus_arn,))
            # It changes something outside, so it is not for the role that only watches.
            client = self._clients.client(
                "events", place.account, place.region, Purpose.DEPLOY, scope
            )
        except AccountError as error:
            told = NotifyError(str(error), permanent=error.permanent, retry_after=error.retry_after)
            return [told for _ in notes]
        except NotifyError as error:
            return [error for _ in notes]
        except BotoCoreError as error:
            return [_unreached(configuration, error) for _ in notes]
        errors: list[NotifyError | None] = [None for _ in notes]
        for batch in _batches(notes, place):
            for number, problem in _put(client, place, batch):
                errors[number] = problem
        return errors

    def _place(self, configuration: Mapping[str, str]) -> _Place:
        bus = configuration.get("EventBusName") or "default"
        source = configuration.get("Source") or SOURCE
        account, region = configuration.get("Account", ""), configuration.get("Region", "")
        if source.startswith("aws."):
            message = "AWS keeps Sources that begin with aws. for itself. Correct Source."
            raise NotifyError(message, permanent=True)
        if not account:
            message = "EventBridge needs an Account: name the registered account that puts events."
            raise NotifyError(message, permanent=True)
        found = re.fullmatch(r"arn:(aws[a-z-]*):events:([a-z0-9-]+):\d{12}:event-bus/(.+)", bus)
        if found is not None:
            return _Place(bus, bus, account, region or found[2], source)
        if not region:
            message = "EventBridge needs the Region of the bus. Correct Region."
            raise NotifyError(message, permanent=True)
        known = self._clients.registry.get(account)
        partition = known.roles.deploy.split(":")[1]
        bus_arn = f"arn:{partition}:events:{region}:{known.id}:event-bus/{bus}"
        return _Place(bus, bus_arn, account, region, source)


def _entries(notes: Sequence[Note], place: _Place) -> Iterator[tuple[int, Entry]]:
    for number, note in enumerate(notes):
        for change in note.changes:
            yield (
                number,
                {
                    "Time": note.at,
                    "Source": place.source,
                    "DetailType": change.detail_type,
                    "Detail": json.dumps(dict(change.detail), separators=(",", ":")),
                    "Resources": [arn(place.region, cut(note.pipeline, MAX_NAME))],
                    "EventBusName": place.bus,
                },
            )


def _batches(notes: Sequence[Note], place: _Place) -> Iterator[list[tuple[int, Entry]]]:
    """In order; as many as one call takes."""
    batch: list[tuple[int, Entry]] = []
    filled = 0
    for number, entry in _entries(notes, place):
        bytes_ = size(entry)
        if batch and (len(batch) == MOST or filled + bytes_ > MOST_BYTES):
            yield batch
            batch, filled = [], 0
        batch.append((number, entry))
        filled += bytes_
    if batch:
        yield batch


def size(entry: Entry) -> int:
    """Count an entry as AWS does."""
    texts = (entry["Source"], entry["DetailType"], entry["Detail"], *entry["Resources"])
    return TIME_BYTES + sum(len(text.encode()) for text in texts)


def _put(
    client: Any, place: _Place, batch: Sequence[tuple[int, Entry]]
) -> Iterator[tuple[int, NotifyError]]:
    """Put one call's entries; yields those that were not taken, and why."""
    try:
        answer = client.put_events(Entries=[entry for _, entry in batch])
    except ClientError as error:
        told = _refused(place, error)
        yield from ((number, told) for number, _ in batch)
        return
    except ParamValidationError:
        message = f"EventBridge can not take the event for {place.bus}. Correct EventBusName."
        yield from ((number, NotifyError(message, permanent=True)) for number, _ in batch)
        return
    except AccountError as error:  # our own throttle and breaker speak as botocore's errors too
        told = NotifyError(str(error), permanent=error.permanent, retry_after=error.retry_after)
        yield from ((number, told) for number, _ in batch)
        return
    except BotoCoreError as error:
        told = _unreached({"Region": place.region}, error)
        yield from ((number, told) for number, _ in batch)
        return
    if not answer.get("FailedEntryCount"):
        return
    for (number, _), result in zip(batch, answer["Entries"], strict=True):
        if result.get("ErrorCode"):
            yield number, _told(place, result["ErrorCode"], result.get("ErrorMessage", ""))


def _refused(place: _Place, refusal: ClientError) -> NotifyError:
    error: Mapping[str, Any] = refusal.response.get("Error", {})
    if is_passing(refusal):
        return NotifyError(f"EventBridge could not take events now: {error.get('Code')}.")
    return _told(place, str(error.get("Code", "unknown")), str(error.get("Message", "")))


def _told(place: _Place, code: str, said: str) -> NotifyError:
    if code in PASSING:
        return NotifyError(f"EventBridge could not take the event for {place.bus} now: {code}.")
    mend = MENDS.get(code, "Correct what it names.")
    message = f"EventBridge refused the event for {place.bus}: {code} ({cut(said, 300)}). {mend}"
    return NotifyError(message, permanent=True)


def _unreached(configuration: Mapping[str, str], error: BotoCoreError) -> NotifyError:
    region, kind = configuration.get("Region", ""), type(error).__name__
    return NotifyError(f"EventBridge in {region} can not be reached ({kind}).")
