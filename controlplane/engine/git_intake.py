"""A change that a Git host tells of: which pipelines it starts, once each, and never backwards.

The same commit told twice starts once (the dedupe key). A push that is told after a newer one has started
is not started: what started last is compared and swapped in the transaction of the start. Where neither
names the other, the host is asked which is the older; a branch that was put back on purpose starts.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sqlalchemy import Connection

from controlplane.actions.base import ActionError
from controlplane.actions.git.base import Host, Hosts, Told
from controlplane.declarations.model import ActionDeclaration
from controlplane.declarations.triggers import (
    HEADS,
    KEY,
    TAGS,
    Answer,
    Change,
    GitConfiguration,
    PullRequestEvent,
    of,
    starts,
)
from controlplane.engine.commands import Commands, Moved, OvertakenError
from controlplane.engine.refusals import CommandError, Person
from controlplane.engine.structures import BrokenStructureError, Structures
from controlplane.engine.unread import Asked, may_follow, readable
from controlplane.store import pipelines, source_refs
from controlplane.store.database import Database

log = logging.getLogger(__name__)
TRIES = 5
WHOLE = 40
"""Characters of a commit's id; Bitbucket tells the first twelve of some."""


class Watching(NamedTuple):
    """A source action that follows the repository."""

    pipeline: str
    action: ActionDeclaration
    configured: GitConfiguration | None


@dataclass(frozen=True, slots=True)
class Taken:
    """started: pipeline -> execution. passed: pipeline -> why it was not started.

    unread: pipeline -> why it cannot be read; it may be meant, and who takes this keeps it for then.
    """

    started: dict[str, str]
    passed: dict[str, str]
    unread: dict[str, str] = field(default_factory=dict)


class GitIntake:
    """Decides and starts. Raises ActionError where the host had to be asked and could not be."""

    def __init__(
        self, database: Database, structures: Structures, commands: Commands, hosts: Hosts
    ) -> None:
        self._database, self.structures = database, structures
        self._commands, self._hosts = commands, hosts

    def take(self, host: Host, told: Told, only: str = "") -> Taken:
        """Start what it starts. One pipeline that cannot be started holds up no other.

        only: the pipeline that it was kept for; "" for every one.
        """
        taken = Taken({}, {})
        failed: ActionError | None = None
        base = _base(told)
        files = _once(lambda: host.files(told.repository, base, told.commit) if base else None)
        for watching in self._watching(host, told.repository, taken.unread, only):
            try:
                why = self._why_not(host, told, watching, files)
                if not why:
                    taken.started[watching.pipeline] = self._start(host, told, watching)
                    continue
            except ActionError as error:
                failed, why = error, str(error)
            except BrokenStructureError as error:
                taken.unread[watching.pipeline] = why = str(error)
            except (CommandError, _OlderError) as error:
                why = str(error)
            taken.passed[watching.pipeline] = why
        if failed is not None:
            raise failed
        return taken

    # --- inside -----------------------------------------------------------------------------------

    def _watching(
        self, host: Host, repository: str, unread: dict[str, str], only: str
    ) -> list[Watching]:
        """Who follows the repository; into `unread` go those who may and cannot be read."""
        asked = Asked(
            lambda one: self._follows(one, host, repository), (repository,), "FullRepositoryName"
        )
        with self._database.read() as connection:
            found: list[Watching] = []
            for row in pipelines.all_(connection):
                if only not in ("", row.name):
                    continue
                watching = self._of(connection, row, asked)
                if not isinstance(watching, str):
                    found += watching
                elif may_follow(connection, self.structures, row, asked):
                    log.error("a push to %s waits: %s", repository, watching)
                    unread[row.name] = watching
            return found

    def _of(self, connection: Connection, row: Any, asked: Asked) -> list[Watching] | str:
        """The sources of a pipeline that follow it, or why it cannot be read."""
        declared = readable(connection, self.structures, row)
        if isinstance(declared, str):
            return declared
        actions = filter(asked.follows, declared.stages[0].actions)
        try:
            return [Watching(row.name, one, of(declared.triggers, one.name)) for one in actions]
        except ValueError as error:  # stored by a version that did not check them
            return f"the triggers of pipeline {row.name} cannot be read ({error}): apply it again"

    def _follows(self, action: ActionDeclaration, host: Host, repository: str) -> bool:
        given = action.configuration
        return (
            action.driver == KEY
            and given.get("FullRepositoryName", "").lower() == repository.lower()
            and self._hosts.name_of(given.get("ConnectionArn", "")) == host.name
        )

    def _why_not(
        self,
        host: Host,
        told: Told,
        watching: Watching,
        files: Callable[[], tuple[str, ...] | None],
    ) -> str:
        if told.foreign and not host.settings.forks:
            return "the commit is of another repository, and forks are not allowed"
        event = PullRequestEvent(told.event) if told.event else None
        own = watching.action.configuration
        branch, detects = own.get("BranchName", ""), own.get("DetectChanges") != "false"

        def asked(known: tuple[str, ...] | None) -> Answer:
            change = Change(told.ref, event, known)
            return starts(watching.configured, change, branch, detects=detects)

        answer = asked(told.files)
        if answer is Answer.ASK:
            answer = asked(files())
        # Files that no list tells of may well be wanted: a release too many is better than one lost.
        return "" if answer is not Answer.NO else "no filter takes it"

    def _start(self, host: Host, told: Told, watching: Watching) -> str:
        commit = told.commit
        if len(commit) < WHOLE:
            commit = host.commit(told.repository, commit).id
        place = watching.pipeline, watching.action.name, _ref(told)
        for _ in range(TRIES):
            with self._database.read() as connection:
                last = source_refs.newest(connection, *place)
            if _is_older(host, told, commit, last):
                raise _OlderError(f"{commit[:12]} is older than {last[:12]}, which started before")
            moved = Moved(watching.action.name, _ref(told), commit, last, _shown(told), told.number)
            try:
                return self._commands.start(
                    watching.pipeline,
                    Person(watching.action.name, "git"),
                    revisions={watching.action.name: commit},
                    dedupe=_key(watching, told, commit),
                    detail=watching.action.configuration.get("ConnectionArn", ""),
                    moved=moved,
                )
            except OvertakenError:
                continue
        raise ActionError(f"Too much is pushed to {_ref(told)} at once: deliver it again.")


class _OlderError(Exception):
    """What is told was overtaken."""


def _once(ask: Callable[[], tuple[str, ...] | None]) -> Callable[[], tuple[str, ...] | None]:
    kept: list[tuple[str, ...] | None] = []

    def asked() -> tuple[str, ...] | None:
        if not kept:
            kept.append(ask())
        return kept[0]

    return asked


def _base(told: Told) -> str:
    """What the files are compared with: where the push began, or what it will be merged into.

    "" for the first push to the default branch, where all is new.
    """
    branch = told.ref.removeprefix(HEADS)
    if told.event:
        return branch
    return told.before or ("" if branch == told.default_branch else told.default_branch)


def _ref(told: Told) -> str:
    """What moves on: a branch, a pull request."""
    return f"refs/pull/{told.number}" if told.event else told.ref


def _shown(told: Told) -> str:
    """What the commit is of, as the source's variables say it."""
    return f"{HEADS}{told.source}" if told.event else told.ref


def _key(watching: Watching, told: Told, commit: str) -> str:
    """As the poll and the other doors have it. A merge is news of a commit that may have started."""
    key = f"source:{watching.pipeline}:{watching.action.name}:{commit}"
    return f"{key}:closed/{told.number}" if told.event == PullRequestEvent.CLOSED else key


def _is_older(host: Host, told: Told, commit: str, last: str) -> bool:
    """A tag has no order; what began at the last that started is newer than that."""
    if (
        not last
        or last in (told.before, commit)
        or told.ref.startswith(TAGS)
        or told.event == "CLOSED"
    ):
        return False
    if not host.is_behind(told.repository, commit, last):
        return False
    branch = _shown(told).removeprefix(HEADS)
    head = host.head(told.repository, branch)
    return head is None or head.id != commit
