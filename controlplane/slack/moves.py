"""A button's signed value becomes a command, in the name of whoever pressed.

The value is bound to one approval, one attempt or one closing of a way: an old message can not move anything
newer. What cannot be done raises CommandError or NotAllowedError with the reason.
"""

from collections.abc import Callable, Mapping
from typing import Any

from controlplane.engine import approvals
from controlplane.engine.extending import Extension
from controlplane.engine.refusals import CommandError, Person, Problem
from controlplane.notify.buttons import EXTENSION, Press
from controlplane.settings import SlackPerson
from controlplane.slack.desk import Door
from controlplane.slack.people import person
from controlplane.store import approvals as store_approvals
from controlplane.store import executions, ledger, queries
from controlplane.store.roles import Permission

NEEDS: Mapping[str, Permission] = {
    "approve": Permission.APPROVE,
    "reject": Permission.APPROVE,
    "pass": Permission.ROLL_BACK,
    "extend": Permission.ROLL_BACK,
    "rollback": Permission.ROLL_BACK,
    "hold": Permission.HOLD,
    "resume": Permission.HOLD,
}
"""What each button needs; the same as the REST door asks for."""

DECISIONS = frozenset({"approve", "reject"})
"""These open a window that takes a comment."""


def who(door: Door, user: str, asked: Press) -> tuple[Person, Any]:
    """Who pressed, where he may, and the execution that his button is of."""
    if asked.action not in NEEDS:
        raise CommandError(
            Problem.INVALID, f"there is no move {asked.action!r}: press a newer button"
        )
    with door.database.read() as connection:
        execution: Any = executions.by_id(connection, asked.execution)
    if execution is None:
        raise CommandError(Problem.UNKNOWN, f"there is no execution {asked.execution}")
    people: Mapping[str, SlackPerson] = door.people
    needed = NEEDS[asked.action]
    by = person(people, user, needed, execution.pipeline, asked.stage, door.goes)
    return by, execution


def move(door: Door, user: str, asked: Press) -> None:
    """Do what a button without a window asks for."""
    by, execution = who(door, user, asked)
    MOVES[asked.action](door, asked, by, str(execution.pipeline))


def decide(door: Door, user: str, asked: Press, comment: str) -> None:
    """Approve or reject, with the comment of the window."""
    by, _ = who(door, user, asked)
    if asked.action == "reject" and not comment.strip():
        raise CommandError(Problem.INVALID, "Say why: whoever started the release reads it.")
    word = approvals.Word(
        asked.stage,
        asked.action_name,
        asked.action == "approve",
        comment.strip(),
        asked.token,
        asked.evidence,
    )
    try:
        still_open(door, asked)
        door.commands.decide_approval(
            asked.execution,
            asked.stage,
            asked.action_name,
            by,
            approve=word.approve,
            summary=word.comment,
            token=asked.token,
            evidence=word.evidence,
        )
    except approvals.ChangedError:
        raise  # what he said counts no longer, though nobody has told him yet
    except CommandError:
        if not _has_said(door, by, word):
            raise


def _has_said(door: Door, by: Person, word: approvals.Word) -> bool:
    """Say whether these very words of his count already: his window did not hear that they were taken."""
    with door.database.read() as connection:
        votes = store_approvals.votes(connection, word.token)
    mine = (by.name, by.door, word.verdict, word.comment)
    return any(
        (one.person, one.door, one.verdict, one.comment) == mine
        for one in votes
        if one.void_at is None
    )


def still_open(door: Door, asked: Press) -> None:
    """CommandError where the approval of this button is decided or superseded."""
    with door.database.read() as connection:
        row = queries.open_approval(connection, asked.execution, asked.stage, asked.action_name)
    if row is None or row.token != asked.token:
        raise CommandError(
            Problem.CONFLICT,
            f"this approval of {asked.stage} is no longer open: it was decided or superseded",
        )


def _roll_back(door: Door, asked: Press, by: Person, pipeline: str) -> None:
    with door.database.read() as connection:
        inside = queries.stands_in(connection, pipeline, asked.stage)
    if inside is None or inside.execution_id != asked.execution:
        raise CommandError(
            Problem.CONFLICT,
            f"{asked.execution} is no longer in {asked.stage}: roll back in the console",
        )
    door.commands.rollback(pipeline, asked.stage, by, reason="asked for in Slack")


def _pass(door: Door, asked: Press, by: Person, _: str) -> None:
    with door.database.read() as connection:
        rows = executions.of_execution(connection, asked.execution)
    if asked.token not in {row.id for row in rows if row.stage == asked.stage and not row.ended_at}:
        raise CommandError(
            Problem.CONFLICT, f"nobody asks any more whether {asked.stage} may pass: it has ended"
        )
    door.commands.judge(asked.execution, asked.stage, by, passes=True, reason="judged in Slack")


def _extend(door: Door, asked: Press, by: Person, _: str) -> None:
    """asked.token: of the stage as it was drawn, so that two who press at once extend it once."""
    longer = Extension(EXTENSION, "extended in Slack", asked.token)
    door.commands.extend_bake(asked.execution, asked.stage, by, longer)


def _hold(door: Door, asked: Press, by: Person, pipeline: str) -> None:
    with door.database.read() as connection:
        closed = ledger.transition(connection, pipeline, asked.stage)
        execution = executions.by_id(connection, asked.execution)
    if closed is not None:
        said = f"the way into {asked.stage} is closed already, by {closed.disabled_by}: {closed.reason}"
        raise CommandError(Problem.CONFLICT, said)
    if execution is None or execution.ended_at is not None:
        said = f"{asked.execution} has ended: close the way into {asked.stage} in the console"
        raise CommandError(Problem.CONFLICT, said)
    door.commands.disable_transition(pipeline, asked.stage, by, reason="held in Slack")


def _resume(door: Door, asked: Press, by: Person, pipeline: str) -> None:
    with door.database.read() as connection:
        closed = ledger.transition(connection, pipeline, asked.stage)
    if closed is None:
        raise CommandError(Problem.CONFLICT, f"the way into {asked.stage} is open already")
    if asked.token != repr(closed.disabled_at):
        said = (
            f"the way into {asked.stage} was closed anew by {closed.disabled_by}: {closed.reason}"
        )
        raise CommandError(Problem.CONFLICT, said)
    door.commands.enable_transition(pipeline, asked.stage, by, reason="resumed in Slack")


MOVES: Mapping[str, Callable[[Door, Press, Person, str], None]] = {
    "rollback": _roll_back,
    "pass": _pass,
    "extend": _extend,
    "hold": _hold,
    "resume": _resume,
}
