import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.actions.approval import Approval
from controlplane.actions.base import ActionError, Outcome
from controlplane.actions.noop import NoOp
from tests.controlplane.actions.making import task


def answered(**answer: str) -> str:
    return json.dumps(answer)


def test_an_approval_waits_and_asks_nobody_to_look() -> None:
    begun = Approval().start(task())
    assert begun.outcome is Outcome.RUNNING
    assert begun.handle == task().token
    assert begun.look_after is None


def test_what_the_approver_should_know_is_shown() -> None:
    told = {"CustomData": "Read the notes.", "ExternalEntityLink": "https://notes.invalid/1"}
    begun = Approval().start(task(configuration=told))
    assert (begun.summary, begun.url) == ("Read the notes.", "https://notes.invalid/1")


def test_it_is_approved_by_somebody_for_a_reason() -> None:
    answer = answered(status="Approved", by="ada", door="slack", summary="looks well")
    one = task(answer=answer)
    seen: Any = Approval().look([one])[one.token]
    assert (seen.outcome, seen.summary) == (
        Outcome.SUCCEEDED,
        "Approved by ada (slack): looks well",
    )
    assert seen.output == {"Status": "Approved", "ApprovedBy": "ada", "Summary": "looks well"}


def test_a_rejection_fails_it() -> None:
    seen = Approval().start(task(answer=answered(status="Rejected", by="ada")))
    assert (seen.outcome, seen.summary) == (Outcome.FAILED, "Rejected by ada")


@given(st.text(min_size=1) | st.sampled_from(['{"status": "Yes"}', "[]", '{"status": []}', "1"]))
def test_no_other_answer_approves(answer: str) -> None:
    one = task(answer=answer)
    seen = Approval().look([one])[one.token]
    assert isinstance(seen, ActionError)
    assert seen.permanent


def test_a_no_op_succeeds_or_fails_as_it_is_told() -> None:
    assert NoOp().start(task()).outcome is Outcome.SUCCEEDED
    failed = task(configuration={"Result": "FAILED"})
    assert NoOp().start(failed).outcome is Outcome.FAILED
    with pytest.raises(ActionError, match="neither SUCCEEDED nor FAILED"):
        NoOp().start(task(configuration={"Result": "MAYBE"}))


def test_what_calls_nothing_needs_no_thread() -> None:
    assert Approval.inline
    assert NoOp.inline
