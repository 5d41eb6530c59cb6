"""Who may do what: the one table of roles. Doors ask for a permission (`grants.may`), never for a role."""

from collections.abc import Mapping
from enum import StrEnum


class Role(StrEnum):
    """What somebody may do, where his grant reaches."""

    VIEWER = "viewer"
    DEVELOPER = "developer"
    APPROVER = "approver"
    RELEASE_MANAGER = "release-manager"
    REPORTER = "reporter"
    JOB_WORKER = "job-worker"
    ADMIN = "admin"


class Permission(StrEnum):
    """One kind of request that may be granted or refused."""

    READ = "read"
    APPROVE = "approve"
    RUN = "run"  # start, stop, retry
    ROLL_BACK = "roll back"
    HOLD = "hold"  # close and open the way into a stage
    FREEZE = "freeze"  # and lift a freeze
    OVERRIDE = "override"  # open a closed gate, with another person
    REPORT = "report"  # tell of incidents
    WORK = "work jobs"  # poll for jobs of custom actions, and say how they went
    RELEASE = "release"  # lift a quarantine
    DECLARE = "declare"  # store a pipeline's structure
    DIAGNOSE = "diagnose"  # the doctor calls every account of a pipeline
    ACCOUNTS = "accounts"
    TOKENS = "tokens"
    AUDIT = "audit"  # read who decided what


P = Permission
ROLES: Mapping[Role, frozenset[Permission]] = {
    Role.VIEWER: frozenset({P.READ}),
    Role.DEVELOPER: frozenset({P.READ, P.RUN}),  # whoever wants a release is not who lets it pass
    Role.APPROVER: frozenset({P.READ, P.APPROVE}),
    Role.RELEASE_MANAGER: frozenset(
        {
            P.READ,
            P.APPROVE,
            P.RUN,
            P.ROLL_BACK,
            P.HOLD,
            P.FREEZE,
            P.OVERRIDE,
            P.RELEASE,
            P.DECLARE,
            P.DIAGNOSE,
            P.AUDIT,
        }
    ),
    Role.REPORTER: frozenset({P.REPORT}),  # a monitoring's token may do nothing else
    Role.JOB_WORKER: frozenset({P.WORK}),  # and so may a worker's key, or a function's
    Role.ADMIN: frozenset(Permission),
}


def allows(role: str, permission: Permission) -> bool:
    """Answer True where a token of this role may; a role that is not in the table may nothing."""
    return role in ROLES and permission in ROLES[Role(role)]


def roles_with(permission: Permission) -> list[str]:
    """Answer the roles that would do, for the sentence of a refusal."""
    return [role.value for role, permissions in ROLES.items() if permission in permissions]
