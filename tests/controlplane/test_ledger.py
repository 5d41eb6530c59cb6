"""Which digest is where, and which is the last known good."""

from hypothesis import given
from hypothesis import strategies as st

from controlplane.ledger import Entry, Fared, last_known_good, standing, target_of

entries = st.lists(
    st.builds(
        Entry,
        id=st.integers(1, 50),
        target=st.sampled_from(["prod", "test"]),
        digest=st.sampled_from(["sha256:a", "sha256:b", "sha256:c"]),
        artifact=st.just("{}"),
        execution_id=st.just("e"),
        status=st.sampled_from(Fared),
    ),
    unique_by=lambda entry: entry.id,
)


@given(entries, st.sets(st.sampled_from(["sha256:a", "sha256:b", "sha256:c"])))
def test_the_last_known_good_fared_well_is_free_and_nothing_newer_is(
    found: list[Entry], bad: set[str]
) -> None:
    good = last_known_good(found, bad)
    fit = [e.id for e in found if e.status is Fared.GOOD and e.digest not in bad]
    assert (good.id if good else None) == max(fit, default=None)


@given(entries)
def test_what_stands_is_the_newest_that_reached_the_target(found: list[Entry]) -> None:
    for target, entry in standing(found).items():
        assert entry.id == max(e.id for e in found if e.target == target)


def test_deploying_and_restoring_name_one_target_alike() -> None:
    where = {"Account": "prod", "ApplicationName": "shop", "DeploymentGroupName": "all"}
    names = {target_of(p, "eu-west-1", where) for p in ("CodeDeploy", "CodeDeployRestore")}
    assert names == {"prod/eu-west-1/shop/all"}
