"""From an event row to the Note that a notifier sends: how the execution stands now, and the legal moves."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection

from controlplane.engine.approval_evidence import gather
from controlplane.engine.approvals import APPROVED, terms_of, valid
from controlplane.engine.extending import mark, may_be_extended
from controlplane.engine.refusals import CommandError
from controlplane.engine.state_changes import changes
from controlplane.engine.structures import BrokenStructureError, Structures
from controlplane.engine.watching import WATCHED
from controlplane.journal import TOLD
from controlplane.notify.base import Button, Note, StageLine
from controlplane.notify.buttons import EXTENSION, sign
from controlplane.notify.message import cut
from controlplane.notify.notices import notice
from controlplane.notify.state_changes import CHANNEL
from controlplane.states import ActionStatus, StageStatus
from controlplane.store import approvals, events, executions, histories, ledger, queries

ROLLBACK_OFFERED = frozenset({StageStatus.IN_PROGRESS, StageStatus.BAKING})

PEOPLE, NAME = 20, 60
"""So many are named who approved, by so many characters each."""
DAY = "the digest of the day"


CONFIRMS = {
    "rollback": "Puts {stage} of {pipeline} back to its last known good release. {digest} goes bad: it is "
    "stopped, and held in quarantine.",
    "pass": "Ends the bake of {pipeline} in {stage} as passed, and lets {digest} go on.",
    "extend": "Has {stage} of {pipeline} go on for {minutes} minutes longer than it would. Its rules go on: a "
    "breach acts at once. It goes nowhere else before.",
    "hold": "Closes the way into {stage} of {pipeline} for every release, until somebody resumes it. What is "
    "in {stage} already goes on.",
    "resume": "Opens the way into {stage} of {pipeline}. Whatever waits in front of it enters at once.",
}
"""What a press does, for the question before it; what opens a window first asks there."""


class _Way(NamedTuple):
    """The stage that a way leads into."""

    stage: str


class _Bound(NamedTuple):
    """What a button is bound to, besides its execution and stage."""

    name: str
    token: str
    evidence: str = ""


@dataclass(frozen=True, slots=True)
class NoteMaker:
    """url_of: a pipeline's and an execution's page. secret: signs the buttons' values."""

    url_of: Callable[[str, str], str]
    secret: str
    structures: Structures = field(default_factory=Structures)

    def note(self, connection: Connection, event_id: int, channel: str = "") -> Note:
        """The note of an event; buttons and stage lines are as of now, not as of then.

        channel: whom it is for; where that is told state changes, they are in it.
        """
        return self._made(connection, events.event(connection, event_id), channel)

    def of(self, connection: Connection, execution_id: str) -> Note:
        """How an execution stands, told as the last thing that concerned people; KeyError where none did."""
        event = events.newest(connection, execution_id, TOLD)
        if event is None:
            raise KeyError(execution_id)
        return self._made(connection, event, "")

    def _made(self, connection: Connection, event: Any, channel: str) -> Note:
        execution = executions.by_id(connection, event.execution_id)
        stages = [] if execution is None else executions.of_execution(connection, execution.id)
        asking = _asking(connection, execution, stages)
        return Note(
            id=f"towpath-event-{event.id}",
            kind=event.kind,
            at=datetime.fromtimestamp(event.at, UTC),
            pipeline=event.pipeline,
            execution=event.execution_id,
            stage=event.stage,
            severity=TOLD.get(event.kind, "info"),
            title=title(event),
            text=event.text,
            digest="" if execution is None else execution.digest,
            status="" if execution is None else execution.status,
            url=self.url_of(event.pipeline, event.execution_id),
            lines=tuple(StageLine(s.stage, s.status, s.held or s.cause) for s in stages),
            buttons=self._buttons(connection, execution, stages, asking),
            votes=tuple(
                line
                for stage, row in asking
                for line in self._vote(connection, execution, stage.stage, row)
            ),
            changes=changes(connection, self.structures, event) if channel == CHANNEL else (),
            started_by=_starter(connection, execution),
            notice=_notice(connection, event, execution) if channel == "SNS" else "",
            accounts=self._accounts(connection, event, execution) if channel == "SNS" else (),
        )

    def _accounts(self, connection: Connection, event: Any, execution: Any) -> tuple[str, ...]:
        """The accounts that the event's stage acts in; () where it cannot be known."""
        if execution is None or not event.stage:
            return ()
        try:
            stages = self.structures.stages(connection, execution)
        except BrokenStructureError:
            return ()
        actions = [a for stage in stages if stage.name == event.stage for a in stage.actions]
        named = (action.configuration.get("Account", "") for action in actions)
        return tuple(dict.fromkeys(name for name in named if name))

    def _vote(self, connection: Connection, execution: Any, stage: str, row: Any) -> list[str]:
        """One line of an approval with a quorum, as it is known: what lapses is an event, and drawn anew."""
        try:
            terms = terms_of(connection, self.structures, execution, stage, row.name)
        except (CommandError, BrokenStructureError):
            return []  # whoever decides is told what is wrong with it
        kept = approvals.by_token(connection, row.token)
        if terms.quorum == 1 or kept is None:
            return []
        counted = valid(approvals.votes(connection, row.token), kept.evidence)
        people = [cut(one.person, NAME) for one in counted if one.verdict == APPROVED]
        named = ", ".join(people[:PEOPLE]) or "nobody yet"
        return [f"{row.name} in {stage}, approved by {len(people)} of {terms.quorum}: {named}"]

    def _buttons(
        self, connection: Connection, execution: Any, stages: Any, asking: Sequence[tuple[Any, Any]]
    ) -> tuple[Button, ...]:
        if execution is None:
            return ()
        if execution.ended_at is not None:
            return self._of_watch(connection, execution, stages)
        found: list[Button] = list(self._of_watch(connection, execution, stages))
        for stage, row in asking:
            seen = self._evidence(connection, execution, stage.stage)
            asks = _Bound(row.name, row.token, seen)
            found += [
                self._button("approve", "Approve", "primary", execution, stage, asks),
                self._button("reject", "Reject", "danger", execution, stage, asks),
            ]
        if stages:
            found += self._of_last(connection, execution, stages[-1])
        return tuple(found)

    def _of_last(self, connection: Connection, execution: Any, last: Any) -> list[Button]:
        """What may be done to the stage that it is in."""
        found: list[Button] = []
        if last.asked_at and last.status == StageStatus.BAKING:
            asked = _Bound("", last.id)  # of this attempt, and of no later one
            found.append(self._button("pass", "Pass", "primary", execution, last, asked))
        if last.status == StageStatus.BAKING:
            found += self._longer(execution, last)
        if last.since and last.status in ROLLBACK_OFFERED:
            found.append(self._button("rollback", "Roll back", "danger", execution, last, None))
        if execution.type != "ROLLBACK":
            found += self._of_way(connection, execution, last)
        return found

    def _longer(self, execution: Any, stage: Any) -> list[Button]:
        """Extend its bake, or its watch: as it stands now, and not once more by an old message."""
        if not may_be_extended(stage, execution):
            return []
        text = f"Extend {'bake' if stage.status == StageStatus.BAKING else 'watch'} {EXTENSION} min"
        bound = _Bound("", mark(stage))
        return [self._button("extend", text, "", execution, stage, bound)]

    def _evidence(self, connection: Connection, execution: Any, stage: str) -> str:
        """The hash of what there is to see; "" where the structure cannot be read."""
        try:
            return gather(connection, self.structures, execution, stage).hash
        except (KeyError, BrokenStructureError):
            return ""

    def _of_way(self, connection: Connection, execution: Any, last: Any) -> list[Button]:
        """Close the way on, or open it: into the stage that it waits for, or else the next one."""
        try:
            declared = self.structures.pipeline(connection, execution.pipeline, execution.version)
        except (KeyError, BrokenStructureError):
            return []
        names = [stage.name for stage in declared.stages]
        at = names.index(last.stage) if last.stage in names else len(names)
        way = names[at : at + 1] if last.status == StageStatus.INBOUND else names[at + 1 : at + 2]
        return [self._hold_or_resume(connection, execution, stage) for stage in way]

    def _hold_or_resume(self, connection: Connection, execution: Any, stage: str) -> Button:
        closed = ledger.transition(connection, execution.pipeline, stage)
        at = _Way(stage)
        if closed is None:
            return self._button("hold", f"Hold {stage}", "", execution, at, None)
        # Of this closing: a press of an old message opens no way that somebody closed since.
        bound = _Bound("", repr(closed.disabled_at))
        return self._button("resume", f"Resume {stage}", "", execution, at, bound)

    def _of_watch(self, connection: Connection, execution: Any, stages: Any) -> tuple[Button, ...]:
        """Roll back what stands where a stage is still watched: maybe another execution by now."""
        found: list[Button] = []
        for stage in stages:
            if stage.watch in WATCHED:
                there = queries.stands_in(connection, stage.pipeline, stage.stage)
                owner = executions.by_id(connection, there.execution_id) if there else None
                if owner is not None and owner.type != "ROLLBACK":
                    found.append(
                        self._button("rollback", "Roll back", "danger", owner, stage, None)
                    )
                found += self._longer(execution, stage)
        return tuple(found)

    def _button(
        self, action: str, text: str, style: str, execution: Any, stage: Any, bound: _Bound | None
    ) -> Button:
        to = bound or _Bound("", "")
        value = sign(action, execution.id, stage.stage, to.name, to.token, self.secret, to.evidence)
        confirm = CONFIRMS.get(action, "").format(
            pipeline=execution.pipeline,
            stage=stage.stage,
            digest=execution.digest[:19],
            minutes=EXTENSION,
        )
        return Button(action=action, text=text, value=value, style=style, confirm=confirm)


def _asking(connection: Connection, execution: Any, stages: Any) -> list[tuple[Any, Any]]:
    """The stages in which an approval is open, with its row."""
    if execution is None or execution.ended_at is not None:
        return []
    found = (
        (stage, queries.open_approval(connection, execution.id, stage.stage, ""))
        for stage in stages
        if stage.ended_at is None
    )
    return [(stage, row) for stage, row in found if row is not None and row.stage_id == stage.id]


def _starter(connection: Connection, execution: Any) -> str:
    """Who started it, or what it takes back: he is called where it goes bad."""
    if execution is not None and execution.rolls_back:
        execution = executions.by_id(connection, execution.rolls_back) or execution
    return "" if execution is None else str(json.loads(execution.trigger).get("by", ""))


def _notice(connection: Connection, event: Any, execution: Any) -> str:
    """The event type of CodePipeline's notification rules."""
    if execution is None:
        return ""
    if event.kind == "stage.entered":
        retried = histories.retries(connection, execution.id, event.id)
        return notice(event.kind, again=any(stage == event.stage for _, stage in retried))
    if event.kind == "approval.decided":
        rows = queries.actions_of_execution(connection, execution.id)
        status = [row.status for row in rows if row.name == event.action][-1:]
        return notice(event.kind, badly=status != [ActionStatus.SUCCEEDED])
    return notice(event.kind)


def title(event: Any) -> str:
    """One line: shop · Prod: rollback requested."""
    what = event.kind.replace(".", " ")
    if not event.pipeline:
        return DAY if event.kind == "day.told" else what
    return (
        f"{event.pipeline} · {event.stage}: {what}" if event.stage else f"{event.pipeline}: {what}"
    )
