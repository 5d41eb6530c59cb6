"""The tables of moves."""

from collections.abc import Mapping
from enum import StrEnum

import pytest

from controlplane.states import (
    ACTION_MOVES,
    EXECUTION_MOVES,
    ROLLBACK_MOVES,
    STAGE_MOVES,
    WATCH_MOVES,
    ActionStatus,
    ExecutionStatus,
    IllegalMoveError,
    StageStatus,
    check,
    is_over,
)

TABLES = (ACTION_MOVES, EXECUTION_MOVES, ROLLBACK_MOVES, STAGE_MOVES, WATCH_MOVES)


@pytest.mark.parametrize("moves", TABLES)
def test_every_state_has_its_line_and_every_move_ends_in_a_state(
    moves: Mapping[StrEnum, frozenset[StrEnum]],
) -> None:
    states = set(type(next(iter(moves))).__members__.values())
    assert set(moves) == states
    assert {new for news in moves.values() for new in news} <= states


def test_a_move_that_no_table_lists_is_refused() -> None:
    with pytest.raises(IllegalMoveError, match="StageStatus: Succeeded -> Baking"):
        check(StageStatus.SUCCEEDED, StageStatus.BAKING)


def test_a_call_is_never_made_before_its_intent_is_on_record() -> None:
    assert ActionStatus.IN_PROGRESS not in ACTION_MOVES[ActionStatus.READY]


@pytest.mark.parametrize(
    ("status", "over"),
    [
        (ExecutionStatus.FAILED, True),
        (ExecutionStatus.SUCCEEDED, True),
        (ExecutionStatus.STOPPING, False),
        (StageStatus.BAKING, False),
        (ActionStatus.ABANDONED, True),
    ],
)
def test_what_is_over(status: ExecutionStatus, over: bool) -> None:
    assert is_over(status) is over
