"""The editors' schema knows the same words as the loader."""

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from accounts.yaml_text import read
from controlplane.declarations.load import MAX_BYTES
from controlplane.declarations.meaning import resolve
from controlplane.declarations.providers import ACTIONS
from controlplane.declarations.rule_providers import RULES
from controlplane.declarations.schema import json_schema
from tests.controlplane.declarations.samples import EXAMPLES, SMALL, changed, problems

SCHEMA = json_schema()
VALIDATOR = Draft202012Validator(SCHEMA)

WRONG_SHAPES = [
    ("pipeline: shop", "pipeline: my shop"),
    ("pipeline: shop\n", ""),
    ("pipeline: shop", "pipeline: shop\nname: shop"),
    ("pipeline: shop", "pipeline: shop\ncolour: red"),
    ("pipeline: shop", "pipeline: shop\nmode: FASTEST"),
    ("pipeline: shop", "pipeline: shop\nartifactStore: {location: b, encryptionkey: {}}"),
    ("pipeline: shop", "pipeline: shop\nroleArn: null"),
    ("outputs: [App]", "outputs: App"),
    ("outputs: [App]", "outputs: [App]\n        outputArtifacts: []"),
    ("outputs: [App]", "output: [App]"),
    ("provider: S3Promote", "provider: S3Demote"),
    ("        provider: S3Promote\n", ""),
    ("runOrder: 2", "runOrder: second"),
    ("runOrder: 2", "runOrder: 0"),
    ("runOrder: 2", "runOrder: 2\n        timeoutInMinutes: 1"),
    ("{CanaryName: shop-prod}", "{Canary: shop-prod}"),
    ("{CanaryName: shop-prod}", "{}"),
    ("{CanaryName: shop-prod}", "shop-prod"),
    ("{CanaryName: shop-prod}", "{CanaryName: c, Runs: few}"),
    ("time: 20s", "time: soon"),
    ("time: 20s", "tome: 20s"),
    ("interval: 1s", "onFail: SKIP"),
    ("      signals:", "      signal:"),
    ("bake:", "onSuccess: {}\n    bake:"),
    ("onFailure: rollback", "onFailure: despair"),
    ("onFailure: rollback", "onFailure: {results: ROLLBACK}"),
    ("onFailure: rollback", "retry: 11"),
    ("onFailure: rollback", "retry: {times: 2, actions: some}"),
    ("{channel:", "{chanel:"),
    ("- slack:", "- smoke:"),
    ("- slack:", "- provider: Slack\n    slack:"),
]


def data(text: str) -> Any:
    return resolve(read(text, MAX_BYTES).data)


def test_it_is_a_schema_that_can_be_written_down() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert json.loads(json.dumps(SCHEMA)) == SCHEMA


def test_it_accepts_the_example_and_the_sample() -> None:
    assert list(VALIDATOR.iter_errors(data((EXAMPLES / "pipeline.yaml").read_text()))) == []
    assert list(VALIDATOR.iter_errors(data(SMALL))) == []


@pytest.mark.parametrize("change", WRONG_SHAPES)
def test_it_refuses_the_shapes_that_the_loader_refuses(change: tuple[str, str]) -> None:
    text = changed(change)
    assert problems(text)
    assert not VALIDATOR.is_valid(data(text))


def test_it_describes_every_key_of_every_provider() -> None:
    for name, providers in (("Action", ACTIONS), ("Rule", RULES)):
        conditions = [one for one in SCHEMA["$defs"][name]["allOf"] if "if" in one]
        told = {
            one["if"]["properties"]["provider"]["const"]: one["then"]["properties"]["with"]
            for one in conditions
        }
        for provider in providers:
            known = told[provider.provider]["properties"]
            assert set(provider.keys) <= set(known)
            assert all(known[key]["description"] for key in provider.keys)


def test_codepipelines_own_words_are_accepted_too() -> None:
    own = changed(
        ("pipeline: shop", "name: shop\nexecutionMode: QUEUED"),
        ("provider: S3\n", "actionTypeId: {category: Source, provider: S3, version: 1}\n"),
        ("with: {S3Bucket", "configuration: {Account: tools, S3Bucket"),
        ("onFailure: rollback", "onFailure: {result: ROLLBACK}"),
    )
    assert problems(own) == []
    assert list(VALIDATOR.iter_errors(data(own))) == []
