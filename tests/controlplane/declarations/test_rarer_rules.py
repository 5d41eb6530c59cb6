"""The rarer structural rules: keys that exclude or need each other, limits, second ones."""

import pytest

from tests.controlplane.declarations.samples import SMALL, changed, problems

CANARY = "provider: SyntheticsCanary"
ALARM = "provider: CloudWatchAlarm\n          with: {AlarmName: shop-errors}"
METRIC = "provider: CloudWatchMetric\n          with: {Threshold: 1"
PROMQL = "provider: PrometheusQuery\n          with: {Threshold: 1, Query: up"
STEPS = "{Steps: [{url: /}]"
CONDITION = "{result: FAIL, rules: [{provider: CloudWatchAlarm, with: {AlarmName: a}}]}"
BAKE = SMALL[SMALL.index("    bake:") : SMALL.index("    onFailure")]

TOGETHER = [
    (
        (ALARM, f"{METRIC}, MetricName: m, MetricDataQueries: [{{Id: a}}], ResultId: a}}"),
        "MetricName too",
    ),
    ((ALARM, f"{METRIC}}}"), "CloudWatchMetric needs one of MetricName and MetricDataQueries"),
    (
        (ALARM, f"{METRIC}, MetricName: m, Statistic: Sum}}"),
        "Namespace: is missing: MetricName needs",
    ),
    ((ALARM, f"{METRIC}, MetricDataQueries: [{{Id: a}}]}}"), "ResultId: is missing: MetricDataQ"),
    ((ALARM, f"{PROMQL}}}"), "PrometheusQuery needs one of Prometheus and Url"),
    ((ALARM, f"{PROMQL}, Prometheus: a, Url: 'http://b'}}"), "Url: there is Prometheus too"),
    ((ALARM, f"{PROMQL}, Prometheus: a}}\n          region: eu-west-1"), "acts in no region"),
    ((ALARM, f"{PROMQL}, Prometheus: a, Account: prod}}"), "PrometheusQuery has no key 'Account'"),
    (
        (f"{CANARY}\n", "provider: Manual\n        account: prod\n"),
        "account and region belong together",
    ),
    (("account: prod", "account: ''"), "13:14: stages.Prod.account: is empty: name a registered"),
    (
        ('- slack: {channel: "#releases"}', "- sns: {topicArn: t, account: prd}"),
        "38:33: notify.0.sns.account: no account 'prd' is registered",
    ),
]
SECOND = [
    (
        ("pipeline: shop", "pipeline: shop\nvariables: [{name: A}, {name: A}]"),
        "2:31: variables.A.name: a second variable of this name",
    ),
    (
        (CANARY, f"{CANARY}\n        namespace: Release"),
        "27:20: stages.Prod.actions.Canary.namespace: a second action has this namespace",
    ),
    (
        ("onFailure: rollback", f"onFailure: {{conditions: [{CONDITION}, {{result: SKIP}}]}}"),
        "stages.Prod.onFailure.conditions.1.result: a stage that has failed is not skipped",
    ),
    (
        ("onFailure: rollback", "onFailure: {conditions: [{result: FAIL}]}"),
        "onFailure.conditions.0.rules: a condition without rules is always met",
    ),
    ((BAKE, "    onSuccess: {}\n"), "29:16: stages.Prod.onSuccess: is empty: write a bake"),
    (
        ("onFailure: rollback", "onFailure: {retryConfiguration: {retryMode: ALL_ACTIONS}}"),
        "36:17: stages.Prod.onFailure.retryConfiguration: nothing here leads to another try",
    ),
    (
        (
            "pipeline: shop",
            "pipeline: shop\nartifactStore: {location: a}\nartifactStores: {b: {location: a}}",
        ),
        "3:1: artifactStores: there is an artifactStore too: keep one of them",
    ),
]


@pytest.mark.parametrize(("change", "said"), [*TOGETHER, *SECOND])
def test_what_excludes_or_needs_another_is_told(change: tuple[str, str], said: str) -> None:
    told = problems(changed(change))
    assert any(said in one for one in told), told


def stage(number: int, actions: int) -> str:
    inside = ", ".join(f"{{name: a{i}, provider: NoOp}}" for i in range(actions))
    return f"  - {{name: s{number}, actions: [{inside}]}}\n"


@pytest.mark.parametrize(
    ("added", "said"),
    [
        ("".join(stage(i, 1) for i in range(49)), "more than 50 stages: split the pipeline"),
        (stage(0, 51), "stages.s0.actions: more than 50 actions in a stage: split the stage"),
        ("".join(stage(i, 50) for i in range(10)), "stages: more than 500 actions: split the"),
    ],
)
def test_more_than_codepipeline_allows_is_refused(added: str, said: str) -> None:
    (told,) = problems(changed(("notify:\n", f"{added}notify:\n")))
    assert said in told


def test_as_much_as_codepipeline_allows_is_accepted() -> None:
    most = "".join(stage(i, 1) for i in range(47)) + stage(47, 50)
    assert problems(changed(("notify:\n", f"{most}notify:\n"))) == []


def test_more_than_fifty_variables_are_refused() -> None:
    names = ", ".join(f"{{name: v{i}}}" for i in range(51))
    (told,) = problems(changed(("pipeline: shop", f"pipeline: shop\nvariables: [{names}]")))
    assert told == "2:12: variables: more than 50 variables"


def said_of(*lines: str) -> list[str]:
    """What is said of a rule over PromQL with these lines in its configuration."""
    own = "\n".join(f"            {line}" for line in lines)
    head = "provider: PrometheusQuery\n          with:\n            Query: up\n            Prometheus: main"
    rule = f"          {head}\n{own}\n"
    start = SMALL.index("          provider: CloudWatchAlarm")
    end = SMALL.index("    onFailure: rollback")
    return problems(SMALL[:start] + rule + SMALL[end:])


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (("Comparison: LessThanThreshold",), "Threshold: is missing: Test threshold needs it"),
        (("Test: count",), "Requests: is missing: Test count needs it"),
        (("Test: burnRate", "Requests: up"), "Objective: is missing: Test burnRate needs it"),
        (("Test: rank", "Threshold: 5"), "Threshold: says nothing under Test rank"),
        (("Test: ranks",), "Test: 'ranks' is none of threshold, rank, count, burnRate"),
        (("Test: rank", "MinimumEffect: 1"), "MinimumEffect: 1 must be above 1"),
        (("Test: rank", "Alpha: 5"), "Alpha: 5 must be between 0 and 1"),
        (
            ("Test: burnRate", "Requests: up", "Objective: 100"),
            "Objective: 100 is no percentage below 100",
        ),
    ],
)
def test_each_way_to_judge_has_keys_of_its_own(lines: tuple[str, ...], said: str) -> None:
    (line,) = said_of(*lines)
    assert said in line


def test_a_way_to_judge_with_its_keys_is_right() -> None:
    assert said_of("Test: rank", "Direction: either", "Control: down") == []
    assert said_of("Test: count", "Requests: up", "MinimumRate: 0.01") == []
    assert said_of("Test: burnRate", "Requests: up", "Objective: 99.9", "Baseline: 2h") == []
