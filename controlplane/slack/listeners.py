"""Bolt's listeners, the same by HTTP and in Socket Mode: store durably, then acknowledge.

A press or a command is one insert with a unique key; a worker does it (`controlplane.slack.inbox`). Bolt has
nothing to do after the acknowledgement, so nothing can raise into it there: it would answer 404 three seconds
later although all is well. A window that is sent off is decided before it is acknowledged, for only that answer
can show a refusal in the window; the decision is one transaction, and the first one counts.
"""

import logging
import re
from collections.abc import Callable, Mapping
from typing import Any

from slack_bolt import Ack, App, BoltResponse
from slack_bolt.authorization import AuthorizeResult
from sqlalchemy.exc import SQLAlchemyError

from controlplane.engine.refusals import CommandError
from controlplane.notify import buttons
from controlplane.slack import payloads
from controlplane.slack.desk import Door
from controlplane.slack.gathering import Gathering
from controlplane.slack.moves import DECISIONS, decide
from controlplane.slack.people import NotAllowedError

log = logging.getLogger(__name__)

ANY = re.compile(r"^.")
BUSY = "Towpath's database does not answer just now; nothing was done. Send it again in a moment."


def make(door: Door, token: str) -> App:
    """The application; requests by HTTP are verified by the door in front of it, by our clock."""
    app = App(
        name="towpath",
        process_before_response=True,  # the answer is there when the listener returns
        request_verification_enabled=False,
        authorize=lambda: AuthorizeResult(enterprise_id=None, team_id=None, bot_token=token),
        logger=logging.getLogger("towpath.slack"),
    )
    # A link's press comes too; it asks for nothing.
    app.action({"type": "block_actions", "action_id": "open"})(lambda ack: ack())
    store = Gathering(door.database, door.now).store
    app.action({"type": "block_actions", "action_id": ANY})(
        _storing(store, "press", payloads.press)
    )
    app.command(ANY)(_storing(store, "command", payloads.command))
    app.view("decide")(_deciding(door))
    return app


def _storing(
    store: Callable[[str, str, str], bool],
    kind: str,
    read: Callable[[Mapping[str, Any]], tuple[str, payloads.Asked]],
) -> Callable[..., BoltResponse | None]:
    def listener(ack: Ack, body: dict[str, Any]) -> BoltResponse | None:
        try:
            key, asked = read(body)
        except payloads.UnreadableError as error:
            return BoltResponse(status=400, body=f"This is no {kind} that Towpath knows: {error}.")
        store(key, kind, asked.model_dump_json())
        ack()
        return None

    return listener


def _deciding(door: Door) -> Callable[..., BoltResponse | None]:
    def listener(ack: Ack, body: dict[str, Any]) -> BoltResponse | None:
        try:
            sent = payloads.submitted(body)
        except payloads.UnreadableError as error:
            return BoltResponse(status=400, body=f"This is no window of Towpath's: {error}.")
        refusal = _decided(door, sent)
        if refusal:
            ack(response_action="errors", errors={"comment": refusal})
        else:
            ack()
        return None

    return listener


def _decided(door: Door, sent: payloads.Submitted) -> str:
    """Decide; "" or why not, for whoever sent it."""
    try:
        asked = buttons.read(sent.metadata, door.secret)
        if asked.action not in DECISIONS:
            return "This window decides nothing: press the button again."
        decide(door, sent.user, asked, sent.comment)
    except (CommandError, NotAllowedError, ValueError) as error:
        return str(error)
    except SQLAlchemyError:
        log.exception("a decision from Slack could not be written; it was refused")
        return BUSY
    return ""
