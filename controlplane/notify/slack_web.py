"""Calls of Slack's Web API: one try each, and what went wrong in words that help."""

import http.client
import re
from typing import Any
from urllib.parse import urlsplit

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.web import SlackResponse
from slack_sdk.webhook import WebhookClient

from controlplane.notify.base import NotifyError
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
    "expired_trigger_id": "More than three seconds passed since the press: press again.",
    "exchanged_trigger_id": "The press has opened its window already: press again.",
}
"""What helps against the errors of https://docs.slack.dev/reference/methods/chat.postMessage."""

HOOKS = "hooks.slack.com"
"""Where Slack has the addresses that it wants answers at."""


class GoneError(NotifyError):
    """The message to edit is not there."""


class Web:
    """A Slack app's calls. Never sleeps: whoever calls owns the retries."""

    def __init__(self, token: str, url: str) -> None:
        """Take the bot's token, and the base of the Web API ("https://slack.com/api/")."""
        # No retry handlers: the outbox owns retries, and the default ones sleep.
        self._client = WebClient(token=token, base_url=url, timeout=TIMEOUT, retry_handlers=[])
        base = urlsplit(url)
        self._hooks = {("https", HOOKS), (base.scheme, base.netloc)}

    def call(self, method: str, **arguments: Any) -> SlackResponse:
        """Call a method once; NotifyError says what is wrong, and whether trying again helps."""
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

    def whisper(self, user: str, channel: str, response_url: str, text: str) -> None:
        """Tell one person, and nobody else sees it; NotifyError as of `call`. text is shown as it is.

        An address that is none of Slack's is left alone: he is told in the channel, and still alone sees it.
        """
        if self._is_slacks(response_url):
            self._respond(response_url, escaped(text))
        elif channel:
            self.call("chat.postEphemeral", channel=channel, user=user, text=escaped(text))

    def _is_slacks(self, url: str) -> bool:
        try:
            parts = urlsplit(url)
        except ValueError:
            return False
        return (parts.scheme, parts.netloc) in self._hooks

    def _respond(self, url: str, text: str) -> None:
        hook = WebhookClient(url, timeout=TIMEOUT, retry_handlers=[])
        try:
            answer = hook.send(text=text, response_type="ephemeral", replace_original=False)
        except (OSError, http.client.HTTPException, ValueError) as error:
            kind = type(error).__name__
            raise NotifyError(f"Slack can not be reached ({kind}); trying again.") from None
        if answer.status_code != http.client.OK:
            raise _refused_hook(answer.status_code, answer.headers)


def escaped(text: str) -> str:
    """Slack reads <...> and & as markup."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _refused_hook(status: int, headers: Any) -> NotifyError:
    if status == http.client.TOO_MANY_REQUESTS:
        return _slow(headers)
    permanent = status < http.client.INTERNAL_SERVER_ERROR
    return NotifyError(
        f"Slack did not take the answer to a person ({status}).", permanent=permanent
    )


def _slow(headers: Any) -> NotifyError:
    named = {str(name).lower(): value for name, value in dict(headers).items()}
    after = str(named.get("retry-after", ""))
    return NotifyError(
        "Slack asks us to slow down; trying again later.",
        retry_after=float(after) if re.fullmatch(r"[0-9]{1,6}", after) else None,
    )


def _told(method: str, response: Any) -> NotifyError:
    status = int(response.status_code)
    code = response.data.get("error", "") if isinstance(response.data, dict) else ""
    if status == http.client.TOO_MANY_REQUESTS or code == "ratelimited":
        return _slow(response.headers)
    if status >= http.client.INTERNAL_SERVER_ERROR or code in TEMPORARY:
        return NotifyError(
            f"Slack has a fault of its own ({status} {cut(code, 40)}); trying again."
        )
    if not re.fullmatch(r"[a-z_]{1,80}", str(code)):
        return NotifyError(f"What answered {method} with {status} was not Slack; trying again.")
    if code in GONE:
        return GoneError(f"Slack no longer lets {method} edit the message: {code}.", permanent=True)
    mend = MENDS.get(code, f"See https://docs.slack.dev/reference/methods/{method} for it.")
    return NotifyError(f"Slack refused {method}: {code}. {mend}", permanent=True)
