"""What the friendly words stand for."""

import json

import pytest
from jsonschema import Draft202012Validator

from accounts.yaml_text import read
from controlplane.declarations.load import load_text, parse_text
from controlplane.declarations.meaning import resolve
from controlplane.declarations.model import (
    ActionTypeId,
    Condition,
    ExecutionMode,
    Notification,
    OnFailure,
    OnSuccess,
    Result,
    RuleDeclaration,
    RuleTypeId,
)
from controlplane.declarations.providers import ACTION_NAMES, RULE_NAMES, action_type, rule_type
from controlplane.declarations.schema import json_schema
from controlplane.declarations.wave_words import plan_lines
from controlplane.declarations.yaml_spelling import to_yaml
from tests.controlplane.declarations.samples import SMALL, changed, problems

ERRORS = RuleDeclaration(
    name="Errors",
    rule_type_id=RuleTypeId(owner="AWS", provider="CloudWatchAlarm"),
    configuration={
        "AlarmName": "shop-errors",
        "Account": "prod",
        "BakeTime": "20s",
        "Interval": "1s",
    },
    region="eu-west-1",
)


def test_a_bake_is_one_condition_and_its_words_go_into_every_rule() -> None:
    prod = load_text(SMALL).stage("Prod")
    assert prod.on_success == OnSuccess(
        conditions=(Condition(result=Result.ROLLBACK, rules=(ERRORS,)),)
    )


def test_a_signal_may_say_otherwise_than_its_bake() -> None:
    text = changed(("{AlarmName: shop-errors}", "{AlarmName: shop-errors, BakeTime: 1m}"))
    (rule,) = load_text(text).stage("Prod").rules()
    assert rule.configuration["BakeTime"] == "1m"
    assert rule.configuration["Interval"] == "1s"


def test_a_bake_may_fail_instead_of_rolling_back() -> None:
    text = changed(("      time: 20s", "      time: 20s\n      onFail: fail"))
    success = load_text(text).stage("Prod").on_success
    assert success is not None
    assert success.conditions[0].result is Result.FAIL


def test_on_failure_is_a_word_or_a_map() -> None:
    rollback = OnFailure(result=Result.ROLLBACK)
    assert load_text(SMALL).stage("Prod").on_failure == rollback
    spelled = changed(("onFailure: rollback", "onFailure: {result: ROLLBACK}"))
    assert load_text(spelled).stage("Prod").on_failure == rollback


def test_a_provider_is_found_by_its_name() -> None:
    promote, deploy, _ = load_text(SMALL).stage("Prod").actions
    assert promote.action_type_id == ActionTypeId(
        category="Deploy", owner="Custom", provider="S3Promote"
    )
    assert deploy.action_type_id == ActionTypeId(category="Deploy", provider="CodeDeploy")


def test_every_name_leads_to_its_type() -> None:
    assert [action_type(name).provider for name in ACTION_NAMES] == list(ACTION_NAMES)
    assert [rule_type(name).provider for name in RULE_NAMES] == list(RULE_NAMES)


def test_account_and_region_come_from_the_stage_unless_the_action_has_its_own() -> None:
    text = changed(
        ("provider: SyntheticsCanary", "provider: SyntheticsCanary\n        account: dev")
    )
    _, deploy, canary = load_text(text).stage("Prod").actions
    assert (deploy.configuration["Account"], deploy.region) == ("prod", "eu-west-1")
    assert (canary.configuration["Account"], canary.region) == ("dev", "eu-west-1")


def test_what_acts_in_no_account_is_given_none() -> None:
    text = changed(
        ("provider: SyntheticsCanary", "provider: NoOp"), ("{CanaryName: shop-prod}", "{}")
    )
    noop = load_text(text).stage("Prod").actions[2]
    assert (dict(noop.configuration), noop.region) == ({}, None)


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ("3", "3"),
        ("0.050", "0.050"),
        ("012345678901", "012345678901"),
        ("True", "true"),
        ("'True'", "True"),
        ("2026-06-01", "2026-06-01"),
        ("{a: 1, b: [x, true, null, 1.5]}", '{"a":1,"b":["x",true,null,1.5]}'),
        ("[{id: 012, until: 2026-06-01}]", '[{"id":"012","until":"2026-06-01"}]'),
    ],
)
def test_values_become_the_strings_that_codepipeline_has(written: str, stored: str) -> None:
    text = changed(("S3ObjectKey: shop.zip", f"S3ObjectKey: {written}"))
    fetch = parse_text(text).stage("Source").actions[0]
    assert fetch.configuration["S3ObjectKey"] == stored


def test_codepipelines_own_words_say_the_same() -> None:
    own = changed(
        ("pipeline: shop", "name: shop\nexecutionMode: QUEUED"),
        (
            "provider: S3\n",
            "actionTypeId: {category: Source, owner: AWS, provider: S3, version: 1}\n",
        ),
        ("with: {S3Bucket", "configuration: {Account: tools, S3Bucket"),
        ("outputs: [App]", "outputArtifacts: [{name: App}]"),
    )
    friendly = changed(("pipeline: shop", "pipeline: shop\nmode: queued"))
    assert load_text(own) == load_text(friendly)
    assert load_text(own).execution_mode is ExecutionMode.QUEUED


@pytest.mark.parametrize(
    ("old", "new", "word"),
    [
        ("pipeline: shop", "pipeline: shop\nname: shop", "name"),
        ("outputs: [App]", "outputs: [App]\n        outputArtifacts: []", "outputArtifacts"),
        ("{S3Bucket", "{Account: tools, S3Bucket", ""),
        ("    onFailure", "    onSuccess: {}\n    onFailure", "onSuccess"),
    ],
)
def test_two_words_for_the_same_thing_are_refused(old: str, new: str, word: str) -> None:
    said = problems(changed((old, new)))
    assert len(said) == (1 if word else 0)
    assert all(f"{word}: says the same as" in one for one in said)


def test_channels_are_notifications() -> None:
    text = changed(
        (
            '  - slack: {channel: "#releases"}',
            """\
  - sns: {topicArn: arn:aws:sns:eu-west-1:111111111111:t, account: tools}
    events: [stage.failed]
  - webhook: {url: 'https://example.org/hook', secretEnv: HOOK_SECRET}""",
        )
    )
    sns, webhook = load_text(text).notifications
    assert sns == Notification(
        provider="SNS",
        configuration={"TopicArn": "arn:aws:sns:eu-west-1:111111111111:t", "Account": "tools"},
        events=("stage.failed",),
    )
    assert webhook.configuration == {"Url": "https://example.org/hook", "SecretEnv": "HOOK_SECRET"}


def test_the_json_of_get_pipeline_is_read_as_well() -> None:
    own = load_text(SMALL).model_dump(mode="json", by_alias=True, exclude_defaults=True)
    text = json.dumps({"pipeline": own, "metadata": {"pipelineArn": "arn"}}, indent="\t")
    assert load_text(text) == load_text(SMALL)


def test_what_a_stage_says_of_its_way_back_goes_into_what_it_deploys() -> None:
    said = (
        "onFailure: rollback\n    rollbackSafe: false\n    maxRollbacks: 2\n    rollbackWindow: 7d"
    )
    prod = load_text(changed(("onFailure: rollback", said))).stage("Prod")
    kept = {key: dict(a.configuration) for a in prod.actions for key in [a.name]}
    wanted = {"RollbackSafe": "false", "MaxRollbacks": "2", "RollbackWindow": "7d"}
    assert kept["Deploy"].items() >= wanted.items()
    assert not kept["Promote"].keys() & wanted.keys()


@pytest.mark.parametrize(
    ("word", "wrong"),
    [
        ("rollbackSafe: perhaps", "neither true nor false"),
        ("rollbackSafe: '#{Release.Safe}'", "must be written out"),
        ("maxRollbacks: 0", "at least 1"),
        ("rollbackWindow: 1s", "too short"),
    ],
)
def test_a_way_back_that_cannot_be_read_is_found_at_its_line(word: str, wrong: str) -> None:
    (found,) = problems(changed(("onFailure: rollback", f"onFailure: rollback\n    {word}")))
    assert wrong in found
    assert f"stages.Prod.{word.partition(':')[0]}: " in found


RETRIES = [
    ("retry: 2", "FAILED_ACTIONS", {"RetryAttempts": "2"}),
    ("retry: {actions: all}", "ALL_ACTIONS", {}),
    (
        "retry: {times: 3, actions: failed}\n    onFailure: rollback",
        "FAILED_ACTIONS",
        {"RetryAttempts": "3", "AfterRetries": "ROLLBACK"},
    ),
]


@pytest.mark.parametrize(("said", "mode", "kept"), RETRIES)
def test_tries_of_a_stage_are_spelled_as_codepipeline_has_them(
    said: str, mode: str, kept: dict[str, str]
) -> None:
    text = changed(("onFailure: rollback", said))
    declared = load_text(text)
    prod = declared.stage("Prod")
    assert prod.on_failure is not None and prod.on_failure.retry_configuration is not None
    assert (prod.on_failure.result, prod.on_failure.retry_configuration.retry_mode) == (
        "RETRY",
        mode,
    )
    assert prod.actions[0].configuration.items() >= kept.items()
    assert load_text(to_yaml(declared)) == declared
    assert not list(
        Draft202012Validator(json_schema()).iter_errors(resolve(read(text, 10**6).data))
    )


@pytest.mark.parametrize(
    ("said", "wrong"),
    [
        ("retry: 0", "36:12: stages.Prod.retry: 0 is too small: at least 1"),
        ("retry: {actions: some}", "36:22: stages.Prod.retry.actions: must be one of"),
        ("retry: 2\n    onFailure: {result: FAIL}", "37:16: stages.Prod.onFailure: beside `retry`"),
        ("retry: 2\n    onFailure: skip", "37:16: stages.Prod.onFailure: 'SKIP' is none of"),
        ("retry: {time: 2}", "36:13: stages.Prod.retry.time: unknown key"),
    ],
)
def test_tries_that_cannot_be_read_are_found_where_they_stand(said: str, wrong: str) -> None:
    told = problems(changed(("onFailure: rollback", said)))
    assert any(one.startswith(wrong) for one in told), told


def test_how_often_is_nothing_without_a_retry() -> None:
    told = problems(changed(("{CanaryName: shop-prod}", "{CanaryName: c, RetryAttempts: 2}")))
    assert any("the stage is not tried again" in one for one in told), told


def test_the_plan_says_what_follows_where_an_action_fails() -> None:
    lines = list(plan_lines(load_text(changed(("onFailure: rollback", RETRIES[2][0])))))
    assert lines[-2:] == [
        "  an action fails: what failed is tried again by itself, up to 3 times",
        "  no try helps: it is rolled back",
    ]
