"""A message is drawn anew where one of its buttons was pressed: what is no longer a legal move goes away."""

import logging

from sqlalchemy.exc import SQLAlchemyError

from controlplane.notify.base import NotifyError
from controlplane.slack.desk import Desk
from controlplane.store import events

log = logging.getLogger(__name__)


def draw(desk: Desk, execution_id: str, thread: str) -> None:
    """Draw the message, where it is this execution's. Not vital: each event's delivery does so too."""
    try:
        with desk.door.database.read() as connection:
            if thread not in events.threads(connection, execution_id):
                return  # a button of what stands there, in another execution's message
            note = desk.notes.of(connection, execution_id)
        desk.notifier.draw(note, thread)
    except (NotifyError, SQLAlchemyError) as error:  # what was asked for is done, whatever is shown
        log.warning("a message in Slack shows buttons of before: %s", error)
