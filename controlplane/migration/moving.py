"""Moving one pipeline over: read, take, and, where it is asked for, store; the report of it."""

from collections.abc import Mapping, Sequence
from typing import Any

from accounts.base import AccountError, Clients
from accounts.registry import StaticRegistry
from controlplane.clock import Clock, iso
from controlplane.declarations.moved import Line
from controlplane.engine.refusals import CommandError, Person, Problem
from controlplane.engine.structures import Structures
from controlplane.migration.reading import Old, Place
from controlplane.migration.storing import Stored, Storing
from controlplane.migration.taking import Taken, take
from controlplane.store import migrated
from controlplane.store.database import Database

Report = dict[str, Any]


class Migration:
    """Reads an account's CodePipeline, and brings its pipelines over one by one.

    Each is one question of its own: one that is broken, or throttled, keeps no other.
    """

    def __init__(
        self,
        database: Database,
        structures: Structures,
        registry: StaticRegistry,
        clients: Clients,
        clock: Clock,
    ) -> None:
        self._database, self._registry, self._clients = database, registry, clients
        self._clock = clock
        self._storing = Storing(database, structures, lambda: clock().timestamp())

    def listing(self, account: str, region: str, glob: str) -> Report:
        """The pipelines that match, and the definitions of all webhooks there."""
        place = self._place(account, region)
        hooks = place.webhooks()
        return {"region": place.region, "pipelines": place.names(glob), "webhooks": hooks}

    def move(
        self,
        place: tuple[str, str],
        name: str,
        by: Person,
        webhooks: Sequence[Mapping[str, Any]],
        *,
        apply: bool,
        shadow: bool,
    ) -> Report:
        """Bring one over and answer the report of it; nothing is stored where apply is not said.

        state: "would import", "imported", "unchanged", "kept" (edited here since) or "refused".
        AccountError that is not permanent: nothing was done, ask again.
        """
        there = self._place(*place)
        try:
            old = there.read(name)
        except AccountError as error:
            if not error.permanent:
                raise
            return _report(name, "refused", refused=[str(error)])
        taken = take(
            old, there.account, there.region, self._registry.all(), self._clock(), webhooks
        )
        there_ = {"version": old.structure.get("version"), "changed": _when(old)}
        if taken.declaration is None:
            return _report(name, "refused", taken, there=there_)
        if not apply:
            closed = [stage.name for stage in taken.declaration.stages[1:]]
            return _report(name, "would import", taken, closed=closed, there=there_)
        where = (there.account, there.region)
        try:
            stored = self._storing.put(taken.declaration, where, by, old.closed, old.tags)
        except CommandError as error:
            if error.problem is Problem.BUSY:
                raise
            return _report(name, "refused", taken, refused=[str(error)], there=there_)
        if shadow:
            with self._database.begin() as connection:
                migrated.follow(connection, name, shadow=True)
        state = _state(stored)
        return _report(name, state, taken, stored.version, stored.closed, there=there_)

    def _place(self, account: str, region: str) -> Place:
        """AccountError for one that is not registered; its only region counts where none is said."""
        known = self._registry.get(account)
        if not region and len(known.regions) > 1:
            said = f"Account {account} has several regions: say one of {', '.join(known.regions)}."
            raise AccountError(said, permanent=True)
        return Place(self._clients, account, region or known.regions[0])


def _state(stored: Stored) -> str:
    if stored.edited:
        return "kept"
    return "imported" if stored.new or stored.closed else "unchanged"


def _when(old: Old) -> str | None:
    changed = old.metadata.get("updated")
    return None if changed is None else iso(changed.timestamp())


def _report(  # noqa: PLR0913 - the document's own fields
    name: str,
    state: str,
    taken: Taken | None = None,
    version: int | None = None,
    closed: Sequence[str] = (),
    refused: Sequence[str] = (),
    there: Mapping[str, Any] | None = None,
) -> Report:
    lines: Sequence[Line] = taken.lines if taken else ()
    return {
        "pipeline": name,
        "state": state,
        "version": version,
        "there": there or {"version": None, "changed": None},
        "lines": [
            {"where": one.where, "what": one.what, "standing": one.standing, "why": one.why}
            for one in lines
        ],
        "notes": list(taken.notes) if taken else [],
        "closed": list(closed),
        "refused": [*(taken.refused if taken else ()), *refused],
    }
