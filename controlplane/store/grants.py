"""Who may do what where: a grant is a role over the pipelines, stages and environments that globs match.

A role without bounds is a grant over everything. `may` is the one function that every door asks.
"""

import json
import re
from collections.abc import Callable, Collection, Iterable, Sequence
from fnmatch import fnmatchcase
from itertools import product
from typing import Any, NamedTuple, Protocol

from controlplane.store.roles import Permission, Role, allows, roles_with

ALL = "*"
GLOB = r"^[A-Za-z0-9.@_*?-]{1,100}$"
MOST = 50
"""Grants that one token or person may have."""
SCOPED = "scoped"
"""The role that stands in the row of a bounded token: an older replica knows no such role, and refuses it."""


class Grant(NamedTuple):
    """pipelines, stages, environments: globs: * is any text and ? any letter. "*" alone is everything."""

    role: str
    pipelines: str = ALL
    stages: str = ALL
    environments: str = ALL

    def __str__(self) -> str:
        place = f" on {self.pipelines}/{self.stages}"
        place = "" if (self.pipelines, self.stages) == (ALL, ALL) else place
        return f"{self.role}{place}{self._where()}"

    def _where(self) -> str:
        return "" if self.environments == ALL else f" in {self.environments}"


Grants = tuple[Grant, ...]


class Goes(Protocol):
    """Pipeline and stage -> the environments that it leads into; of all stages for ""."""

    def __call__(
        self, pipeline: str, stage: str, to: Permission = Permission.RUN, /
    ) -> Collection[str]:
        """Answer them. to: do what; whoever approves may let a release go further than its stage."""


def nowhere(_pipeline: str, _stage: str, _to: Permission = Permission.RUN) -> Collection[str]:
    """Nobody knows where stages lead: a grant that is bounded to environments allows nothing there."""
    return ()


def may(
    grants: Grants,
    permission: Permission,
    pipeline: str = "",
    stage: str = "",
    goes: Goes = nowhere,
) -> bool:
    """Whether these grants allow it there. "" is every pipeline, or every stage of the pipeline.

    What moves a whole pipeline needs a grant over all of its stages: an execution goes through all of
    them. To read a pipeline any of its stages is enough, whatever it leads into.
    goes: asked only where it matters; all that it answers must be among the environments of the grants.
    """
    able = _reaching(grants, permission, pipeline, stage)
    if permission is Permission.READ or any(grant.environments == ALL for grant in able):
        return bool(able)
    # Whoever declares says which accounts a pipeline acts in, so no environment bounds that.
    if not able or not pipeline or permission is Permission.DECLARE:
        return False
    found = goes(pipeline, stage, permission)
    return bool(found) and all(
        any(fnmatchcase(name, grant.environments) for grant in able) for name in found
    )


def may_somewhere(grants: Grants, permission: Permission, pipeline: str | None = None) -> bool:
    """Whether there is any place where they allow it, or any stage of a pipeline."""
    return any(
        allows(grant.role, permission) and (pipeline is None or _covers(grant.pipelines, pipeline))
        for grant in grants
    )


def seen_by(grants: Grants) -> Callable[[str], bool] | None:
    """Answer which pipelines they let one read; None: all."""
    if may(grants, Permission.READ):
        return None
    return lambda pipeline: may(grants, Permission.READ, pipeline)


def refusal(
    grants: Grants,
    permission: Permission,
    pipeline: str = "",
    stage: str = "",
    goes: Goes = nowhere,
) -> str:
    """Say why `may` said no, and what would do."""
    able = " or ".join(roles_with(permission))
    if not may_somewhere(grants, permission):
        return f"{said(grants)} may not do this ({permission}): it needs {able}."
    place = f"pipeline {pipeline}" if pipeline else "every pipeline"
    place += f", stage {stage}" if stage else " with all its stages" if pipeline else ""
    if pipeline and _reaching(grants, permission, pipeline, stage):
        place += _into(permission, goes(pipeline, stage, permission))
    return (
        f"{said(grants)} does not reach as far as this ({permission}): it needs {able} on {place}."
    )


def said(grants: Grants) -> str:
    """Name them to a person: "role viewer", "role developer on shop/Dev"."""
    return f"role {', '.join(map(str, grants))}" if grants else "no role"


def bounded(
    role: Role,
    pipelines: Sequence[str] = (),
    stages: Sequence[str] = (),
    environments: Sequence[str] = (),
) -> Grants:
    """A role over each of these pipelines, stages and environments; none: all of them."""
    every = (dict.fromkeys(named or (ALL,)) for named in (pipelines, stages, environments))
    return tuple(Grant(role.value, *place) for place in product(*every))


def listed(said: str | Sequence[str]) -> Sequence[str]:
    """One name alone is a list of one."""
    return (said,) if isinstance(said, str) else said


def write(grants: Grants) -> str:
    """As a column keeps them. An older replica, which knows no environments, finds no grants where some are."""
    kept = (list(grant if grant.environments != ALL else grant[:-1]) for grant in grants)
    return json.dumps([*kept], separators=(",", ":"))


def read(text: str) -> Grants:
    """Read what `write` wrote; what cannot be read grants nothing."""
    try:
        found: Any = json.loads(text)
        return tuple(Grant(*map(str, one)) for one in found)
    except (ValueError, TypeError):
        return ()


def check(globs: Iterable[str]) -> None:
    """ValueError where one is no glob of ours."""
    for glob in globs:
        if not re.fullmatch(GLOB, glob):
            raise ValueError(f"{glob!r} is no glob: letters, digits, . @ _ - and the wildcards * ?")


def _reaching(
    grants: Grants, permission: Permission, pipeline: str, stage: str
) -> tuple[Grant, ...]:
    """The grants that allow it there, as far as pipelines and stages go."""
    return tuple(
        grant
        for grant in grants
        if allows(grant.role, permission)
        and _covers(grant.pipelines, pipeline)
        and (permission is Permission.READ or _covers(grant.stages, stage))
    )


def _into(permission: Permission, found: Collection[str]) -> str:
    if permission is Permission.DECLARE:
        return " in every environment"
    named = " and ".join(
        name or "an account that is not registered, or not named" for name in sorted(found)
    )
    return f" in {named}" if named else ", which leads into no environment that is known"


def _covers(glob: str, name: str) -> bool:
    return glob == ALL if not name else fnmatchcase(name, glob)
