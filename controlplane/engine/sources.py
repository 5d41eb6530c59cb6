"""Source revisions become executions: pushed by events, and polled as the fallback. Once each, ever.

The same queue tells of deployments that ended; those wake whoever waits for them (pushes.py).

The dedupe key is pipeline, source action and revision: the same revision seen by an event and by a poll,
or by an event delivered twice, starts one execution.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from accounts.base import AccountError
from controlplane.actions.base import EventFeed, Revision, SourceEvent, WorkEvent
from controlplane.declarations.model import ActionDeclaration
from controlplane.declarations.triggers import of
from controlplane.engine.commands import Commands, Moved
from controlplane.engine.pushes import Pushes
from controlplane.engine.refusals import CommandError, Person
from controlplane.engine.structures import BrokenStructureError, Structures
from controlplane.engine.tasks import Key
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
    ) -> None:
        self._database = database
        self._structures = structures
        self._commands = commands
        self._drivers = drivers
        self._pushes = pushes
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
            wanted = action.configuration
            if action.action_type_id.provider == event.provider and all(
                wanted.get(key) == value for key, value in event.matches.items()
            ):
                self._accept(pipeline, action, event.revision, "event")

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
        try:
            declared = self._structures.pipeline(connection, row.name, row.version)
        except BrokenStructureError as error:
            log.error("the sources of a pipeline are not looked at: %s", error)  # noqa: TRY400
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
        driver = self._drivers.get(action.driver)
        latest: Callable[..., Revision | None] | None = getattr(driver, "latest", None)
        if latest is None or any(action.configuration.get(key) == "false" for key in SILENT):
            return None
        try:
            account = action.configuration.get("Account", "")
            return latest(action.configuration, account, action.region or "")
        except (MonitorError, AccountError) as error:
            log.warning("source %s could not be polled: %s", action.name, error)
            return None

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
