"""A grant that is bounded to environments: all that a stage leads into must be among them."""

import json
from collections.abc import Collection

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.store.grants import (
    ALL,
    Goes,
    Grant,
    bounded,
    may,
    may_somewhere,
    read,
    refusal,
    write,
)
from controlplane.store.roles import Permission, Role

P = Permission
LEADS = {"Test": {"test"}, "Gate": {"prod"}, "Prod": {"prod"}, "Both": {"test", "prod"}}


def goes(_pipeline: str, stage: str, _to: P = P.RUN, /) -> Collection[str]:
    return LEADS.get(stage, ()) if stage else {"test", "prod"}


def never(_pipeline: str, _stage: str, _to: P = P.RUN, /) -> Collection[str]:
    raise AssertionError("nobody had to be asked")


@pytest.mark.parametrize(
    ("environments", "stage", "allowed"),
    [
        (["test"], "Test", True),
        (["test"], "Prod", False),
        (["test"], "Gate", False),
        (["prod"], "Gate", True),
        (["test"], "Both", False),
        (["test", "prod"], "Both", True),
        (["pr*", "t?st"], "Both", True),
        (["test"], "Nowhere", False),
        (["*st"], "Test", True),
        (["TEST"], "Test", False),
        (["test"], "", False),
        (["test", "prod"], "", True),
    ],
)
def test_all_that_a_stage_leads_into_must_be_granted(
    environments: list[str], stage: str, allowed: bool
) -> None:
    grants = bounded(Role.APPROVER, ["shop"], [], environments)
    assert may(grants, P.APPROVE, "shop", stage, goes) is allowed
    assert not may(grants, P.APPROVE, "till", stage, goes)
    assert not may(grants, P.APPROVE, "", "", goes)
    assert not may(grants, P.APPROVE, "shop", stage)  # where nobody says where it leads
    assert may(grants, P.READ, "shop", stage, never)
    assert may_somewhere(grants, P.APPROVE)


def test_where_nothing_is_bounded_nobody_asks_where_a_stage_leads() -> None:
    grants = (*bounded(Role.APPROVER, [], [], ["test"]), Grant("approver", "shop"))
    assert may(grants, P.APPROVE, "shop", "Prod", never)
    assert not may(grants, P.RUN, "shop", "Prod", never)
    both = (
        Grant("approver", environments="test"),
        Grant("approver", stages="B*", environments="prod"),
    )
    assert may(both, P.APPROVE, "shop", "Both", goes)


def test_who_declares_says_where_it_goes_so_no_environment_is_enough() -> None:
    grants = bounded(Role.RELEASE_MANAGER, [], [], ["test", "prod"])
    assert may(grants, P.HOLD, "shop", "Both", goes)
    assert not may(grants, P.DECLARE, "shop", "", goes)
    assert "in every environment" in refusal(grants, P.DECLARE, "shop", "", goes)


def test_a_refusal_says_where_it_leads() -> None:
    grants = bounded(Role.APPROVER, [], [], ["test"])
    assert refusal(grants, P.APPROVE, "shop", "Both", goes) == (
        "role approver in test does not reach as far as this (approve): it needs approver or "
        "release-manager or admin on pipeline shop, stage Both in prod and test."
    )
    assert "leads into no environment" in refusal(grants, P.APPROVE, "shop", "Nowhere", goes)


GLOBS = st.sampled_from([ALL, "test", "p*", "?"])
GRANTS = st.lists(
    st.builds(Grant, st.sampled_from(["viewer", "approver", "admin"]), GLOBS, GLOBS, GLOBS)
)


@given(GRANTS)
def test_what_is_written_is_read_and_older_replicas_find_in_it_what_they_know(
    grants: list[Grant],
) -> None:
    assert read(write(tuple(grants))) == tuple(grants)
    plain = tuple(one._replace(environments=ALL) for one in grants)
    assert all(len(one) == 3 for one in json.loads(write(plain)))


@given(GRANTS, st.sampled_from([*P]), st.sampled_from(["", "shop"]), st.sampled_from(["", *LEADS]))
def test_a_bound_never_allows_what_no_bound_refuses(
    grants: list[Grant], permission: Permission, pipeline: str, stage: str
) -> None:
    known: Goes = goes
    free = tuple(one._replace(environments=ALL) for one in grants)
    if may(tuple(grants), permission, pipeline, stage, known):
        assert may(free, permission, pipeline, stage, never)
