"""What builds and commands may be told: found before an execution is at it."""

import json
from typing import Any

import pytest

from controlplane.declarations.check_builds import check_builds
from controlplane.declarations.check_flow import check_flow
from controlplane.declarations.load import load_text
from controlplane.declarations.model import PipelineDeclaration
from tests.controlplane.declarations.samples import changed, problems
from tests.support.house import action, deploying, pipeline

BUILD = """\
  - name: Build
    account: tools
    region: eu-west-1
    actions:
      - name: Make
        provider: {provider}
        inputs: [{inputs}]
        outputs: [{outputs}]
        namespace: Made
{more}"""
PROD = "  - name: Prod\n"


def text(more: str, provider: str = "CodeBuild", inputs: str = "App", outputs: str = "Bin") -> str:
    lines = "".join(f"        {line}\n" for line in more.splitlines())
    stage = BUILD.format(provider=provider, inputs=inputs, outputs=outputs, more=lines)
    return changed(("inputs: [App]", f"inputs: [{outputs or 'App'}]"), (PROD, stage + PROD))


def project(**more: object) -> str:
    return f"with: {json.dumps({'ProjectName': 'shop', **more})}"


RUN = "commands: [make, 'echo $V']"
WELL = [
    text(project()),
    text(project(EnvironmentVariables=[{"name": "A", "value": "#{Release.VersionId}"}])),
    text(project(BatchEnabled=True, CombineArtifacts=True)),
    text(f"{RUN}\noutputVariables: [V]", "Commands"),
    text(f"{RUN}\nenvironmentVariables: [{{name: V, value: '#{{Release.ETag}}'}}]", "Commands"),
]
WRONG = [
    (text("with: {}"), "ProjectName: is missing"),
    (text(project(), outputs="a-b, a_b"), "outputs: CodeBuild cannot tell these apart"),
    (text(project(PrimarySource="Ap")), "PrimarySource: 'Ap' is no input of it (did you mean"),
    (
        text(project(EnvironmentVariables=[{"name": "A B", "value": "1"}])),
        "EnvironmentVariables: 'A B' is no name of an environment variable",
    ),
    (
        text(project(EnvironmentVariables=[{"name": "TOWPATH_ACTION_TOKEN", "value": "1"}])),
        "TOWPATH_ACTION_TOKEN is set by Towpath",
    ),
    (
        text(project(BuildspecOverride="#{Release.ETag}")),
        "BuildspecOverride: must be written out, not be a variable",
    ),
    (text(project(CombineArtifacts=True)), "CombineArtifacts: is for a batch"),
    (text(project(BatchEnabled=True)), "outputs: a batch puts one artifact out"),
    (text(f"{project()}\n{RUN}"), "commands: commands are of Commands only"),
    (text("outputVariables: [V]", "Commands"), "commands: there are 1 to 50 commands, not 0"),
    (
        text("commands: ['echo #{Release.VersionId}']", "Commands"),
        "commands.0: #{Release.VersionId} would be run as code",
    ),
    (text('commands: ["a\\nb"]', "Commands"), "commands.0: is more than one line"),
    (
        text(f"{RUN}\nenvironmentVariables: [{{name: V, value: '#{{Nope.A}}'}}]", "Commands"),
        "#{Nope.A}: no earlier action has the namespace",
    ),
]


@pytest.mark.parametrize("well", WELL)
def test_what_can_be_built_is_not_complained_about(well: str) -> None:
    assert problems(well) == []


@pytest.mark.parametrize(("wrong", "said"), WRONG)
def test_what_cannot_be_built_is_told_where_it_stands(wrong: str, said: str) -> None:
    told = problems(wrong)
    assert any(said in one for one in told), told


def test_the_bare_name_builds_and_a_test_is_spelt_out() -> None:
    (action,) = load_text(text(project())).stages[1].actions
    assert action.driver == ("Build", "AWS", "CodeBuild")
    spelt = "{category: Test, owner: AWS, provider: CodeBuild, version: '1'}"
    test = text(project()).replace("provider: CodeBuild", f"actionTypeId: {spelt}")
    assert load_text(test).stages[1].actions[0].driver == ("Test", "AWS", "CodeBuild")


def test_a_build_stands_at_a_gate_and_proves_a_bake() -> None:
    rule = "          - {name: May, provider: CodeBuild, with: {ProjectName: p}}\n"
    gate = f"    gate:\n{rule[4:]}    bake:\n"
    assert problems(changed(("    bake:\n", gate))) == []
    signals = "      signals:\n"
    assert problems(changed((signals, f"{signals}  {rule[4:]}"))) == []


def referring(*stages: dict[str, Any]) -> PipelineDeclaration:
    kind = {"provider": "CodeStarSourceConnection", "owner": "AWS", "category": "Source"}
    told = {"ConnectionArn": "github", "FullRepositoryName": "team/shop", "BranchName": "main"}
    git = action("Git", "S3", outputArtifacts=[{"name": "App"}])
    configuration = {**told, "OutputArtifactFormat": "CODEBUILD_CLONE_REF"}
    git |= {"actionTypeId": kind, "configuration": configuration}
    return pipeline({"name": "Source", "actions": [git]}, *stages)


def test_a_build_takes_a_reference_to_a_commit() -> None:
    make = action("Make", "CodeBuild", configuration={"ProjectName": "shop"})
    make["inputArtifacts"] = [{"name": "App"}]
    declared = referring({"name": "Build", "actions": [make]})
    assert not list(check_builds(declared)) + list(check_flow(declared))


def test_a_deployment_takes_none_whatever_its_copy_is_called() -> None:
    promote = action("Copy", "CodeDeployStop", outputArtifacts=[{"name": "Copy"}])
    promote |= {"inputArtifacts": [{"name": "App"}]}
    stage = deploying("Prod", watched=False)
    deploy = {**stage["actions"][0], "runOrder": 2, "inputArtifacts": [{"name": "Copy"}]}
    for actions in ([stage["actions"][0]], [promote, deploy]):
        found = check_flow(referring({**stage, "actions": actions}))
        (said,) = [one for one in found if "CODEBUILD_CLONE_REF" in one.message]
        assert "deploy what a build makes of it" in said.message
