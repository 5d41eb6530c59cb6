"""Slack: one message an execution, edited in place; what happened goes into its thread.

Configuration: Channel ("#releases" or an id); Mention: who is called by a page ("here", the
default, "channel", a user's id, a user group's id, or "none").
"""

import http.client
import re
from collections.abc import Mapping
from typing import Any

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackObjectFormationError
from slack_sdk.web import SlackResponse

from controlplane.notify import slack_blocks
from controlplane.notify.base import Note, NotifyError
from controlplane.notify.message import cut

TIMEOUT = 5  # seconds

GONE = {"message_not_found", "cant_update_message", "edit_window_closed"}
"""The message can not be edited any more: a new one is posted."""

TEMPORARY = {
    "ratelimited",
    "internal_error",
    "fatal_error",
    "service_unavailable",
    "request_timeout",
    "team_added_to_org",
}

MENDS = {
    "not_authed": "Set the bot's token (xoxb-…) in the settings.",
    "invalid_auth": "Set a valid bot's token (xoxb-…) in the settings.",
    "account_inactive": "Install the Slack app again and set its new token.",
    "token_revoked": "Install the Slack app again and set its new token.",
    "token_expired": "Set a new bot's token in the settings.",
    "missing_scope": "Give the Slack app the scope chat:write and install it again.",
    "channel_not_found": "Correct Channel, and for a private channel invite the app to it.",
    "not_in_channel": "Invite the app to the channel, or give it the scope chat:write.public.",
    "is_archived": "Take the channel out of the archive, or name another one.",
    "restricted_action": "Ask the workspace's administrators to let apps post in this channel.",
}
"""What helps against the errors of https://docs.slack.dev/reference/methods/chat.postMessage."""

MENTIONS = {"here": "<!here>", "channel": "<!channel>", "none": ""}


class SlackNotifier:
    """Posts as a Slack app; the thread that it hands back is "channel id:ts"."""

    def __init__(self, token: str, url: str) -> None:
        """Take the bot's token, and the base of the Web API ("https://slack.com/api/")."""
        # No retry handlers: the outbox owns retries, and the default ones sleep.
        self._client = WebClient(token=token, base_url=url, timeout=TIMEOUT, retry_handlers=[])

    def send(self, note: Note, configuration: Mapping[str, str], thread: str) -> str:
        """Edit the execution's message and reply in its thread; post it where there is none.

        The first send is one call, and an edit may be repeated: a retry posts nothing twice.
        """
        mention = _mention(configuration.get("Mention", "here")) if note.severity == "page" else ""
        channel, _, ts = thread.partition(":")
        try:
            if ts and self._edited(note, channel, ts):
                self._reply(note, mention, channel, ts)
                return thread
            return self._post(note, mention, configuration)
        except SlackObjectFormationError as error:
            message = f"The message does not fit into Slack's limits: {error}. Shorten its buttons."
            raise NotifyError(message, permanent=True) from None

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
        except _GoneError:
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

    def _call(self, method: str, **arguments: Any) -> SlackResponse:
        if not re.fullmatch(r"[!-~]+", self._client.token or ""):
            # The client would log it whole as an invalid header.
            message = "Slack's token is missing, or has a blank in it. Set it in the settings."
            raise NotifyError(message, permanent=True)
        try:
            return self._client.api_call(method, json=arguments)
        except SlackApiError as error:
            raise _told(method, error.response) from None
        except (OSError, http.client.HTTPException, ValueError) as error:
            kind = type(error).__name__
            raise NotifyError(f"Slack can not be reached ({kind}); trying again.") from None


class _GoneError(NotifyError):
    """The message to edit is not there."""


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


def _told(method: str, response: Any) -> NotifyError:
    status = int(response.status_code)
    code = response.data.get("error", "") if isinstance(response.data, dict) else ""
    if status == http.client.TOO_MANY_REQUESTS or code == "ratelimited":
        after = str(response.headers.get("Retry-After", ""))
        return NotifyError(
            "Slack asks us to slow down; trying again later.",
            retry_after=float(after) if re.fullmatch(r"[0-9]{1,6}", after) else None,
        )
    if status >= http.client.INTERNAL_SERVER_ERROR or code in TEMPORARY:
        return NotifyError(
            f"Slack has a fault of its own ({status} {cut(code, 40)}); trying again."
        )
    if not re.fullmatch(r"[a-z_]{1,80}", str(code)):
        return NotifyError(f"What answered {method} with {status} was not Slack; trying again.")
    if code in GONE:
        return _GoneError(
            f"Slack no longer lets {method} edit the message: {code}.", permanent=True
        )
    mend = MENDS.get(code, f"See https://docs.slack.dev/reference/methods/{method} for it.")
    return NotifyError(f"Slack refused {method}: {code}. {mend}", permanent=True)
