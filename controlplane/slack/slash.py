"""`/towpath …`: how things stand, start an execution, freeze. The answer is seen by whoever asked only."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import NamedTuple

from sqlalchemy import Connection

from controlplane.declarations.durations import DURATION, parse_duration
from controlplane.engine.gate_commands import Scope
from controlplane.engine.refusals import CommandError, Problem
from controlplane.notify.message import cut
from controlplane.slack.desk import Door
from controlplane.slack.payloads import Asked
from controlplane.slack.people import may, person
from controlplane.store import gates, pipelines, queries
from controlplane.store.roles import Permission

HELP = """\
status: every pipeline, and what it runs
status PIPELINE: its last execution, its stages, closed ways and freezes
promote PIPELINE: start an execution of the newest revision
freeze PIPELINE [STAGE] [DURATION] REASON: close its gates; DURATION as 30m, 2h or 7d, else until it is lifted
help: this list
Example: /towpath freeze shop Prod 2h the database is moving"""
SHOWN = 20
LONGEST_ANSWER = 3_000


class _Said(NamedTuple):
    door: Door
    asked: Asked
    words: list[str]
    key: str


def answer(door: Door, asked: Asked, key: str) -> str:
    """Do what a command says and answer in words; CommandError or NotAllowedError with the mend.

    key: of this command, so that it starts one execution however often it is done.
    """
    word, *rest = asked.text.split() or ["help"]
    if word not in COMMANDS:
        raise CommandError(
            Problem.INVALID, f"There is no command {cut(word, 40)!r}. There is:\n{HELP}"
        )
    if word != "help" and asked.user not in door.people:
        person(
            door.people, asked.user, Permission.READ, "", ""
        )  # raises: strangers are told no names
    return cut(COMMANDS[word](_Said(door, asked, rest, key)), LONGEST_ANSWER)


def _help(_: _Said) -> str:
    return HELP


def _status(said: _Said) -> str:
    pipeline = said.words[0] if said.words else ""
    if pipeline:
        person(said.door.people, said.asked.user, Permission.READ, pipeline, "")
        return _of_pipeline(said, _known(said, pipeline))
    with said.door.database.read() as connection:
        names = _seen(said, connection)
        if not names:
            person(said.door.people, said.asked.user, Permission.READ, "", "")
        lines = []
        for name in names[:SHOWN]:
            last = queries.executions_of(connection, name, limit=1)
            lines.append(f"{name}: {f'{last[0].id} {last[0].status}' if last else 'never ran'}")
    more = [f"and {len(names) - SHOWN} more: ask for one by name"] if len(names) > SHOWN else []
    return "\n".join([*lines, *more]) or "There is no pipeline yet: apply one."


def _of_pipeline(said: _Said, stages: list[str]) -> str:
    name, door = said.words[0], said.door
    with door.database.read() as connection:
        now = door.database.time(connection, door.now)
        last = queries.executions_of(connection, name, limit=1)
        closed = {row.stage: row for row in queries.transitions(connection, name)}
        lines = [f"{name}: {f'{last[0].id} {last[0].status}' if last else 'never ran'}"]
        for stage in stages:
            there = queries.latest_in_stage(connection, name, stage)
            line = f"{stage}: {f'{there.status}, {there.execution_id}' if there else 'nothing yet'}"
            if stage in closed:
                line += (
                    f"; the way in is closed by {closed[stage].disabled_by}: {closed[stage].reason}"
                )
            lines.append(line)
        lines += [
            f"frozen {row.stage or 'everywhere'} by {row.frozen_by}: {row.reason}"
            for row in gates.freezes(connection, now)
            if row.pipeline in ("", name)
        ]
    return "\n".join(lines)


def _promote(said: _Said) -> str:
    if len(said.words) != 1:
        raise CommandError(Problem.INVALID, "Say which: /towpath promote PIPELINE")
    [name] = said.words
    by = person(said.door.people, said.asked.user, Permission.RUN, name, "", said.door.goes)
    _known(said, name)
    started = said.door.commands.start(
        name, by, dedupe=f"slack:{said.key}", detail="/towpath promote"
    )
    return f"Started {started} of {name}."


def _freeze(said: _Said) -> str:
    name, *rest = said.words or [""]
    if not name:
        raise CommandError(
            Problem.INVALID, "Say what and why: /towpath freeze PIPELINE [STAGE] [DURATION] REASON"
        )
    stages = _known(said, name)
    stage = rest.pop(0) if rest and rest[0] in stages else ""
    length = rest.pop(0) if rest and re.fullmatch(DURATION, rest[0]) else ""
    by = person(said.door.people, said.asked.user, Permission.FREEZE, name, stage, said.door.goes)
    if not rest:
        raise CommandError(
            Problem.INVALID,
            f"A freeze needs a reason: /towpath freeze {' '.join(said.words)} REASON. "
            f"{name} has the stages {', '.join(stages)}; a DURATION is such as 30m, 2h or 7d.",
        )
    until = said.door.now() + parse_duration(length).total_seconds() if length else None
    number = said.door.commands.freeze(Scope(name, stage, until=until), by, reason=" ".join(rest))
    ends = (
        "until it is lifted"
        if until is None
        else f"until {datetime.fromtimestamp(until, UTC):%Y-%m-%d %H:%M} UTC"
    )
    return f"Freeze {number}: {name}{f', stage {stage},' if stage else ''} is frozen {ends}."


def _seen(said: _Said, connection: Connection) -> list[str]:
    """The pipelines that whoever asks may read."""
    known = said.door.people[said.asked.user]
    every = [row.name for row in pipelines.all_(connection)]
    return [name for name in every if may(known, Permission.READ, name, "")]


def _known(said: _Said, name: str) -> list[str]:
    """The stages of a pipeline; CommandError, with those that there are, where there is none."""
    with said.door.database.read() as connection:
        version = pipelines.version(connection, name)
        if version is not None:
            declared = said.door.structures.pipeline(connection, name, version)
            return [stage.name for stage in declared.stages]
        known = _seen(said, connection)
    some = ", ".join(known[:SHOWN]) or "none yet"
    raise CommandError(
        Problem.UNKNOWN, f"There is no pipeline {cut(name, 100)!r}; there is: {some}."
    )


COMMANDS: Mapping[str, Callable[[_Said], str]] = {
    "help": _help,
    "status": _status,
    "promote": _promote,
    "freeze": _freeze,
}
