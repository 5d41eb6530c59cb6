"""Approvals: who may say what, whose word counts, and what follows. Every door's words end here.

A word is a vote of one person, bound to one attempt of one approval and to the evidence of that moment. The
last Approved of the quorum answers the action, and so does one Rejected. A vote on other evidence than there
is now counts no longer, whether that was told or not: each decision looks at the evidence itself.
"""

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection

from controlplane.declarations.approval_keys import ApprovalTerms, approval_terms
from controlplane.declarations.model import ActionDeclaration
from controlplane.engine.approval_evidence import Evidence, gather
from controlplane.engine.refusals import CommandError, Person, Problem
from controlplane.engine.structures import Structures
from controlplane.engine.transaction import Transaction
from controlplane.store import actions, approvals, queries

LONGEST = 512
"""Characters of a comment, as at CodePipeline."""
APPROVED, REJECTED = "Approved", "Rejected"
AUTHORS = ("AuthorDisplayName", "AuthorEmail", "AuthorId")
"""Output variables of a source that name who wrote what it released."""
CHANGED = "what you saw has changed since: look at it again, and decide then"


class RefusedError(CommandError):
    """Somebody wanted to decide who may not decide this: that is kept in the audit log."""


class ChangedError(RefusedError):
    """What somebody decided on is not what there is now."""


class Word(NamedTuple):
    """What a person says. token: of the attempt that is meant; evidence: of what he saw; "" for any."""

    stage: str
    action: str
    approve: bool
    comment: str
    token: str = ""
    evidence: str = ""

    @property
    def verdict(self) -> str:
        """As it is stored."""
        return APPROVED if self.approve else REJECTED


def open_row(connection: Connection, execution_id: str, word: Word) -> Any:
    """The attempt that waits for this word; CommandError where none does."""
    row = queries.open_approval(connection, execution_id, word.stage, word.action)
    if row is None or word.token not in ("", row.token):
        raise CommandError(
            Problem.CONFLICT,
            f"no approval {word.action or ''} is open in stage {word.stage} of {execution_id}: "
            "it was decided, superseded, or has not begun",
        )
    if row.answer:
        raise CommandError(Problem.CONFLICT, f"{row.name} was decided already")
    return row


def terms_of(
    connection: Connection, structures: Structures, execution: Any, stage: str, action: str
) -> ApprovalTerms:
    """What an approval of an execution asks for; CommandError where that cannot be read."""
    declared = next(
        (
            one.by_name.get(("action", action))
            for one in structures.stages(connection, execution)
            if one.name == stage
        ),
        None,
    )
    if (
        not isinstance(declared, ActionDeclaration)
        or declared.action_type_id.category != "Approval"
    ):
        raise CommandError(Problem.CONFLICT, f"{action} of {stage} is no approval")
    try:
        return approval_terms(declared.configuration)
    except ValueError as error:
        said = f"{error}: stop the execution, mend the pipeline and start again"
        raise CommandError(Problem.CONFLICT, said) from error


def decide(tx: Transaction, execution: Any, by: Person, word: Word) -> None:
    """Take a person's word; it answers the approval where it is the last one needed."""
    row = open_row(tx.connection, execution.id, word)
    asked = terms_of(tx.connection, tx.structures, execution, word.stage, row.name)
    seen = gather(tx.connection, tx.structures, execution, word.stage)
    _check_word(asked, word)
    _check_person(tx.connection, execution, asked, by, word)
    if word.evidence not in ("", seen.hash):
        raise ChangedError(Problem.CONFLICT, CHANGED)
    _see(tx, execution, word.stage, row, seen)
    counted = valid(approvals.votes(tx.connection, row.token), seen.hash)
    _check_first(counted, by, word)
    _keep(tx, row, by, word, seen)
    approved = [one.person for one in counted if one.verdict == APPROVED]
    if word.approve and len(approved) + 1 < asked.quorum:
        said = f"{_said(by, word)} ({len(approved) + 1} of {asked.quorum})"
        tx.fact("approval.voted", execution, stage=word.stage, action=row.name, text=said)
        return
    _answer(tx, execution, row, by, word, [*approved, by.name] if word.approve else [by.name])


def valid(votes: Sequence[Any], evidence: str) -> list[Any]:
    """The votes that count: on this evidence, and not void."""
    return [one for one in votes if one.void_at is None and one.evidence == evidence]


def opened(tx: Transaction, execution: Any, stage: str, row: Any) -> None:
    """An approval opens: from now on there is something to see and to vote on."""
    if approvals.by_token(tx.connection, row.token) is None:
        seen = gather(tx.connection, tx.structures, execution, stage)
        _open(tx, stage, row, seen)


def waits(tx: Transaction, execution: Any, stage: str, row: Any) -> None:
    """Somebody looks while it waits: votes on what has changed since lapse, and people are reminded."""
    asked = terms_of(tx.connection, tx.structures, execution, stage, row.name)
    kept = approvals.by_token(tx.connection, row.token)
    if kept is None or not asked.waits or row.answer:
        return
    if approvals.votes(tx.connection, row.token):
        _see(tx, execution, stage, row, gather(tx.connection, tx.structures, execution, stage))
    due = asked.remind and tx.now >= kept.reminded_at + asked.remind
    if due and approvals.remind(tx.connection, row.token, kept.reminded_at, tx.now):
        hours = (tx.now - kept.opened_at) / 3600
        said = f"{row.name} has waited for {hours:.1f} h"
        tx.fact("approval.reminded", execution, stage=stage, action=row.name, text=said)


def authors(connection: Connection, execution: Any) -> list[tuple[str, str]]:
    """Who started an execution, and who wrote what it releases: name and, where known, token.

    He who is nobody's name is nobody: the engine and its events start executions, too.
    """
    trigger = json.loads(execution.trigger)
    found = [(str(trigger.get("by", "")), str(trigger.get("as", "")))]
    for row in queries.actions_of_execution(connection, execution.id):
        output = json.loads(row.output) if "Author" in row.output else {}
        found += [(str(output[key]), "") for key in AUTHORS if output.get(key)]
    return [one for one in found if one != ("", "")]


def is_author(connection: Connection, execution: Any, by: Person) -> bool:
    """Whether this person started it or wrote what it releases."""
    return any(by.is_one_with(name, token) for name, token in authors(connection, execution))


def why_not(
    connection: Connection,
    execution: Any,
    asked: ApprovalTerms,
    by: Person,
    *,
    approve: bool = True,
) -> str:
    """Why this person's word does not count here; "" where it does. Anybody may reject his own."""
    if not asked.counts(by.name, by.groups):
        wanted = ", ".join([*asked.names, *(f"group {one}" for one in asked.groups)])
        return f"{by.name} is not among those whose approval counts here: ask one of {wanted}"
    if approve and not asked.author and is_author(connection, execution, by):
        return (
            f"{by.name} started this execution or wrote what it releases, and so may not approve it: "
            "another person must (AuthorMayApprove)"
        )
    return ""


# --- inside -------------------------------------------------------------------------------------


def _check_word(asked: ApprovalTerms, word: Word) -> None:
    if len(word.comment) > LONGEST:
        said = f"the comment has {len(word.comment)} characters: {LONGEST} at most, say it shorter"
        raise CommandError(Problem.INVALID, said)
    if asked.comment and not word.comment.strip():
        said = "this approval needs a comment: say in a few words why (RequireComment)"
        raise CommandError(Problem.INVALID, said)


def _check_person(
    connection: Connection, execution: Any, asked: ApprovalTerms, by: Person, word: Word
) -> None:
    why = why_not(connection, execution, asked, by, approve=word.approve)
    if why:
        raise RefusedError(Problem.CONFLICT, why)


def _check_first(counted: Sequence[Any], by: Person, word: Word) -> None:
    """One person counts once; who has approved may still reject."""
    for one in counted:
        if by.is_one_with(one.person, one.person_as) and one.verdict == word.verdict:
            also = "" if one.person == by.name else f" (as {one.person}, who is the same person)"
            said = (
                f"{by.name} has approved this already{also}: it counts once, another must approve"
            )
            raise CommandError(Problem.CONFLICT, said)


def _see(tx: Transaction, execution: Any, stage: str, row: Any, seen: Evidence) -> None:
    """Note what there is to see now; what was said of anything else lapses, and that is told."""
    kept = approvals.by_token(tx.connection, row.token)
    if kept is None:
        _open(tx, stage, row, seen)
        return
    if kept.evidence == seen.hash:
        return
    approvals.see(tx.connection, row.token, kept.evidence, seen.hash)
    lapsed = approvals.void(tx.connection, row.token, seen.hash, tx.now)
    if lapsed:
        said = f"what {row.name} is about has changed: {lapsed} earlier approval(s) no longer count"
        tx.fact("approval.invalidated", execution, stage=stage, action=row.name, text=said)


def _open(tx: Transaction, stage: str, row: Any, seen: Evidence) -> None:
    approvals.add(
        tx.connection,
        {
            "token": row.token,
            "execution_id": row.execution_id,
            "stage": stage,
            "action": row.name,
            "evidence": seen.hash,
            "opened_at": tx.now,
            "reminded_at": tx.now,
        },
    )


def _keep(tx: Transaction, row: Any, by: Person, word: Word, seen: Evidence) -> None:
    approvals.add_vote(
        tx.connection,
        {
            "token": row.token,
            "execution_id": row.execution_id,
            "stage": word.stage,
            "action": row.name,
            "person": by.name,
            "person_as": by.token,
            "door": by.door,
            "verdict": word.verdict,
            "comment": word.comment,
            "evidence": seen.hash,
            "at": tx.now,
            "void_at": None,
        },
    )


def _answer(
    tx: Transaction, execution: Any, row: Any, by: Person, word: Word, people: Sequence[str]
) -> None:
    answer = {
        "status": word.verdict,
        "by": ", ".join(people),
        "door": by.door,
        "summary": word.comment,
    }
    if not actions.wake(tx.connection, row.id, tx.now, json.dumps(answer)):
        raise CommandError(Problem.CONFLICT, f"{row.name} was decided already")
    beside = people[:-1]
    said = _said(by, word) + (f"; approved before by {', '.join(beside)}" if beside else "")
    tx.fact("approval.answered", execution, stage=word.stage, action=row.name, text=said)


def _said(by: Person, word: Word) -> str:
    return f"{word.verdict} by {by.name} ({by.door}): {word.comment}".rstrip(": ")
