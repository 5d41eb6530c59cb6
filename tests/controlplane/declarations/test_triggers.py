"""Does this change start this pipeline? A table, and what holds for every filter."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.declarations.check_triggers import check_triggers
from controlplane.declarations.model import PipelineDeclaration
from controlplane.declarations.triggers import (
    Answer,
    Change,
    Criteria,
    GitConfiguration,
    PullRequestEvent,
    of,
    starts,
)

YES, NO, ASK = Answer.YES, Answer.NO, Answer.ASK
MAIN, FEATURE, TAG = "refs/heads/main", "refs/heads/feature/1", "refs/tags/v1.0"
OPEN, CLOSED = PullRequestEvent.OPEN, PullRequestEvent.CLOSED


def configured(**given: Any) -> GitConfiguration:
    return GitConfiguration.model_validate({"sourceActionName": "Source", **given})


def push(**given: Any) -> GitConfiguration:
    return configured(push=[given])


def pull(**given: Any) -> GitConfiguration:
    return configured(pullRequest=[given])


INCLUDED = {"includes": ["main", "release/*"], "excludes": ["release/old"]}
SOURCE = {"includes": ["src/**"], "excludes": ["**/*.md"]}
TABLE: list[tuple[str, GitConfiguration | None, Change, Answer]] = [
    ("no trigger: its own branch", None, Change(MAIN), YES),
    ("no trigger: another branch", None, Change(FEATURE), NO),
    ("no trigger: a tag", None, Change(TAG), NO),
    ("no filter: its own branch", configured(), Change(MAIN), YES),
    ("no filter: no pull request", configured(), Change(MAIN, OPEN), NO),
    ("an included branch", push(branches=INCLUDED), Change(MAIN), YES),
    ("an included branch by its pattern", push(branches=INCLUDED), Change("refs/heads/release/2"), YES),
    ("excluded wins", push(branches=INCLUDED), Change("refs/heads/release/old"), NO),
    ("not included", push(branches=INCLUDED), Change(FEATURE), NO),
    ("only excludes: all others", push(branches={"excludes": ["main"]}), Change(FEATURE), YES),
    ("its own branch counts no more", push(branches={"includes": ["x"]}), Change(MAIN), NO),
    ("branches take no tags", push(branches={"includes": ["**"]}), Change(TAG), NO),
    ("an included tag", push(tags={"includes": ["v*"]}), Change(TAG), YES),
    ("tags take no branches", push(tags={"includes": ["**"]}), Change(MAIN), NO),
    ("push filters take no pull request", push(branches={"includes": ["main"]}), Change(MAIN, OPEN), NO),
    ("one file is enough", push(filePaths=SOURCE), Change(MAIN, files=("a", "src/a/b.py")), YES),
    ("an excluded file is none", push(filePaths=SOURCE), Change(MAIN, files=("src/a.md",)), NO),
    ("no file", push(filePaths=SOURCE), Change(MAIN, files=()), NO),
    ("files that are not known", push(filePaths=SOURCE), Change(MAIN), ASK),
    (
        "branch and files hold together",
        push(branches=INCLUDED, filePaths=SOURCE), Change(FEATURE, files=("src/a",)), NO,
    ),
    (
        "filters are alternatives",
        configured(push=[{"tags": {"includes": ["v*"]}}, {"branches": INCLUDED}]), Change(MAIN), YES,
    ),
    (
        "what is certain is not asked for",
        configured(push=[{"filePaths": SOURCE}, {"branches": INCLUDED}]), Change(MAIN), YES,
    ),
    ("a pull request into a branch", pull(branches=INCLUDED), Change(MAIN, OPEN), YES),
    ("a pull request into another", pull(branches=INCLUDED), Change(FEATURE, OPEN), NO),
    ("an event that is named", pull(events=["CLOSED"]), Change(MAIN, CLOSED), YES),
    ("an event that is not", pull(events=["CLOSED"]), Change(MAIN, OPEN), NO),
    ("no event named is all", pull(branches=INCLUDED), Change(MAIN, CLOSED), YES),
    ("pull request filters take no push", pull(branches=INCLUDED), Change(MAIN), NO),
    ("a pull request's files", pull(filePaths=SOURCE), Change(MAIN, OPEN, ("src/a",)), YES),
]  # fmt: skip


@pytest.mark.parametrize(
    ("config", "change", "wanted"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE]
)
def test_the_table(config: GitConfiguration | None, change: Change, wanted: Answer) -> None:
    assert starts(config, change, "main") is wanted


def test_a_source_that_detects_no_changes_is_started_by_none() -> None:
    assert starts(None, Change(MAIN), "main", detects=False) is NO
    assert starts(push(branches=INCLUDED), Change(MAIN), "main", detects=False) is YES


NAMES = st.lists(st.sampled_from(["main", "m*", "**", "a/*", "a/b"]), max_size=3)


@given(NAMES, NAMES, st.sampled_from(["main", "a/b", "x"]))
def test_excluding_more_never_takes_more(includes: Any, excludes: Any, name: str) -> None:
    less = Criteria(includes=includes, excludes=excludes)
    assert Criteria(includes=includes).take(name) or not less.take(name)


@given(st.booleans(), NAMES, st.lists(st.sampled_from(["a/b", "main"]), max_size=2))
def test_what_is_asked_for_is_never_yes_or_no_by_another_way(
    tag: bool, includes: Any, files: list[str]
) -> None:
    """ASK is answered only where the files decide: with all of them it may be both."""
    config = push(filePaths={"includes": includes or ["**"]})
    ref = TAG if tag else MAIN
    asked, known = (
        starts(config, Change(ref), ""),
        starts(config, Change(ref, files=tuple(files)), ""),
    )
    assert (asked is ASK) is not tag
    assert known is not ASK


def declared(*triggers: dict[str, Any], **more: Any) -> PipelineDeclaration:
    connection = {"ConnectionArn": "github", "FullRepositoryName": "a/b", "BranchName": "main"}
    kind = {"category": "Source", "provider": "CodeStarSourceConnection"}
    source = {"name": "Source", "actionTypeId": kind, "configuration": connection}
    stages = [{"name": "Source", "actions": [source]}]
    return PipelineDeclaration.model_validate(
        {"name": "p", "stages": stages, "triggers": triggers, **more}
    )


def trigger(**given: Any) -> dict[str, Any]:
    git = {"sourceActionName": "Source", **given}
    return {"providerType": "CodeStarSourceConnection", "gitConfiguration": git}


GOOD = trigger(push=[{"branches": {"includes": ["main"]}}])
BOTH = {"tags": {"includes": ["v*"]}, "branches": {"includes": ["main"]}}


def test_a_good_trigger_has_no_fault() -> None:
    assert list(check_triggers(declared(GOOD))) == []


@pytest.mark.parametrize(
    ("triggers", "more", "message"),
    [
        ([trigger(sourceActionName="Other")], {}, "no source of provider"),
        ([GOOD, GOOD], {}, "a second trigger"),
        ([GOOD], {"pipelineType": "V1"}, "type V2"),
        ([trigger(push=[BOTH])], {}, "tags stand alone"),
        ([trigger(push=[{}])], {}, "is empty"),
        ([trigger(push=[{"branches": {"includes": ["[a"]}}])], {}, "not closed"),
        ([trigger(push=[{"branch": {}}])], {}, "Extra inputs"),
        (
            [{"providerType": "GitHub", "gitConfiguration": {"sourceActionName": "Source"}}],
            {},
            "Input",
        ),
    ],
)
def test_a_bad_one_is_told_with_its_place(
    triggers: list[dict[str, Any]], more: dict[str, Any], message: str
) -> None:
    [found] = check_triggers(declared(*triggers, **more))
    assert message in found.message
    assert found.path[0] == "triggers"


def test_the_trigger_of_an_action_is_found_by_its_name() -> None:
    assert of([GOOD], "Other") is None
    assert of([GOOD], "Source") == push(branches={"includes": ["main"]})
