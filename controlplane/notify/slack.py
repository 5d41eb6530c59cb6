"""Slack: one message an execution, edited in place; what happened goes into its thread.

Configuration: Channel ("#releases" or an id); Mention: who is called besides by a page ("none", the default,
"here", "channel", a user's id, or a user group's id). By themselves are called those whom it concerns: the
approvers by an approval that opens, and whoever started a release by its going bad.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from slack_sdk.errors import SlackObjectFormationError

from controlplane.notify import slack_blocks
from controlplane.notify.base import Note, NotifyError
from controlplane.notify.message import cut
from controlplane.notify.slack_web import GoneError, Web

MENTIONS = {"here": "<!here>", "channel": "<!channel>", "none": ""}


ASKS = "approval.needed"
WENT_BAD = frozenset({"execution.failed", "rollback.failed", "person.paged"})
"""Kinds of events that call the approvers, and whoever started the release."""
MOST_CALLED = 20


@dataclass(frozen=True, slots=True)
class People:
    """Slack's users. approvers: ids of those who may approve. named: names here to ids there."""

    approvers: tuple[str, ...] = ()
    named: Mapping[str, str] = field(default_factory=dict)


class SlackNotifier:
    """Posts as a Slack app; the thread that it hands back is "channel id:ts"."""

    def __init__(self, token: str, url: str, people: People = People()) -> None:
        """Take the bot's token, the base of the Web API ("https://slack.com/api/"), and who may be called."""
        self._call = Web(token, url).call
        self._people = people

    def send(self, note: Note, configuration: Mapping[str, str], thread: str) -> str:
        """Edit the execution's message and reply in its thread; post it where there is none.

        The first send is one call, and an edit may be repeated: a retry posts nothing twice.
        """
        mention = self._called(note, configuration)
        channel, _, ts = thread.partition(":")
        try:
            if ts and self._edited(note, channel, ts):
                self._reply(note, mention, channel, ts)
                return thread
            return self._post(note, mention, configuration)
        except SlackObjectFormationError as error:
            message = f"The message does not fit into Slack's limits: {error}. Shorten its buttons."
            raise NotifyError(message, permanent=True) from None

    def draw(self, note: Note, thread: str) -> None:
        """Edit a message to how things stand, and tell nothing; NotifyError where that cannot be."""
        channel, _, ts = thread.partition(":")
        try:
            self._edited(note, channel, ts)
        except SlackObjectFormationError as error:
            raise NotifyError(str(error), permanent=True) from None

    def _called(self, note: Note, configuration: Mapping[str, str]) -> str:
        """Whom it concerns, and nobody else."""
        ids: tuple[str, ...] = ()
        if note.kind == ASKS:
            ids = self._people.approvers[:MOST_CALLED]
        elif note.kind in WENT_BAD and note.started_by in self._people.named:
            ids = (self._people.named[note.started_by],)
        said = _mention(configuration.get("Mention", "none")) if note.severity == "page" else ""
        return " ".join(dict.fromkeys([*([said] if said else []), *(f"<@{one}>" for one in ids)]))

    def _post(self, note: Note, mention: str, configuration: Mapping[str, str]) -> str:
        channel = configuration.get("Channel", "")
        if not channel:
            raise NotifyError("Slack needs a Channel; name one, as #releases.", permanent=True)
        answer = self._call(
            "chat.postMessage",
            channel=channel,
            blocks=slack_blocks.first(note, mention),
            **_common(note),
        )
        return f"{answer['channel']}:{answer['ts']}"

    def _edited(self, note: Note, channel: str, ts: str) -> bool:
        blocks = slack_blocks.edited(note)
        try:
            self._call("chat.update", channel=channel, ts=ts, blocks=blocks, **_common(note))
        except GoneError:
            return False
        return True

    def _reply(self, note: Note, mention: str, channel: str, ts: str) -> None:
        self._call(
            "chat.postMessage",
            channel=channel,
            thread_ts=ts,
            reply_broadcast=note.severity == "page",  # else a page would hide in the thread
            blocks=slack_blocks.details(note, mention),
            **_common(note, event=note.id),
        )


def _common(note: Note, **payload: str) -> dict[str, Any]:
    return {
        "text": slack_blocks.fallback(note),
        "parse": "none",  # chat.update would else guess at names in the text
        "unfurl_links": False,
        "unfurl_media": False,
        "metadata": {
            "event_type": "towpath_execution",
            "event_payload": {"execution": cut(note.execution, 256), **payload},
        },
    }


def _mention(who: str) -> str:
    if who in MENTIONS:
        return MENTIONS[who]
    if re.fullmatch(r"[UW][A-Z0-9]{1,30}", who):
        return f"<@{who}>"
    if re.fullmatch(r"S[A-Z0-9]{1,30}", who):
        return f"<!subteam^{who}>"
    message = f"Mention {cut(who, 40)!r} is not here, channel, none, or a user's or group's id."
    raise NotifyError(message, permanent=True)
