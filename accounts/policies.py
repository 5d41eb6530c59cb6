"""Session policies: what one session may do of all that its role may.

A session's rights are what role and policy both allow, so a policy can only narrow.
https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies.html#policies_session
STS takes 2,048 characters, and packs policy and tags into a size of its own which can not be known
before: hence a ladder of policies, the narrowest first, of which the first that fits is used.
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterator

from accounts.base import AccountError, Scope
from accounts.models import Account, Purpose
from accounts.statements import ONLY_NAMED, SET_ALARMS, STATEMENTS, On, Statement

LIMIT = 2048
ARN = re.compile(r"arn:(aws[a-z-]*):([a-z0-9-]+):([a-z0-9-]*):(\d{12})?:(.+)", re.DOTALL)

ANY = ("*",)
Rights = dict[tuple[str, ...], list[str]]
"""Actions, by the resources that they are allowed on."""


def session_policy(account: Account, purpose: Purpose, scope: Scope) -> str:
    """Answer the narrowest policy of the ladder."""
    return session_policies(account, purpose, scope)[0]


def session_policies(account: Account, purpose: Purpose, scope: Scope) -> list[str]:
    """Answer policies that fit into a request, from narrow to wide; AccountError where none fits.

    1. the task's own resources, the buckets and keys of artifacts; 2. anything of the services that
    these resources belong to; 3. anything that the purpose is for, an empty scope's only rung.
    No rung is without limits: none goes beyond the actions of the purpose.
    """
    whole = [one for one in _statements(account, purpose) if one not in ONLY_NAMED]
    rungs = [_document({ANY: [action for one in whole for action in one.actions]})]
    if scope.resources:
        services = {_parts(arn)[1] for arn in scope.resources}
        named = {name: _of_service(scope, name) for name in services}
        rungs = [
            _narrowed(account, purpose, named, scope),
            _narrowed(account, purpose, dict.fromkeys(services, ANY), scope),
            *rungs,
        ]
    fitting = [rung for rung in dict.fromkeys(rungs) if len(rung) <= LIMIT]
    if not fitting:
        raise AccountError(
            f"The session policy for {purpose} in {account.name} does not fit into {LIMIT} "
            "characters; name fewer resources in one action.",
            permanent=True,
        )
    return fitting


def _statements(account: Account, purpose: Purpose) -> list[Statement]:
    """What a session may be given at most; in production it may not set alarms, whatever its role may."""
    return [
        one for one in STATEMENTS[purpose] if one is not SET_ALARMS or not account.is_production
    ]


def _narrowed(
    account: Account, purpose: Purpose, named: dict[str, tuple[str, ...]], scope: Scope
) -> str:
    rights: Rights = defaultdict(list)
    for statement in _statements(account, purpose):
        for resources in _resources(account, statement, named, scope):
            rights[resources] += statement.actions
    return _document(rights)


def _resources(
    account: Account, statement: Statement, named: dict[str, tuple[str, ...]], scope: Scope
) -> Iterator[tuple[str, ...]]:
    """Say what a statement stays allowed on; nothing where the task names none of its kind."""
    partition = _parts(account.role(Purpose.WATCH))[0]
    if statement.on is On.ANYTHING:
        yield ANY
    elif statement.on is On.ARTIFACTS:
        buckets = dict.fromkeys((account.artifact_bucket, *scope.buckets))
        arns = [f"arn:{partition}:s3:::{bucket}" for bucket in buckets]
        yield tuple(one for arn in arns for one in (arn, f"{arn}/*"))
    elif statement.on is On.KEY:
        yield _keys(account, scope)
    elif statement.on is On.SOURCE_KEY:
        yield named.get("kms", ANY)  # unknown here; which keys those are, the role says
    else:
        found = named.get(statement.actions[0].partition(":")[0])
        if found:
            yield found


def _keys(account: Account, scope: Scope) -> tuple[str, ...]:
    """The keys of all buckets that artifacts lie in; any, where one of them is not known by its ARN."""
    others = bool(set(scope.buckets) - {account.artifact_bucket})
    if account.artifact_key is None or (others and not scope.key):
        return ANY
    return tuple(dict.fromkeys((account.artifact_key, *((scope.key,) if scope.key else ()))))


def _of_service(scope: Scope, service: str) -> tuple[str, ...]:
    """Pick the scope's ARNs of one service; with an object comes its bucket, for ListBucket."""
    found = [arn for arn in scope.resources if _parts(arn)[1] == service]
    if service == "s3":
        found += [arn.partition("/")[0] for arn in found]
    return tuple(dict.fromkeys(found))


def _parts(arn: str) -> tuple[str, str]:
    """Partition and service."""
    match = ARN.fullmatch(arn)
    if match is None:
        raise AccountError(
            f"{arn[:200]!r} is not an ARN, so no session can be narrowed to it; "
            "correct the names in the action's configuration.",
            permanent=True,
        )
    return match[1], match[2]


def _document(rights: Rights) -> str:
    """Compact JSON; json escapes whatever is not ASCII, which is all that STS takes."""
    statements = [
        {
            "Effect": "Allow",
            "Action": sorted(set(actions)),
            "Resource": resources[0] if len(resources) == 1 else list(resources),
        }
        for resources, actions in rights.items()
    ]
    return json.dumps({"Version": "2012-10-17", "Statement": statements}, separators=(",", ":"))
