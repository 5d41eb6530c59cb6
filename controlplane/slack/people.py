"""Who a user of Slack is here, and whether he may: the one place that says so."""

from collections.abc import Mapping

from controlplane.engine.refusals import Person
from controlplane.settings import SettingError, Settings, SlackPerson
from controlplane.store import grants
from controlplane.store.grants import Goes, Grant, nowhere
from controlplane.store.roles import Permission, Role, roles_with


class NotAllowedError(Exception):
    """Whoever asked may not; the message is for him."""


def check(settings: Settings) -> None:
    """SettingError where somebody was given a role that there is not, or a glob that is none."""
    for user, one in settings.slack_people.items():
        try:
            grants.check((one.pipelines, one.stages, *grants.listed(one.environments)))
        except ValueError as error:
            raise SettingError(f"TOWPATH_SLACK_PEOPLE: {user}: {error}") from None
        if one.role not in {str(role) for role in Role}:
            known = ", ".join(Role)
            raise SettingError(
                f"TOWPATH_SLACK_PEOPLE: {user} has role {one.role!r}, and there is: {known}"
            )


def may(
    known: SlackPerson, needed: Permission, pipeline: str, stage: str, goes: Goes = nowhere
) -> bool:
    """Say whether he may do that to this pipeline's stage; "" is every one."""
    return grants.may(_granted(known), needed, pipeline, stage, goes)


def _granted(known: SlackPerson) -> tuple[Grant, ...]:
    return tuple(
        Grant(known.role, known.pipelines, known.stages, one)
        for one in grants.listed(known.environments)
    )


def person(
    people: Mapping[str, SlackPerson],
    user: str,
    needed: Permission,
    pipeline: str,
    stage: str,
    goes: Goes = nowhere,
) -> Person:
    """Who asks, where he may; the ids of users are Slack's word, their names anybody's."""
    known = people.get(user)
    would_do = " or ".join(roles_with(needed))
    if known is None:
        raise NotAllowedError(
            f"Towpath does not know who you are, and did nothing. Whoever runs it can add you to "
            f'TOWPATH_SLACK_PEOPLE: {{"{user}": {{"name": "YOUR NAME", "role": "ROLE"}}}}; this needs '
            f"{would_do}."
        )
    if not may(known, needed, pipeline, stage, goes):
        why = grants.refusal(_granted(known), needed, pipeline, stage, goes)
        raise NotAllowedError(
            f"{known.name} is in TOWPATH_SLACK_PEOPLE, but {why} Nothing was done."
        )
    return Person(known.name, "slack", groups=frozenset(known.groups))
