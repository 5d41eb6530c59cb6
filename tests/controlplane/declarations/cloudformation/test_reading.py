"""A template's pipeline, and what of it is wrong, where it stands."""

import pytest

from controlplane.declarations.cloudformation.reading import Imported, import_template
from controlplane.declarations.load import DeclarationError

PIPELINE = """
Parameters:
  Env: {Type: String}
Resources:
  Shop:
    Type: AWS::CodePipeline::Pipeline
    Properties:
      Name: !Sub '${Env}-shop'
      RoleArn: !GetAtt Role.Arn
      RestartExecutionOnUpdate: true
      ArtifactStores:
        - {Region: eu-west-1, ArtifactStore: {Type: S3, Location: !Ref Bucket}}
      DisableInboundStageTransitions: [{StageName: Prod, Reason: by hand}]
      Stages:
        - Name: Source
          Actions:
            - Name: App
              ActionTypeId: {Category: Source, Owner: AWS, Provider: S3, Version: '1'}
              Configuration: {S3Bucket: !Ref Bucket, PollForSourceChanges: false}
              OutputArtifacts: [{Name: App}]
"""


def one(text: str = PIPELINE, **parameters: str) -> Imported:
    [found] = import_template(text, "shop.yaml", parameters)
    return found


def problems(text: str, **parameters: str) -> str:
    with pytest.raises(DeclarationError) as caught:
        import_template(text, "shop.yaml", parameters)
    return str(caught.value)


def test_what_is_said_by_a_parameter_is_put_in() -> None:
    assert one(Env="prod").declaration.name == "prod-shop"


def test_where_only_a_name_may_stand_a_symbol_is_its_own_name_and_that_is_said() -> None:
    found = one()
    assert found.declaration.name == "Env-shop"
    assert any("Env" in note and "Env-shop" in note for note in found.notes)


def test_what_only_the_account_knows_stays_and_is_listed() -> None:
    found = one(Env="prod")
    assert found.declaration.role_arn == "${cfn.Role.Arn}"
    assert found.symbolic[("roleArn",)] == "Role.Arn"
    assert ("stages", 0, "actions", 0, "configuration", "S3Bucket") in found.symbolic


def test_what_is_no_part_of_the_structure_stays_aside_and_is_said() -> None:
    found = one(Env="prod")
    assert set(found.aside) == {"RestartExecutionOnUpdate", "DisableInboundStageTransitions"}
    assert sum("stays aside" in note for note in found.notes) == len(found.aside)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("Category: Source", "Category: Sauce", "shop.yaml:18:40: stages.Source.actions.App"),
        ("Name: App\n", "Nom: App\n", "shop.yaml:17:20: stages.Source.actions.0.nom: unknown key"),
        ("AWS::CodePipeline::Pipeline", "AWS::SNS::Topic", "shop.yaml:5:3: Resources: has no AWS"),
        ("Resources:", "Stuff:", "shop.yaml:2:1: is no CloudFormation template"),
        (
            "Parameters:\n  Env: {Type: String}",
            "Parameters: [a]",
            "shop.yaml:2:13: Parameters: must",
        ),
        ("!GetAtt Role.Arn", "!Foo x", "shop.yaml:9:16: a tag (!Foo) is not read here"),
    ],
)
def test_a_mistake_is_told_where_it_stands_in_the_template(old: str, new: str, said: str) -> None:
    assert said in problems(PIPELINE.replace(old, new))


def test_a_parameter_that_the_template_has_not_is_refused() -> None:
    assert "has no parameter 'Enw'; known: Env" in problems(PIPELINE, Enw="prod")


def test_a_pipeline_that_a_macro_may_make_is_not_left_out_in_silence() -> None:
    loop = "  Fn::ForEach::Each: [X, [a], {'${X}': {Type: 'AWS::CodePipeline::Pipeline'}}]\n"
    assert "get-template" in problems(PIPELINE + loop, Env="prod")
