"""The structural rules: each breach is told where it stands, with the mend, and alone."""

import pytest

from controlplane.declarations.load import DeclarationError, load_text
from controlplane.declarations.model import PipelineDeclaration
from controlplane.declarations.validate import validate
from tests.controlplane.declarations.samples import SMALL, changed, problems

SECOND_SOURCE = "- name: Promote\n        provider: S3\n        with: {S3Bucket: b, S3ObjectKey: k}"
PROMOTE = "- name: Promote\n        provider: S3Promote\n        inputs: [App]"
SIGNALS = """      signals:
        - name: Errors
          provider: CloudWatchAlarm
          with: {AlarmName: shop-errors}
"""
DEPLOY = """      - name: Deploy
        provider: CodeDeploy
        runOrder: 2
        inputs: [AppProd]
        with: {ApplicationName: shop, DeploymentGroupName: blue}
"""
BAKE = f"    bake:\n      time: 20s\n      interval: 1s\n{SIGNALS}"

STRUCTURE = [
    (
        (PROMOTE, SECOND_SOURCE),
        "17:19: stages.Prod.actions.Promote.provider: a source may stand in",
    ),
    (("  - name: Prod", "  - name: Source"), "12:11: stages.Source.name: a second stage of this"),
    (
        ("- name: Canary", "- name: Deploy"),
        "25:15: stages.Prod.actions.Deploy.name: a second action",
    ),
    (("- name: Errors", "- name: Deploy"), "33:17: stages.Prod.bake.signals.Deploy.name: a second"),
    (
        ("namespace: Release", "namespace: variables"),
        "9:20: stages.Source.actions.Fetch.namespace: ",
    ),
    (
        ("pipeline: shop", "pipeline: shop\ntriggers: [{}]"),
        "2:12: triggers.0.gitConfiguration: Field required",
    ),
    (("rollback", "skip"), "36:16: stages.Prod.onFailure: a stage that has failed is not skipped"),
    (("rollback", "retry"), None),
    (
        ("pipeline: shop", "pipeline: shop\nmode: PARALLEL"),
        "37:16: stages.Prod.onFailure: a PARALLEL",
    ),
    (
        ("onFailure: rollback", "onFailure: rollback\n    retry: 2\nmode: PARALLEL"),
        "36:16: stages.Prod.onFailure: a PARALLEL",
    ),
    (("    bake", "    blocker: []\n    bake"), "29:5: stages.Prod.blocker: unknown key"),
    (
        ("with: {CanaryName: shop-prod}", "commands: [ls]\n        with: {CanaryName: shop-prod}"),
        "28:9: stages.Prod.actions.Canary.commands: commands are of Commands only",
    ),
]

ITEMS = [
    (("CodeDeploy", "CodeDeplay"), "21:19: stages.Prod.actions.Deploy.provider: no provider "),
    (("CloudWatchAlarm", "CloudwatchAlarm"), "(did you mean 'CloudWatchAlarm'?)"),
    (
        ("provider: S3\n", "actionTypeId: {category: Test, provider: S3}\n"),
        "Test/AWS/S3/1 is not run",
    ),
    (("CanaryName", "Canaryname"), "28:16: stages.Prod.actions.Canary.with.Canaryname: "),
    (("CanaryName", "Canaryname"), "SyntheticsCanary needs it (canary)"),
    (
        ("{CanaryName: shop-prod}", "{CanaryName: c, Runs: few}"),
        "with.Runs: 'few' is no whole number",
    ),
    (
        ("{CanaryName: shop-prod}", "{CanaryName: c, Runs: 0}"),
        "with.Runs: 0 is too small: at least 1",
    ),
    (("{CanaryName: shop-prod}", "{CanaryName: ''}"), "28:28: stages.Prod.actions.Canary.with."),
    (("time: 20s", "time: 169h"), "30:13: stages.Prod.bake.time: 169h is too long: at most 168h"),
    (("time: 20s", "time: soon"), "30:13: stages.Prod.bake.time: 'soon' is no duration"),
    (("interval: 1s", "interval: 0s"), "31:17: stages.Prod.bake.interval: 0s is too short"),
    (
        ("account: prod", "account: prd"),
        "13:14: stages.Prod.account: no account 'prd' is registered",
    ),
    (("account: prod", "account: prd"), "(did you mean 'prod'?); known: dev, prod, tools"),
    (
        ("    account: tools\n", ""),
        "6:9: stages.Source.actions.Fetch.account: is missing: write it",
    ),
    (("    region: eu-west-1\n", ""), "6:9: stages.Source.actions.Fetch.region: is missing"),
    (
        ("region: eu-west-1", "region: Ireland"),
        "5:13: stages.Source.region: 'Ireland' is no region",
    ),
    (
        ("        inputs: [App]\n", ""),
        "16:9: stages.Prod.actions.Promote.inputArtifacts: S3Promote",
    ),
    (
        ("{channel", "{chanel"),
        "38:13: notify.0.slack.chanel: Slack has no key 'Chanel' (did you mean ",
    ),
    (
        ('"#releases"}', '"#releases"}\n    events: [Bad!]'),
        "39:14: notify.0.events.0: 'Bad!' is no",
    ),
    (("- slack: {", "- smoke: {"), "38:5: notify.0.smoke: unknown key"),
]

FLOW = [
    (
        ("inputs: [App]", "inputs: [Ap]"),
        "18:18: stages.Prod.actions.Promote.inputs.0: no action makes",
    ),
    (
        ("outputs: [AppProd]", "outputs: [App]"),
        "19:19: stages.Prod.actions.Promote.outputs.0: Source/",
    ),
    (
        ("runOrder: 2", "runOrder: 1"),
        "23:18: stages.Prod.actions.Deploy.inputs.0: 'AppProd' is made",
    ),
    (
        ("inputs: [AppProd]", "inputs: [App]"),
        "this copy lies in tools/eu-west-1 (made by Source/Fetch)",
    ),
    (
        ("blue}", "'#{Releas.VersionId}'}"),
        "24:60: stages.Prod.actions.Deploy.with.DeploymentGroupName: #{Releas.VersionId}: no",
    ),
    (("blue}", "'#{variables.Group}'}"), "the pipeline has no variable 'Group'"),
    (("blue}", "'#{codepipeline.Id}'}"), "known: PipelineExecutionId"),
    (("blue}", "'#{Release}'}"), "a variable is written #{namespace.name}"),
    (
        ("        runOrder: 2", "        runOrder: 2\n        namespace: D"),
        None,
    ),
]

BAKES = [
    ((SIGNALS, ""), "30:7: stages.Prod.bake.signals: a bake without signals watches nothing"),
    ((SIGNALS, "      signals: []\n"), "32:16: stages.Prod.bake.signals: a bake without signals"),
    ((DEPLOY, ""), "24:5: stages.Prod.bake: a bake watches a deployment"),
    ((DEPLOY, ""), "31:16: stages.Prod.onFailure: nothing to roll back"),
    (("interval: 1s", "onFail: skip"), "31:15: stages.Prod.bake.onFail: SKIP is not for a bake"),
    (
        ("        outputs: [App]\n", "        outputs: [App]\n    onFailure: rollback\n"),
        "12:16: stages.Source.onFailure: the source stage cannot be rolled back",
    ),
    (
        (
            "with: {AlarmName: shop-errors}",
            "timeoutInMinutes: 5\n          with: {AlarmName: a, BakeTime: 6m}",
        ),
        "35:29: stages.Prod.bake.signals.Errors.timeoutInMinutes: 5 minutes are over before",
    ),
]


def test_the_sample_itself_can_run() -> None:
    assert problems(SMALL) == []


@pytest.mark.parametrize(("change", "said"), [*STRUCTURE, *ITEMS, *FLOW, *BAKES])
def test_a_breach_is_told_where_it_stands(change: tuple[str, str], said: str | None) -> None:
    told = problems(changed(change))
    assert any(said in one for one in told) if said else not told, told


def test_the_first_stage_may_hold_sources_only() -> None:
    action = "      - {name: Wait, provider: Manual}\n"
    told = problems(changed(("        outputs: [App]\n", f"        outputs: [App]\n{action}")))
    message = "the first stage may hold sources only: move it to a later stage"
    assert told == [f"12:32: stages.Source.actions.Wait.provider: {message}"]


def test_one_stage_is_no_pipeline() -> None:
    text = SMALL[: SMALL.index("  - name: Prod")]
    assert problems(text) == [
        "3:3: stages: a pipeline needs at least two stages: one of sources, one that does something"
    ]


def test_a_rule_sees_only_what_has_ended_before_the_deployment_begins() -> None:
    after = changed(
        ("runOrder: 3", "runOrder: 3\n        namespace: Canary"),
        ("shop-errors", "'#{Canary.Name}'"),
    )
    before = changed(
        ("provider: S3Promote", "provider: S3Promote\n        namespace: Copy"),
        ("shop-errors", "'#{Copy.Name}'"),
    )
    assert "Prod/Canary has the namespace 'Canary', but has not ended before" in problems(after)[0]
    assert problems(before) == []


def test_all_problems_are_told_at_once_and_in_the_order_of_the_text() -> None:
    text = changed(
        ("pipeline: shop", "pipeline: my shop\ncolour: red"),
        ("runOrder: 2", "runOrder: two"),
        ("CanaryName", "Canary"),
        ("time: 20s", "time: 8d"),
        ("rollback", "despair"),
    )
    lines = [int(one.split(":")[0]) for one in problems(text)]
    assert lines == [1, 2, 23, 29, 29, 31, 37]


def test_what_follows_from_another_problem_is_not_told() -> None:
    assert len(problems(changed(("provider: CodeDeploy", "provider:")))) == 1
    assert len(problems(changed(("account: prod", "account: [prod]")))) == 1


def test_accounts_are_not_checked_where_none_are_known() -> None:
    assert load_text(changed(("account: prod", "account: nobody"))).name == "shop"


def test_a_declaration_that_was_never_a_text_is_checked_as_well() -> None:
    declaration: PipelineDeclaration = load_text(SMALL)
    assert validate(declaration, ["tools", "prod"]) == []
    (found,) = {found.message for found in validate(declaration, ["tools"])}
    assert found == "no account 'prod' is registered; known: tools"


def test_the_error_says_each_problem_on_a_line_of_its_own() -> None:
    with pytest.raises(DeclarationError) as caught:
        load_text("pipeline: shop\nstages: []\n", "my.yaml")
    assert str(caught.value) == "my.yaml:2:9: stages: needs at least one"
    assert caught.value.problems[0].column == 9
