"""Every spelling says the same: what is written is read again as what it was."""

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from controlplane.declarations.json_spelling import dumps, fingerprint, loads
from controlplane.declarations.load import DeclarationError, load_text, parse_text
from controlplane.declarations.model import PipelineDeclaration
from controlplane.declarations.yaml_spelling import to_yaml
from tests.controlplane.declarations.samples import ROOT, SMALL
from tests.controlplane.declarations.strategies import declarations

REAL = ROOT.parent / "shared" / "data" / "codepipeline-json"
slow_to_make = settings(
    deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


@slow_to_make
@given(declarations)
def test_yaml_is_read_again_as_what_was_written(declaration: PipelineDeclaration) -> None:
    assert parse_text(to_yaml(declaration)) == declaration


@slow_to_make
@given(declarations)
def test_stored_json_is_read_again_as_what_was_written(declaration: PipelineDeclaration) -> None:
    assert loads(dumps(declaration)) == declaration
    assert parse_text(dumps(declaration)) == declaration


def test_the_shortest_words_are_chosen() -> None:
    again = to_yaml(load_text(SMALL))
    for words in ("provider: CodeDeploy", "inputs: [AppProd]", "time: 20s", "onFailure: rollback"):
        assert words in again
    for own in ("actionTypeId", "configuration", "Account", "BakeTime", "onSuccess", "mode"):
        assert own not in again


def test_the_fingerprint_is_that_of_the_meaning_not_of_the_spelling() -> None:
    other = SMALL.replace("{S3Bucket: releases, S3ObjectKey: shop.zip}", "\n") + "# a comment\n"
    other = other.replace("        with: \n", "        with:\n          S3ObjectKey: shop.zip\n")
    other = other.replace("shop.zip\n", "shop.zip\n          S3Bucket: releases\n", 1)
    assert fingerprint(load_text(other)) == fingerprint(load_text(SMALL))
    assert fingerprint(load_text(SMALL)) != fingerprint(load_text(SMALL.replace("blue", "green")))


def test_a_stored_declaration_says_its_defaults() -> None:
    assert json.loads(dumps(load_text(SMALL)))["executionMode"] == "SUPERSEDED"


def test_stored_text_that_is_none_is_a_value_error() -> None:
    with pytest.raises(ValueError, match="name"):
        loads("{}")


MISTAKES = {
    "aws__aws-cli__update-pipeline.rst_L83.json": "actionTypeId.__type: unknown key",
    "awsdocs__aws-codebuild-user-guide__sample-pipeline-batch.md_L158.json": "got 'output1 '",
}
"""What CodePipeline would refuse as well: its own documentation's slips."""


def real() -> list[Path]:
    """Structures that others wrote; the folder must be there wherever it is promised."""
    return [path for path in sorted(REAL.glob("*.json")) if path.name != "index.json"]


def test_the_structures_that_others_wrote_are_there() -> None:
    assert len(real()) >= 12, f"{REAL} is missing"


@pytest.mark.parametrize("name", MISTAKES)
def test_a_slip_in_a_structure_of_others_is_told(name: str) -> None:
    with pytest.raises(DeclarationError, match=MISTAKES[name]):
        parse_text((REAL / name).read_text(), name)


@pytest.mark.parametrize(
    "path", [path for path in real() if path.name not in MISTAKES], ids=lambda path: path.name[:40]
)
def test_structures_that_others_wrote_survive_both_spellings(path: Path) -> None:
    declaration = parse_text(path.read_text(), path.name)
    assert parse_text(to_yaml(declaration)) == declaration
    assert loads(dumps(declaration)) == declaration
    assert all(action.name for stage in declaration.stages for action in stage.actions)


def test_a_pipeline_of_others_is_told_which_providers_are_not_run() -> None:
    path = next(path for path in real() if "aws-samples" in path.name)
    text = path.read_text().replace('"CodeCommit"', '"AppConfig"')
    with pytest.raises(DeclarationError, match="no provider 'AppConfig' is run"):
        load_text(text, path.name)
