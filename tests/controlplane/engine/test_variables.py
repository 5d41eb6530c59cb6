"""Variables of a pipeline: given by whoever starts it, read wherever a configuration asks for them."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from controlplane.api.stage_documents import stage_execution
from controlplane.declarations.model import PipelineDeclaration
from controlplane.engine.refusals import CommandError, Person
from controlplane.sandbox.scripted import succeed
from controlplane.store import executions
from monitors.base import Outcome, Progress, Task
from tests.support.house import ANNE, House, action, gated, pipeline, rule, source


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path)
    yield house
    house.database.close()


def declared(*stages: dict[str, Any]) -> PipelineDeclaration:
    """A pipeline with a variable that has a default, and one that has none."""
    made = pipeline(source(), *stages).model_dump(by_alias=True)
    made["variables"] = [{"name": "Ticket"}, {"name": "Size", "defaultValue": "small"}]
    return PipelineDeclaration.model_validate(made)


def asking(**configuration: str) -> dict[str, Any]:
    return {"name": "Test", "actions": [action("Try", "NoOp", configuration=configuration)]}


def test_values_and_defaults_are_put_in_wherever_they_are_asked_for(house: House) -> None:
    stage = asking(Text="#{variables.Ticket}/#{variables.Size}/#{codepipeline.PipelineExecutionId}")
    check = {"Variable": "#{variables.Ticket}", "Operator": "EQ", "Value": "OPS-7"}
    house.apply(declared(gated(stage, rule("Ours", "VariableCheck", configuration=check))))
    execution = house.commands.start("shop", ANNE, variables={"Ticket": "OPS-7"})
    house.settle()
    (task,) = house.drivers["NoOp"].started
    assert task.configuration["Text"] == f"OPS-7/small/{execution}"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "no default for Ticket"),
        ({"Ticket": ""}, "1 to 1,000 characters"),
        ({"Ticket": "x" * 1001}, "1 to 1,000 characters"),
        ({"Ticket": "x", "Colour": "red"}, "no variable 'Colour'; it has Ticket, Size"),
    ],
)
def test_a_person_gives_every_value_that_is_missing_and_no_other(
    house: House, given: dict[str, str], said: str
) -> None:
    house.apply(declared(asking()))
    with pytest.raises(CommandError, match=said):
        house.commands.start("shop", ANNE, variables=given)
    assert not house.rows()


def test_where_nobody_could_give_it_the_action_that_needs_it_fails_and_says_so(
    house: House,
) -> None:
    house.apply(declared(asking(Text="#{variables.Ticket}")))
    execution = house.commands.start("shop", Person("s3", "event"))
    house.settle()
    assert house.execution(execution).status == "Failed"
    assert "#{variables.Ticket}" in house.execution(execution).reason


def test_an_approver_reads_the_values_and_not_their_names(house: House) -> None:
    made = action("Try", "NoOp", namespace="Built")
    note = {
        "CustomData": "Release #{Built.Number}?",
        "ExternalEntityLink": "https://x/#{Built.Number}",
    }
    asks = action("Ask", "Manual", 2, configuration=note)
    house.drivers["NoOp"].default = lambda task, asked: Progress(
        succeed(task, asked).outcome, handle=task.token, output={"Number": "42"}
    )
    house.drivers["Manual"].default = approval
    house.apply(pipeline(source(), {"name": "Test", "actions": [made, asks]}))
    execution = house.start()
    with house.database.read() as connection:
        row = executions.of_execution(connection, execution)[-1]
        stage = pipeline({"name": "Test", "actions": [made, asks]}).stage("Test")
        document = stage_execution(connection, row, house.execution(execution), stage)
    (asked,) = [one for one in document["actions"] if one["name"] == "Ask"]
    assert asked["approval"] == {"note": "Release 42?", "link": "https://x/42"}


def approval(task: Task, _asked: int) -> Progress:
    said = task.configuration
    return Progress(Outcome.RUNNING, task.token, said["CustomData"], url=said["ExternalEntityLink"])


def test_an_action_that_puts_out_too_much_fails(house: House) -> None:
    house.drivers["NoOp"].default = lambda task, _asked: Progress(
        Outcome.SUCCEEDED, task.token, output={"Log": "x" * 122_880}
    )
    house.apply(pipeline(source(), asking()))
    execution = house.start()
    assert "more than 122,880" in house.execution(execution).reason


@pytest.mark.parametrize(
    ("text", "means"),
    [
        ('{"Image": "#{variables.Ticket}"}', {"Image": '", "Role": "admin'}),
        ("#{variables.Size}", {"Role": "viewer"}),
    ],
)
def test_a_value_breaks_out_of_no_text_in_json_but_may_be_all_of_it(
    house: House, text: str, means: dict[str, str]
) -> None:
    stack = {"StackName": "s", "ActionMode": "CREATE_UPDATE", "ParameterOverrides": text}
    update = action(
        "Update", "CloudFormation", configuration=stack, inputArtifacts=[{"name": "App"}]
    )
    house.apply(declared({"name": "Stack", "actions": [update]}))
    given = {"Ticket": '", "Role": "admin', "Size": '{"Role": "viewer"}'}
    house.commands.start("shop", ANNE, variables=given)
    house.settle()
    (task,) = house.drivers["CloudFormation"].started
    assert json.loads(task.configuration["ParameterOverrides"]) == means
