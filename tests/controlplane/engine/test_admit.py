"""Who may enter a stage."""

from hypothesis import given
from hypothesis import strategies as st

from controlplane.declarations.model import ExecutionMode
from controlplane.engine.admit import Waiting, admit

waiting = st.lists(
    st.integers(0, 99).map(lambda n: Waiting(f"s{n}", f"e{n:02}", f"sha256:{n % 3}")),
    unique_by=lambda w: w.execution_id,
)
modes = st.sampled_from(ExecutionMode)
bad = st.sets(st.sampled_from(["sha256:0", "sha256:1"])).map(frozenset)


@given(modes, waiting, st.booleans(), st.booleans(), bad)
def test_nobody_enters_a_closed_stage_nor_twice_nor_with_a_quarantined_digest(
    mode: ExecutionMode,
    inbound: list[Waiting],
    occupied: bool,
    closed: bool,
    held: frozenset[str],
) -> None:
    result = admit(mode, inbound, occupied=occupied, closed=closed, quarantine=held)
    if closed or (occupied and mode is not ExecutionMode.PARALLEL):
        assert result.enter == []
    if mode is not ExecutionMode.PARALLEL:
        assert len(result.enter) <= 1
    assert all(w.digest not in held for w in result.enter)
    assert not {w.stage_id for w in result.enter} & {w.stage_id for w, _ in result.superseded}


@given(waiting, st.booleans())
def test_in_superseded_mode_only_the_newest_is_left(
    inbound: list[Waiting],
    occupied: bool,
) -> None:
    result = admit(
        ExecutionMode.SUPERSEDED, inbound, occupied=occupied, closed=True, quarantine=frozenset()
    )
    assert len(result.superseded) == max(0, len(inbound) - 1)
    assert all(older.execution_id < newer.execution_id for older, newer in result.superseded)


@given(waiting)
def test_queued_executions_enter_in_order(inbound: list[Waiting]) -> None:
    result = admit(
        ExecutionMode.QUEUED, inbound, occupied=False, closed=False, quarantine=frozenset()
    )
    assert [w.execution_id for w in result.enter] == sorted(w.execution_id for w in inbound)[:1]
