"""Who may what where: `may` alone, without a door."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.store import grants
from controlplane.store.grants import Grant, bounded, may, may_somewhere, seen_by
from controlplane.store.roles import ROLES, Permission, Role

RUN, READ, APPROVE = Permission.RUN, Permission.READ, Permission.APPROVE
NAMES = st.sampled_from(["shop", "shop-eu", "till", "Dev", "Prod", ""])
GLOBS = st.sampled_from(["*", "shop", "shop*", "s?op", "Prod", "till"])
SOME = st.lists(st.builds(Grant, st.sampled_from(list(Role)), GLOBS, GLOBS), max_size=3).map(tuple)


@pytest.mark.parametrize(
    ("pipeline", "stage", "there", "can"),
    [
        ("*", "*", ("", ""), True),
        ("*", "*", ("shop", "Prod"), True),
        ("shop", "*", ("shop", ""), True),
        ("shop", "*", ("", ""), False),
        ("shop", "*", ("shop-eu", "Prod"), False),
        ("shop-*", "*", ("shop-eu", ""), True),
        ("shop", "Dev", ("shop", "Dev"), True),
        ("shop", "Dev", ("shop", "Prod"), False),
        ("shop", "Dev", ("shop", ""), False),
        ("shop", "dev", ("shop", "Dev"), False),
    ],
)
def test_a_grant_reaches_what_its_globs_match(
    pipeline: str, stage: str, there: tuple[str, str], can: bool
) -> None:
    assert may((Grant("developer", pipeline, stage),), RUN, *there) is can


def test_a_grant_over_a_stage_shows_the_whole_pipeline_and_no_other() -> None:
    seen = seen_by(bounded(Role.DEVELOPER, ["shop"], ["Dev"]))
    assert seen is not None and seen("shop") and not seen("till")
    assert seen_by(bounded(Role.VIEWER)) is None


def test_grants_add_up() -> None:
    held = (Grant("viewer"), Grant("approver", "shop", "Gate"))
    assert may(held, APPROVE, "shop", "Gate") and may(held, READ)
    assert not may(held, APPROVE, "till", "Gate")


@given(SOME, st.sampled_from(list(Permission)), NAMES, NAMES)
def test_nobody_may_anywhere_what_no_role_of_his_holds(
    held: grants.Grants, wanted: Permission, pipeline: str, stage: str
) -> None:
    could = any(wanted in ROLES[Role(one.role)] for one in held)
    assert may_somewhere(held, wanted) is could
    assert could or not may(held, wanted, pipeline, stage)


@given(SOME, st.sampled_from(list(Permission)), NAMES, NAMES)
def test_who_may_everywhere_may_at_each_place(
    held: grants.Grants, wanted: Permission, pipeline: str, stage: str
) -> None:
    assert may(held, wanted, pipeline, stage) or not may(held, wanted)
    assert may(held, wanted, pipeline, stage) or not may(held, wanted, pipeline)


@given(SOME)
def test_grants_are_read_as_they_were_written(held: grants.Grants) -> None:
    assert grants.read(grants.write(held)) == held


@pytest.mark.parametrize("text", ["", "{", "[1]", "[[]]", '[["admin","*","*","*","*"]]', "null"])
def test_what_cannot_be_read_grants_nothing(text: str) -> None:
    assert not any(may(grants.read(text), one) for one in Permission)


def test_a_role_that_is_not_in_the_table_may_nothing() -> None:
    assert not may((Grant("scoped"),), READ)


@pytest.mark.parametrize("glob", ["", "a b", "[a]", "a/b", "x" * 101])
def test_a_glob_that_is_none_is_refused(glob: str) -> None:
    with pytest.raises(ValueError, match="is no glob"):
        grants.check([glob])


def test_developers_move_releases_and_let_none_pass() -> None:
    assert ROLES[Role.DEVELOPER] == {READ, RUN}
