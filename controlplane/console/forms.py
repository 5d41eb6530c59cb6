"""What a form of ours may carry, and who sends it."""

from typing import Annotated, NamedTuple

from pydantic import BaseModel, Field, StringConstraints

from controlplane.console.desk import Desk
from controlplane.engine.refusals import CommandError, Person, Problem

Word = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9:.@_+-]{0,200}$")]
Text = Annotated[str, StringConstraints(max_length=512, pattern=r"^[^\x00]*$")]


class MoveForm(BaseModel):
    """Every field that a form of ours may have."""

    csrf: str = ""
    execution: Word = ""
    pipeline: Word = ""
    stage: Word = ""
    account: Word = ""
    until: Word = ""
    action: Word = ""
    digest: Word = ""
    incident: Word = ""
    minutes: Annotated[int, Field(ge=0, le=100_000)] = 0
    freeze: Annotated[int, Field(ge=0, le=2**31 - 1)] = 0
    reason: Text = ""


class Asked(NamedTuple):
    """A move that somebody may make. pipeline: whose page it is, "" where it is nobody's."""

    desk: Desk
    person: Person
    pipeline: str
    form: MoveForm


def reason_of(form: MoveForm) -> str:
    """Why; CommandError where nothing is said."""
    if not form.reason.strip():
        raise CommandError(Problem.INVALID, "Say why, in a few words: the team will read it later.")
    return form.reason
