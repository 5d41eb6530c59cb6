"""Who may do what where: a grant is a role over the pipelines and stages that two globs match.

A role without bounds is a grant over everything. `may` is the one function that every door asks.
"""

import json
import re
from collections.abc import Callable, Iterable, Sequence
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

from controlplane.store.roles import Permission, Role, allows, roles_with

ALL = "*"
GLOB = r"^[A-Za-z0-9.@_*?-]{1,100}$"
MOST = 50
"""Grants that one token or person may have."""
SCOPED = "scoped"
"""The role that stands in the row of a bounded token: an older replica knows no such role, and refuses it."""


class Grant(NamedTuple):
    """pipelines, stages: globs, in which * is any text and ? any letter. "*" alone is everything."""

    role: str
    pipelines: str = ALL
    stages: str = ALL

    def __str__(self) -> str:
        if (self.pipelines, self.stages) == (ALL, ALL):
            return self.role
        return f"{self.role} on {self.pipelines}/{self.stages}"


Grants = tuple[Grant, ...]


def may(grants: Grants, permission: Permission, pipeline: str = "", stage: str = "") -> bool:
    """Whether these grants allow it there. "" is every pipeline, or every stage of the pipeline.

    What moves a whole pipeline needs a grant over all of its stages: an execution goes through all of
    them. To read a pipeline any of its stages is enough.
    """
    return any(
        allows(grant.role, permission)
        and _covers(grant.pipelines, pipeline)
        and (permission is Permission.READ or _covers(grant.stages, stage))
        for grant in grants
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


def refusal(grants: Grants, permission: Permission, pipeline: str = "", stage: str = "") -> str:
    """Say why `may` said no, and what would do."""
    able = " or ".join(roles_with(permission))
    if not may_somewhere(grants, permission):
        return f"{said(grants)} may not do this ({permission}): it needs {able}."
    place = f"pipeline {pipeline}" if pipeline else "every pipeline"
    place += f", stage {stage}" if stage else " with all its stages" if pipeline else ""
    return (
        f"{said(grants)} does not reach as far as this ({permission}): it needs {able} on {place}."
    )


def said(grants: Grants) -> str:
    """Name them to a person: "role viewer", "role developer on shop/Dev"."""
    return f"role {', '.join(map(str, grants))}" if grants else "no role"


def bounded(role: Role, pipelines: Sequence[str] = (), stages: Sequence[str] = ()) -> Grants:
    """A role over each of these pipelines and stages; none: all of them."""
    return tuple(
        Grant(role.value, pipeline, stage)
        for pipeline in dict.fromkeys(pipelines or (ALL,))
        for stage in dict.fromkeys(stages or (ALL,))
    )


def write(grants: Grants) -> str:
    """As a column keeps them."""
    return json.dumps([list(grant) for grant in grants], separators=(",", ":"))


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


def _covers(glob: str, name: str) -> bool:
    return glob == ALL if not name else fnmatchcase(name, glob)
