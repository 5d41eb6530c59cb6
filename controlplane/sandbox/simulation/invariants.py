"""What holds after every step, whatever vendors, people, crashes and clocks do. One literal table.

Each check answers with a sentence for everything that is wrong; what holds once all is quiet is in
`rest`.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType

from controlplane.sandbox.simulation.mirror import Seen
from controlplane.sandbox.simulation.witness import Move, Told
from controlplane.states import (
    ActionStatus,
    ExecutionStatus,
    IllegalMoveError,
    StageStatus,
    check,
    is_over,
)

ROUNDS = 5
"""So often a row of rollback's lane may be passed over while somebody could have claimed it."""

KINDS = {
    "execution": ExecutionStatus,
    "stage": StageStatus,
    "action": ActionStatus,
    "rule": ActionStatus,
    "watch": ActionStatus,
    "gate": ActionStatus,
    "failure": ActionStatus,
    "proof": ActionStatus,
    "abandoned": ActionStatus,
}

Check = Callable[[Seen], Iterator[str]]


def every_move_is_legal(seen: Seen) -> Iterator[str]:
    """What is over stays over, and no state is skipped."""
    for move in seen.moves:
        if move.old:
            kind = KINDS[move.kind]
            try:
                check(kind(move.old), kind(move.new))
            except IllegalMoveError as error:
                yield f"{move.kind} {move.row}: {error}"


def every_move_has_its_event(seen: Seen) -> Iterator[str]:
    """And every event its move: nothing happens untold, and nothing is told that did not happen."""
    moved = Counter(key for move in seen.moves if (key := _event_of(move, seen)))
    told = Counter(key for event in seen.events if (key := _told(event)))
    for key in moved - told:
        yield f"{key} happened and has no event"
    for key in told - moved:
        yield f"{key} was told and did not happen"


TELLING = frozenset(
    {
        *(f"execution.{word}" for word in ("stopped", "succeeded", "superseded", "failed")),
        *(f"stage.{word.lower()}" for word in StageStatus if word != "Inbound"),
        *(
            f"{kind}.{word}"
            for kind in ("action", "rule", "watch", "gate", "failure", "proof", "abandoned")
            for word in ("started", "succeeded", "failed", "abandoned")
        ),
        "execution.started", "rollback.requested", "stage.entered", "stage.retried",
    }
)  # fmt: skip
"""The events that tell a move."""


def _told(event: Told) -> tuple[str, ...]:
    if event.kind not in TELLING:
        return ()
    whole = event.kind.startswith("execution.") or event.kind == "rollback.requested"
    return (event.kind, event.execution, "" if whole else event.stage, event.action)


def _event_of(move: Move, seen: Seen) -> tuple[str, ...]:
    """The event that must tell a move; none where the move is only an intent, or a row that waits."""
    if move.kind == "execution":
        kind = _of_execution(move)
        return (kind, move.execution, "", "") if kind else ()
    if move.kind == "stage" and not move.old and int(move.row.rsplit(":", 1)[1]) > 1:
        return ("stage.retried", move.execution, move.name, "")
    if move.kind == "stage":
        entered = move.old == "Inbound" and move.new == "InProgress"
        kind = f"stage.{'entered' if entered else move.new.lower()}"
        return (kind, move.execution, move.name, "") if move.old else ()
    if not move.old or move.new == "Starting":
        return ()
    kind = f"{move.kind}.{'started' if move.new == 'InProgress' else move.new.lower()}"
    return (kind, move.execution, seen.mirror.stages[move.place].name, move.name)


def _of_execution(move: Move) -> str:
    if not move.old:
        return "rollback.requested" if move.name == "ROLLBACK" else "execution.started"
    # A person who tries it again is told of by the stage's new attempt.
    return "" if move.new == "InProgress" else f"execution.{move.new.lower()}"


def every_event_reached_its_outbox(seen: Seen) -> Iterator[str]:
    """What people are told of has an outbox row for each place that wants it, from its first moment."""
    for event in seen.events:
        if event.outbox != seen.wanted(event):
            wanted = seen.wanted(event)
            yield f"event {event.id} {event.kind} has {event.outbox} outbox rows, not {wanted}"


def one_execution_at_a_time_in_a_stage(seen: Seen) -> Iterator[str]:
    """Unless the pipeline says PARALLEL."""
    inside = Counter(
        (stage.place, stage.name)
        for stage in seen.mirror.inside.values()
        if seen.modes[stage.place] != "PARALLEL"
    )
    for (pipeline, stage), count in inside.items():
        if count > 1:
            yield f"{count} executions are in stage {stage} of {pipeline}"


def what_is_over_has_nothing_under_way(seen: Seen) -> Iterator[str]:
    """No row of an execution that is over is due, but those that follow what was abandoned."""
    for row in seen.due:
        if row.kind == "abandoned":
            continue
        status = seen.mirror.executions[row.execution].new
        if is_over(ExecutionStatus(status)):
            yield f"{row.name} of {row.execution} is due, but that is {status}"


def nothing_is_begun_for_what_is_over(seen: Seen) -> Iterator[str]:
    """Nobody deploys for an execution that was stopped, abandoned, or ended otherwise."""
    for call in seen.calls:
        if call.over:
            yield f"{call.deployment} was begun for {call.execution}, which is over"


def the_intent_is_on_record_before_the_call(seen: Seen) -> Iterator[str]:
    """Whoever calls has said so first, in a committed row."""
    for call in seen.calls:
        if not call.known:
            yield f"{call.deployment} was begun under {call.token}, which nobody has on record"
        elif call.status != "Starting":
            yield f"{call.deployment} was begun under {call.token}, which was {call.status}"


def nothing_starts_twice_under_one_token(seen: Seen) -> Iterator[str]:
    """Read from the vendor's own record."""
    for call in seen.calls:
        if call.twin:
            yield f"{call.deployment} is not the first deployment under {call.token}"


def only_what_passed_the_stage_before_is_deployed(seen: Seen) -> Iterator[str]:
    """No stage is skipped; a rollback goes back, and needs no pass."""
    for call in seen.calls:
        if call.known and call.kind != "ROLLBACK" and not call.passed:
            yield f"{call.deployment} was begun, but the stage before had not succeeded"


def the_digest_is_the_one_that_was_tested(seen: Seen) -> Iterator[str]:
    """Every stage deploys the bytes of its execution."""
    for call in seen.calls:
        if call.known and call.kind != "ROLLBACK" and call.digest != call.about:
            yield f"{call.deployment} deploys {call.digest}, its execution is about {call.about}"


def no_silence_is_taken_for_health(seen: Seen) -> Iterator[str]:
    """A bake ends well only after its time, on PASS, and on a good answer that was given since."""
    for bake in seen.bakes:
        if bake.verdict != "PASS":
            yield f"{bake.stage} succeeded, but {bake.rule} says {bake.verdict or 'nothing'}"
        elif bake.ended < bake.until:
            yield f"{bake.stage} baked {bake.until - bake.ended:.0f} s less than {bake.rule} wants"
        elif bake.answered_well < bake.until:
            early = bake.until - bake.answered_well
            yield f"{bake.stage} succeeded, but {bake.rule} was well {early:.0f} s before that only"


def rollback_is_never_starved(seen: Seen) -> Iterator[str]:
    """A row of rollback's lane is claimed within a few rounds of whoever lives."""
    if not seen.served:
        return
    waits = seen.mirror.waits
    overdue = {row.id: row for row in seen.due if row.lane == 0 and row.due_at < seen.now - 1}
    for gone in waits.keys() - overdue.keys():
        del waits[gone]
    for row in overdue.values():
        fence, rounds = waits.get(row.id, (row.fence, 0))
        waits[row.id] = (row.fence, rounds + 1 if fence == row.fence else 1)
        if waits[row.id][1] > ROUNDS:
            late = seen.now - row.due_at
            yield f"{row.name} of {row.execution} has been due for {late:.0f} s and is not claimed"


def nothing_is_lost_in_the_log(seen: Seen) -> Iterator[str]:
    """The product says itself, in its log, that an outcome or a row cannot be handled."""
    yield from seen.lost


INVARIANTS: Mapping[str, Check] = MappingProxyType(
    {
        check_.__name__.replace("_", " "): check_
        for check_ in (
            every_move_is_legal,
            every_move_has_its_event,
            every_event_reached_its_outbox,
            one_execution_at_a_time_in_a_stage,
            what_is_over_has_nothing_under_way,
            nothing_is_begun_for_what_is_over,
            the_intent_is_on_record_before_the_call,
            nothing_starts_twice_under_one_token,
            only_what_passed_the_stage_before_is_deployed,
            the_digest_is_the_one_that_was_tested,
            no_silence_is_taken_for_health,
            rollback_is_never_starved,
            nothing_is_lost_in_the_log,
        )
    }
)


def broken(seen: Seen) -> Iterator[tuple[str, str]]:
    """Every invariant that does not hold, and what is wrong."""
    for name, check_ in INVARIANTS.items():
        for what in check_(seen):
            yield name, what
