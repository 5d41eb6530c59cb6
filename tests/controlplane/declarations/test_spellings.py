"""Every real pipeline comes over, or is refused for the right reason, and goes back as it was."""

import json
from pathlib import Path
from typing import Any

import pytest

from controlplane.declarations.cloudformation.reading import Imported, import_template
from controlplane.declarations.load import DeclarationError, parse_text
from controlplane.declarations.moved import Standing, report
from controlplane.declarations.spelling import Spelling
from controlplane.declarations.spellings import export, import_text
from tests.controlplane.declarations.samples import ROOT

DATA = ROOT.parent / "shared" / "data"
TEMPLATES = sorted(
    path for path in (DATA / "codepipeline-cfn").glob("*") if path.name != "index.json"
)
STRUCTURES = sorted(
    path for path in (DATA / "codepipeline-json").glob("*") if path.name != "index.json"
)
REFUSED = {
    "aws__aws-cli__update-pipeline.rst_L83.json": "actionTypeId.__type: unknown key",
    "awsdocs__aws-codebuild-user-guide__sample-pipeline-batch.md_L158.json": "got 'output1 '",
}
"""A stray key of the example's own tool, and a name with a blank: CodePipeline refuses both."""


def test_the_real_inputs_are_there() -> None:
    assert len(TEMPLATES) >= 44
    assert len(STRUCTURES) >= 12


def read(path: Path) -> list[Imported]:
    return import_text(path.read_text(encoding="utf-8"), path.name)


@pytest.mark.parametrize("path", STRUCTURES, ids=lambda path: path.name)
def test_a_real_structure_goes_to_yaml_and_back_field_by_field(path: Path) -> None:
    if path.name in REFUSED:
        with pytest.raises(DeclarationError, match=REFUSED[path.name]):
            read(path)
        return
    [one] = read(path)
    text, _ = export(one, Spelling.YAML, exact=True)
    again, _ = export(Imported("", parse_text(text)), Spelling.CODEPIPELINE)
    assert _texts(json.loads(again)["pipeline"]) == _texts(
        json.loads(path.read_text(encoding="utf-8"))["pipeline"]
    )


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_a_real_template_goes_back_as_the_same_pipeline(path: Path) -> None:
    for one in read(path):
        text, left_out = export(one, Spelling.CLOUDFORMATION, exact=True)
        [again] = import_template(text, "again.json")
        assert not left_out
        assert again.declaration == one.declaration
        assert again.aside == one.aside
        assert again.symbolic == one.symbolic


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_a_real_template_goes_to_yaml_and_back(path: Path) -> None:
    for one in read(path):
        assert parse_text(export(one, Spelling.YAML)[0]) == one.declaration


def _texts(node: Any) -> Any:
    """Numbers and booleans of a configuration are texts in CodePipeline's own model."""
    if isinstance(node, dict):
        return {key: _texts(item) for key, item in node.items()}
    if isinstance(node, list):
        return [_texts(item) for item in node]
    return str(node).lower() if isinstance(node, (bool, int)) else node


def standings(text: str) -> dict[str, list[Standing]]:
    found: dict[str, list[Standing]] = {}
    for line in report(import_text(text, "p.yaml")[0].declaration):
        found.setdefault(line.where, []).append(line.standing)
    return found


def test_the_report_says_what_is_retired_and_what_is_needed() -> None:
    github = "{category: Source, owner: ThirdParty, provider: GitHub, version: '1'}"
    works = "{category: Deploy, owner: AWS, provider: OpsWorks, version: '1'}"
    build = "{category: Build, owner: AWS, provider: CodeBuild, version: '1'}"
    farm = "{category: Test, owner: AWS, provider: DeviceFarm, version: '1'}"
    text = f"""
pipeline: p
stages:
  - name: S
    actions: [{{name: Git, actionTypeId: {github}, configuration: {{OAuthToken: '****'}}}}]
  - name: T
    actions:
      - {{name: Build, actionTypeId: {build}}}
      - {{name: Farm, actionTypeId: {farm}}}
      - {{name: Works, actionTypeId: {works}}}
      - {{name: Ask, provider: Manual}}
      - {{name: Call, provider: Lambda, with: {{FunctionName: f}}}}
"""
    assert standings(text) == {
        "S.Git": [Standing.RETIRED, Standing.SECRET],
        "T.Build": [Standing.ACCOUNT],
        "T.Farm": [Standing.NOT_RUN],
        "T.Works": [Standing.RETIRED],
        "T.Ask": [Standing.RUNS],
        "T.Call": [Standing.ACCOUNT],
    }


def test_what_has_no_counterpart_is_said() -> None:
    text = """
pipeline: p
version: 3
notify: [{slack: {channel: C1}}]
stages: [{name: S, actions: [{name: A, provider: NoOp}]}]
"""
    [one] = import_text(text, "p.yaml")
    assert len(export(one, Spelling.CODEPIPELINE)[1]) == 1
    assert len(export(one, Spelling.CLOUDFORMATION)[1]) == 2


CDK = "aws-samples__aws-secure-environment-accelerator__reference-artifacts__Custom-Scripts__lza-upgrade"


def test_a_template_that_the_cdk_has_made_comes_over_with_what_it_needs() -> None:
    """Its names are Joins and hashes, and its roles GetAtts of the template: all symbols, none lost."""
    (path,) = [one for one in TEMPLATES if one.name.startswith(CDK)]
    assert '"aws:cdk:path"' in path.read_text(encoding="utf-8")
    [one] = import_text(path.read_text(encoding="utf-8"), path.name, {"AcceleratorPrefix": "Lza"})
    assert one.declaration.name == "LzaInstallerPipeline"
    assert [stage.name for stage in one.declaration.stages] == [
        *("Source", "ValidateParameters", "Deploy", "UpdateVersion", "Execute")
    ]
    assert one.declaration.role_arn == "${cfn.InstallerPipelineRole1F8864A8.Arn}"
    found = {line.where: line for line in report(one.declaration)}
    assert found["ValidateParameters.ValidateParameters"].standing is Standing.ACCOUNT
    assert "InstallerPipelineRole1F8864A8" in found["ValidateParameters.ValidateParameters"].why
    [again] = import_template(export(one, Spelling.CLOUDFORMATION, exact=True)[0], "again.json")
    assert again.declaration == one.declaration
