"""Source revisions become executions: pushed by events, and polled as the fallback. Once each, ever.

The same queue tells of deployments that ended; those wake whoever waits for them (pushes.py).

The dedupe key is pipeline, source action and revision: the same revision seen by an event and by a poll,
or by an event delivered twice, starts one execution.
"""

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from accounts.base import AccountError
from controlplane.actions.base import ActionError, EventFeed, Revision, SourceEvent, WorkEvent
from controlplane.declarations.model import ActionDeclaration
from controlplane.declarations.triggers import of
from controlplane.engine.commands import Commands, Moved
from controlplane.engine.pushes import Pushes
from controlplane.engine.refusals import CommandError, Person
from controlplane.engine.structures import Structures
from controlplane.engine.tasks import Key
from controlplane.engine.unread import Asked, may_follow, readable
from controlplane.engine.waiting import Waiting
from controlplane.store import pipelines
from controlplane.store.database import Database
from monitors.base import MonitorError

log = logging.getLogger(__name__)

SILENT = ("PollForSourceChanges", "DetectChanges")
"""Keys by which a source says that it is not to be asked by itself."""


class Sources:
    """Looks for new revisions of every pipeline's source actions."""

    def __init__(
        self,
        database: Database,
        structures: Structures,
        commands: Commands,
        drivers: Mapping[Key, Any],
        pushes: Pushes,
        waiting: Waiting | None = None,
    ) -> None:
        """waiting: keeps what is told of pipelines that cannot be read; None where nothing is kept."""
        self._database = database
        self._structures = structures
        self._commands = commands
        self._drivers = drivers
        self._pushes = pushes
        self._waiting = waiting
        self._settled: dict[tuple[str, str], str] = {}

    def poll(self) -> int:
        """Ask every source for its newest revision; how many executions began."""
        return sum(self._poll_one(pipeline, action) for pipeline, action in self._source_actions())

    def _poll_one(self, pipeline: str, action: ActionDeclaration) -> int:
        try:
            return self._accept(pipeline, action, self._latest(action), "schedule")
        except Exception:
            log.exception(
                "source %s of %s was not taken; the next poll tries", action.name, pipeline
            )
            return 0

    def take(self, feed: EventFeed) -> int:
        """Take the next events off the feed; each is done only after what follows is committed."""
        events = feed.receive()
        if events:
            sources = any(isinstance(event, SourceEvent) for event in events)
            known = self._source_actions() if sources else []
            taken = [event.receipt for event in events if self._take_one(known, event)]
            if taken:
                feed.done(taken)
        return len(events)

    def _take_one(
        self, known: Sequence[tuple[str, ActionDeclaration]], event: SourceEvent | WorkEvent
    ) -> bool:
        """False where it could not be taken: it stays in the queue, and holds up no other."""
        try:
            if isinstance(event, WorkEvent):
                self._pushes.take(event)
            else:
                self._start(known, event)
        except CommandError as error:
            log.warning("an event stays in its queue: %s", error)
            return False
        except Exception:
            log.exception("an event was not taken: %s", event)
            return False
        return True

    def _start(self, known: Sequence[tuple[str, ActionDeclaration]], event: SourceEvent) -> None:
        for pipeline, action in known:
            if _follows(action, event.provider, event.matches):
                self._accept(pipeline, action, event.revision, "event")
        self._keep(event)

    def look_again(self, pipeline: str, told: Mapping[str, Any]) -> None:
        """What was told of a source while its pipeline could not be read: what is newest there now starts.

        Not what was told: something newer may have started since, and nothing moves back. ActionError while
        it still cannot be read.
        """
        with self._database.read() as connection:
            row = pipelines.row(connection, pipeline)
            declared = None if row is None else readable(connection, self._structures, row)
        if isinstance(declared, str):
            raise ActionError(declared)
        try:
            for action in declared.stages[0].actions if declared is not None else ():
                if _follows(action, told["provider"], told["matches"]):
                    self._accept(pipeline, action, self._newest(action), "event")
        except (AccountError, CommandError, MonitorError) as error:
            raise ActionError(f"{pipeline} was not started: {error}") from error

    def _keep(self, event: SourceEvent) -> None:
        """Keep it for pipelines that cannot be read and may mean it."""
        words = [value for key, value in event.matches.items() if key != "Account"]
        asked = Asked(
            lambda action: _follows(action, event.provider, event.matches),
            words,
            next((key for key in event.matches if key != "Account"), ""),
        )
        unread: dict[str, str] = {}
        with self._database.read() as connection:
            for row in pipelines.all_(connection) if self._waiting is not None else ():
                why = readable(connection, self._structures, row)
                if isinstance(why, str) and may_follow(connection, self._structures, row, asked):
                    unread[row.name] = why
        if unread and self._waiting is not None:
            told = {"provider": event.provider, "matches": dict(event.matches)}
            text = json.dumps({"event": told}, sort_keys=True)
            self._waiting.keep(unread, f"what is new of {' '.join(words)}", text)

    def _source_actions(self) -> list[tuple[str, ActionDeclaration]]:
        with self._database.read() as connection:
            return [
                (row.name, action)
                for row in pipelines.all_(connection)
                for action in self._first_stage(connection, row)
            ]

    def _first_stage(self, connection: Connection, row: Any) -> Sequence[ActionDeclaration]:
        """Nothing where it cannot be read: that is said, and the other pipelines go on.

        A source with a trigger is started by that alone.
        """
        declared = readable(connection, self._structures, row)
        if isinstance(declared, str):
            log.error("the sources of a pipeline are not looked at: %s", declared)
            return ()
        actions = declared.stages[0].actions
        if not declared.triggers:
            return actions
        try:
            return [one for one in actions if of(declared.triggers, one.name) is None]
        except ValueError as error:  # stored by a version that did not check them
            log.error("the triggers of %s cannot be read: %s", row.name, error)  # noqa: TRY400
            return ()

    def _latest(self, action: ActionDeclaration) -> Revision | None:
        if any(action.configuration.get(key) == "false" for key in SILENT):
            return None
        try:
            return self._newest(action)
        except (MonitorError, AccountError) as error:
            log.warning("source %s could not be polled: %s", action.name, error)
            return None

    def _newest(self, action: ActionDeclaration) -> Revision | None:
        """Name the newest revision, whether the source is to be polled or not."""
        driver = self._drivers.get(action.driver)
        latest: Callable[..., Revision | None] | None = getattr(driver, "latest", None)
        if latest is None:
            return None
        account = action.configuration.get("Account", "")
        return latest(action.configuration, account, action.region or "")

    def _accept(
        self, pipeline: str, action: ActionDeclaration, revision: Revision | None, door: str
    ) -> int:
        if revision is None or self._settled.get((pipeline, action.name)) == revision.id:
            return 0
        self._commands.start(
            pipeline,
            Person(action.name, door),
            revisions={action.name: revision.id},
            dedupe=f"source:{pipeline}:{action.name}:{revision.id}",
            detail=revision.summary or revision.location,
            moved=Moved(action.name, revision.ref, revision.id, None) if revision.ref else None,
        )
        self._settled[pipeline, action.name] = revision.id
        return 1


def _follows(action: ActionDeclaration, provider: str, matches: Mapping[str, str]) -> bool:
    """Say whether a source event is about what an action follows."""
    wanted = action.configuration
    return action.action_type_id.provider == provider and all(
        wanted.get(key) == value for key, value in matches.items()
    )
