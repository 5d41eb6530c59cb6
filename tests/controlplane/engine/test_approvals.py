"""Several people, one decision: whose word counts, once each, and on what they saw."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from controlplane.engine.refusals import CommandError, Person
from controlplane.sandbox.scripted import source_of
from controlplane.store import approvals
from tests.support.changed import changes_in_prod
from tests.support.doors import asks_a_person
from tests.support.house import ANNE, BAD, House, action, deploying, pipeline, source

BO = Person("bo", "console", "t-bo", frozenset({"release"}))
CY = Person("cy", "slack", "t-cy", frozenset({"release"}))
BO_AS_ROBOT = Person("robot", "api", "t-bo", frozenset({"release"}))


def asking(house: House, **said: str) -> str:
    """An execution of Anne's that waits in Gate, in front of Prod."""
    gate = {"name": "Gate", "actions": [action("Ask", "Manual", configuration=said)]}
    house.apply(pipeline(source(), gate, deploying("Prod")))
    asks_a_person(house)
    return house.start()


def say(house: House, execution: str, by: Person, approve: bool = True, **more: Any) -> None:
    house.commands.decide_approval(
        execution, "Gate", "Ask", by, approve=approve, **{"summary": "", **more}
    )
    house.settle()


def refused(house: House, execution: str, by: Person, **more: Any) -> str:
    before = house.stages(execution)
    with pytest.raises(CommandError) as error:
        say(house, execution, by, **more)
    assert house.stages(execution) == before
    return str(error.value)


def evidence(house: House, execution: str) -> str:
    (kept,) = rows(house, execution)
    return str(kept.evidence)


def rows(house: House, execution: str) -> Any:
    with house.database.read() as connection:
        found = connection.execute(approvals.APPROVAL.select()).all()
    return [row for row in found if row.execution_id == execution]


def votes(house: House) -> Any:
    with house.database.read() as connection:
        return connection.execute(approvals.VOTE.select()).all()


def test_a_plain_approval_is_codepipelines_and_its_author_may_approve(empty: House) -> None:
    execution = asking(empty)
    say(empty, execution, ANNE)
    assert empty.stages(execution)["Gate"] == "Succeeded"
    (vote,) = votes(empty)
    assert (vote.person, vote.door, vote.verdict) == ("anne", "api", "Approved")


def test_the_last_of_the_quorum_answers_and_all_are_named(empty: House) -> None:
    execution = asking(empty, Quorum="2")
    say(empty, execution, BO)
    assert empty.stages(execution)["Gate"] == "InProgress"
    assert empty.texts("approval.voted") == ["Approved by bo (console) (1 of 2)"]
    say(empty, execution, CY, summary="well")
    assert empty.stages(execution)["Gate"] == "Succeeded"
    assert empty.texts("approval.answered") == [
        "Approved by cy (slack): well; approved before by bo"
    ]


def test_one_rejection_is_enough_even_of_one_who_approved(empty: House) -> None:
    execution = asking(empty, Quorum="2")
    say(empty, execution, BO)
    say(empty, execution, BO, approve=False)
    assert empty.stages(execution)["Gate"] == "Failed"


def test_one_person_counts_once_by_whatever_door_and_token(empty: House) -> None:
    execution = asking(empty, Quorum="2")
    say(empty, execution, BO)
    assert "it counts once" in refused(empty, execution, BO)
    assert "as bo, who is the same person" in refused(empty, execution, BO_AS_ROBOT)
    assert empty.stages(execution)["Gate"] == "InProgress"


@pytest.mark.parametrize(
    "said", [{"Quorum": "1"}, {"Approvers": "anne, bo"}, {"AuthorMayApprove": "false"}]
)
def test_the_author_may_not_approve_and_that_he_tried_is_on_record(
    empty: House, said: dict[str, str]
) -> None:
    execution = asking(empty, **said)
    assert "another person must" in refused(empty, execution, ANNE)
    (kept,) = empty.texts("approval.refused")
    assert kept.startswith("Approved by anne (api) was refused: anne started this execution")
    say(empty, execution, BO)
    assert empty.stages(execution)["Gate"] == "Succeeded"


def test_the_author_is_known_under_another_name_of_his(empty: House) -> None:
    say(empty, asking(empty, Quorum="1"), BO, approve=False)
    execution = empty.commands.start("shop", BO)
    empty.settle()
    assert "another person must" in refused(empty, execution, BO_AS_ROBOT)


def test_who_wrote_the_commit_is_an_author_too(empty: House) -> None:
    wrote = {"AuthorDisplayName": "Cy", "AuthorEmail": "cy@shop.invalid"}

    def script(task: Any, asked: int) -> Any:
        made: Any = source_of(BAD)(task, asked)
        return replace(made, output=wrote)

    empty.drivers["S3"].default = script
    execution = asking(empty, Quorum="1")
    assert "another person must" in refused(empty, execution, CY)


def test_an_author_may_reject_what_is_his(empty: House) -> None:
    execution = asking(empty, Quorum="2")
    say(empty, execution, ANNE, approve=False)
    assert empty.stages(execution)["Gate"] == "Failed"


def test_the_author_may_where_it_is_said(empty: House) -> None:
    execution = asking(empty, Quorum="1", AuthorMayApprove="true")
    say(empty, execution, ANNE)
    assert empty.stages(execution)["Gate"] == "Succeeded"


def test_only_whom_names_and_groups_say(empty: House) -> None:
    execution = asking(empty, Approvers="group:release, dora")
    said = refused(empty, execution, Person("eve", "api", "", frozenset({"others"})))
    assert said.endswith("ask one of dora, group release")
    say(empty, execution, BO)
    assert empty.stages(execution)["Gate"] == "Succeeded"


def test_a_comment_is_asked_for_and_has_an_end(empty: House) -> None:
    execution = asking(empty, RequireComment="true")
    assert "needs a comment" in refused(empty, execution, BO, summary=" ")
    assert "512 at most" in refused(empty, execution, BO, summary="x" * 513)
    say(empty, execution, BO, summary="x" * 512)
    assert empty.stages(execution)["Gate"] == "Succeeded"


def test_a_word_on_what_has_changed_is_refused(empty: House) -> None:
    execution = asking(empty)
    assert "look at it again" in refused(empty, execution, BO, evidence="0" * 64)
    (kept,) = empty.texts("approval.refused")
    assert kept.startswith("Approved by bo (console) was refused: what you saw has changed since")
    say(empty, execution, BO, evidence=evidence(empty, execution))
    assert empty.stages(execution)["Gate"] == "Succeeded"


def test_approvals_of_what_has_changed_since_count_no_longer_and_that_is_told(
    empty: House,
) -> None:
    execution = asking(empty, Quorum="2")
    say(empty, execution, BO)
    seen = evidence(empty, execution)
    changes_in_prod(empty, "sha256:other")
    empty.wait(120, step=30)
    assert empty.texts("approval.invalidated") == [
        "what Ask is about has changed: 1 earlier approval(s) no longer count"
    ]
    assert "look at it again" in refused(empty, execution, CY, evidence=seen)
    say(empty, execution, CY)
    assert empty.stages(execution)["Gate"] == "InProgress"
    say(empty, execution, BO)
    assert empty.stages(execution)["Gate"] == "Succeeded"


def test_a_reminder_comes_once_each_time_and_to_no_replica_twice(empty: House) -> None:
    execution = asking(empty, RemindAfter="1h")
    empty.wait(3540, step=60)
    assert "approval.reminded" not in empty.kinds(execution)
    other = empty.new_engine()
    for _ in range(70):
        empty.clock.advance(60)
        empty.settle()
        while other.turn():
            pass
    assert empty.texts("approval.reminded")[0].startswith("Ask has waited for 1.0 h")
    assert len(empty.texts("approval.reminded")) == 2


def test_an_approval_that_says_nothing_of_it_is_never_looked_at_while_it_waits(
    empty: House,
) -> None:
    execution = asking(empty)
    before = empty.engine.moves
    empty.wait(7200, step=600)
    assert empty.engine.moves == before
    assert empty.stages(execution)["Gate"] == "InProgress"


def test_it_expires_whoever_has_approved(empty: House) -> None:
    execution = asking(empty, Quorum="2")
    say(empty, execution, BO)
    empty.clock.advance(8 * 24 * 3600)
    empty.settle()
    assert empty.stages(execution)["Gate"] == "Failed"
    assert "no approval Ask is open" in refused(empty, execution, CY)


PEOPLE = [
    ANNE,
    BO,
    CY,
    BO_AS_ROBOT,
    Person("bo", "codepipeline"),
    Person("anne", "slack", "t-anne", frozenset({"release"})),
    Person("dora", "cli"),
    Person("eve", "api", "t-eve", frozenset({"others"})),
]
WHO = {"bo": "bo", "robot": "bo", "cy": "cy", "dora": "dora", "anne": "anne", "eve": "eve"}
STEPS = st.lists(
    st.sampled_from(PEOPLE) | st.sampled_from(["changes", "time"]), min_size=1, max_size=14
)


@given(STEPS, st.integers(1, 3), st.booleans())
@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_never_without_a_quorum_of_different_people_who_may(
    tmp_path_factory: pytest.TempPathFactory, steps: list[Any], quorum: int, author: bool
) -> None:
    house = House(tmp_path_factory.mktemp("votes"))
    execution = asking(
        house,
        Quorum=str(quorum),
        Approvers="group:release, bo, dora, anne",
        AuthorMayApprove=str(author).lower(),
    )
    agreed: set[str] = set()
    for number, step in enumerate(steps):
        if step == "changes":
            changes_in_prod(house, f"sha256:{number}")
            agreed = set()
        elif step == "time":
            house.clock.advance(61)
            house.settle()
        else:
            may = WHO[step.name] != "eve" and (author or WHO[step.name] != "anne")
            try:
                say(house, execution, step)
            except CommandError:
                assert not may or WHO[step.name] in agreed
            else:
                assert may
                agreed |= {WHO[step.name]}
        through = house.stages(execution)["Gate"] == "Succeeded"
        assert through == (len(agreed) >= quorum)
        if through:
            break
    house.database.engine.dispose()
