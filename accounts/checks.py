"""What must hold in an account beside the shape of its fields: regions exist, ARNs are its own."""

import difflib
from collections.abc import Iterator, Mapping
from functools import cache

from botocore.session import Session

from accounts.models import Account

Problem = tuple[tuple[str | int, ...], str]
"""Where (a path of keys) and what is wrong, with the mend."""

ROLE_PARTS = 6


@cache
def known_regions() -> Mapping[str, str]:
    """Each region that botocore's endpoint data knows, and its partition ("aws", "aws-cn")."""
    session = Session()
    return {
        region: partition
        for partition in session.get_available_partitions()
        for region in session.get_available_regions("sts", partition)
        if region.count("-") > 1  # not the pseudo region "aws-global"
    }


def account_problems(account: Account) -> Iterator[Problem]:
    """All that is wrong with one account."""
    for index, region in enumerate(account.regions):
        if region not in known_regions():
            yield ("regions", index), _no_region(region)
        elif region in account.regions[:index]:
            yield ("regions", index), f"names {region} again; keep one of them"
    for purpose, arn in account.roles.model_dump().items():
        for said in _role_problems(account, arn):
            yield ("roles", purpose), said
    if account.artifact_key is not None:
        for said in _key_problems(account, account.artifact_key):
            yield ("artifactKey",), said


def repeated(names: Mapping[int, str]) -> Iterator[tuple[int, str]]:
    """Names (by index) that two accounts share, with the index of the later one."""
    first: dict[str, int] = {}
    for index, name in names.items():
        earlier = first.setdefault(name.casefold(), index)
        if earlier != index:
            yield index, f"{name[:80]} is taken by accounts[{earlier}]; give it another name"


def _no_region(region: str) -> str:
    near = difflib.get_close_matches(region, known_regions(), 1)
    mend = f"did you mean {near[0]}?" if near else "name one such as eu-west-1"
    return f"{region[:40]!r} is not a region of AWS; {mend}"


def _role_problems(account: Account, arn: str) -> Iterator[str]:
    parts = arn.split(":", ROLE_PARTS - 1)
    if parts[2] != "iam" or not parts[-1].startswith("role/"):
        yield f"is not the ARN of a role; it looks like arn:aws:iam::{account.id}:role/..."
    yield from _foreign(account, parts)


def _key_problems(account: Account, arn: str) -> Iterator[str]:
    parts = arn.split(":", ROLE_PARTS - 1)
    if parts[2] != "kms" or not parts[-1].startswith("key/"):
        # An alias would be resolved in the account that asks, which is not where the key lies.
        yield f"is not the ARN of a key; it looks like arn:aws:kms:REGION:{account.id}:key/..."
    yield from _foreign(account, parts)


def _foreign(account: Account, parts: list[str]) -> Iterator[str]:
    if parts[4] != account.id:
        owner = parts[4] or "no account"
        yield f"is of {owner}, but the account's id is {account.id}; correct the one or the other"
    partition = known_regions().get(account.regions[0], parts[1])
    if parts[1] != partition:
        yield f"is in partition {parts[1]}, but {account.regions[0]} is in {partition}"
