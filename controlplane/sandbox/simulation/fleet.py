"""The fleet of one seed: applications, their pipelines in every execution mode, and where they deploy to."""

import json
from dataclasses import dataclass
from random import Random
from typing import Any

from controlplane.declarations.model import (
    PipelineDeclaration,
    RuleDeclaration,
    StageDeclaration,
)
from controlplane.declarations.wave_keys import GATE, TARGET, WAVE
from controlplane.sandbox.simulation.cloud import ACCOUNTS, REGIONS, RELEASES
from controlplane.sandbox.simulation.cloudwatch import PERIOD

APPLICATIONS = ("shop", "cart", "mail")
MODES = ("SUPERSEDED", "QUEUED", "PARALLEL")
WATCHES = ("", "", "3m", "20m")
BAKES = ("40s", "1m", "90s")
SLOWEST_ONSET = 15.0
"""A flaw shows itself within every bake."""
RARELY = 0.15
TOPIC = f"arn:aws:sns:eu-west-1:{ACCOUNTS['dev']}"
NOTIFICATIONS = [
    {"provider": "SNS", "configuration": {"TopicArn": f"{TOPIC}:all", "Account": "dev"}},
    {
        "provider": "SNS",
        "configuration": {"TopicArn": f"{TOPIC}:pages", "Account": "prod"},
        "events": ["person.paged", "rollback."],
    },
]


def draw(chance: Random) -> list[PipelineDeclaration]:
    """Two or three pipelines."""
    names = chance.sample(APPLICATIONS, chance.choice((2, 3)))
    return [_pipeline(name, chance) for name in names]


def group_of(application: str, account: str) -> str:
    """The deployment group of an application in an account."""
    return f"{application}-{account}"


def _pipeline(name: str, chance: Random) -> PipelineDeclaration:
    last = _stage(name, "prod", chance, REGIONS[: chance.choice((1, 2, 2))])
    stages = [_source(name), _stage(name, "dev", chance, REGIONS[:1])]
    if chance.random() < 0.5:  # noqa: PLR2004 - every other fleet
        stages.append(_stage(name, "test", chance, REGIONS[1:]))
    if chance.random() < 0.4:  # noqa: PLR2004 - four of ten ask a person
        stages.append({"name": "Approve", "actions": [_action("Ask", "Approval", "AWS", "Manual")]})
    return PipelineDeclaration.model_validate(
        {
            "name": name,
            "executionMode": chance.choice(MODES),
            "stages": [*stages, last],
            "notifications": NOTIFICATIONS[chance.choice((0, 1)) :],  # all of it, or the pages only
        }
    )


def _action(name: str, category: str, owner: str, provider: str, **more: Any) -> dict[str, Any]:
    kind = {"category": category, "owner": owner, "provider": provider}
    return {"name": name, "actionTypeId": kind, **more}


def _source(name: str) -> dict[str, Any]:
    where = {"Account": "dev", "S3Bucket": RELEASES, "S3ObjectKey": f"{name}.zip"}
    upload = _action("Upload", "Source", "AWS", "S3", configuration=where, region=REGIONS[0])
    return {"name": "Source", "actions": [{**upload, "outputArtifacts": [{"name": "App"}]}]}


def _stage(name: str, account: str, chance: Random, regions: tuple[str, ...]) -> dict[str, Any]:
    copy = f"App-{account}"
    promote = _action(
        "Promote", "Deploy", "Custom", "S3Promote",
        configuration={"Account": account}, region=regions[0],
        inputArtifacts=[{"name": "App"}], outputArtifacts=[{"name": copy}],
    )  # fmt: skip
    side_by_side = chance.random() < 0.5  # noqa: PLR2004 - as likely as one after the other
    deploys = [
        _action(
            f"Deploy-{region}", "Deploy", "AWS", "CodeDeploy", region=region,
            runOrder=2 if side_by_side else 2 + number, inputArtifacts=[{"name": copy}],
            configuration={
                "Account": account,
                "ApplicationName": name,
                "DeploymentGroupName": group_of(name, account),
            },
        )
        for number, region in enumerate(regions)
    ]  # fmt: skip
    bake = chance.choice(BAKES)
    rules = [_alarm(name, account, region, bake) for region in regions]
    if chance.random() < 0.5:  # noqa: PLR2004 - every other one
        rules.append(_metric(name, account, regions[0], bake))
    watch = chance.choice(WATCHES)
    for rule in rules if watch else ():
        rule["configuration"]["Watch"] = watch
    goes_back = chance.random() > RARELY
    if len(regions) > 1 and bake == BAKES[0]:
        deploys = _in_waves(deploys, rules)
    made: dict[str, Any] = {
        "name": account.title(),
        "actions": [promote, *deploys],
        "onSuccess": {
            "conditions": [{"result": "ROLLBACK" if goes_back else "FAIL", "rules": rules}]
        },
    }
    if (
        goes_back and side_by_side
    ):  # tried again by itself first, and rolled back where that does not help
        promote["configuration"] |= {"RetryAttempts": "2", "AfterRetries": "ROLLBACK"}
        return {**made, "onFailure": {"result": "RETRY"}}
    return {**made, "onFailure": {"result": "ROLLBACK"}} if goes_back else made


def _in_waves(deploys: list[dict[str, Any]], rules: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One region behind the other, each a wave, with a bake between them."""
    waves = {deploy["region"]: str(number) for number, deploy in enumerate(deploys, start=1)}
    for one in (*deploys, *rules):
        one["configuration"] |= {WAVE: waves[one["region"]], TARGET: one["region"]}
    made = []
    for number, deploy in enumerate(deploys, start=1):
        made.append({**deploy, "runOrder": 2 * number})
        if number < len(deploys):
            times = {WAVE: str(number), "BakeTime": "40s", "Pause": "10s"}
            wait = _action(f"Wave-{number}-bake", "Test", "Custom", GATE, configuration=times)
            made.append({**wait, "runOrder": 2 * number + 1})
    return made


def _rule(name: str, owner: str, provider: str, region: str, **words: str) -> dict[str, Any]:
    kind = {"owner": owner, "provider": provider}
    return {"name": name, "ruleTypeId": kind, "region": region, "configuration": words}


def _alarm(name: str, account: str, region: str, bake: str) -> dict[str, Any]:
    return _rule(
        f"Alarm-{region}", "AWS", "CloudWatchAlarm", region,
        Account=account, AlarmName=group_of(name, account), BakeTime=bake, Interval="20s",
    )  # fmt: skip


def _metric(name: str, account: str, region: str, bake: str) -> dict[str, Any]:
    return _rule(
        f"Errors-{region}", "Custom", "CloudWatchMetric", region,
        Account=account, Namespace="Shop", MetricName="Errors", Statistic="Sum", Threshold="1",
        Dimensions=json.dumps({"Group": group_of(name, account)}), Period=f"{PERIOD:.0f}",
        DatapointsToFail="2", BakeTime=bake, Interval="20s",
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Target:
    """One deployment group that a stage deploys to. goes_back: whether a rollback is declared."""

    pipeline: str
    stage: str
    account: str
    region: str
    group: str
    goes_back: bool


def targets(declared: PipelineDeclaration) -> list[Target]:
    """Every target of a pipeline."""
    return [
        Target(
            declared.name,
            stage.name,
            action.configuration["Account"],
            str(action.region),
            action.configuration["DeploymentGroupName"],
            stage.on_failure is not None,
        )
        for stage in declared.stages
        for action in stage.actions
        if action.action_type_id.provider == "CodeDeploy"
    ]


def watched_by(rule: RuleDeclaration) -> tuple[tuple[str, str], str]:
    """What a rule watches: the place, and the name of the group whose alarm or metric it is."""
    words = rule.configuration
    name = words.get("AlarmName") or next(iter(json.loads(words["Dimensions"]).values()))
    return (words["Account"], str(rule.region)), name


def stage_of(declared: PipelineDeclaration, name: str) -> StageDeclaration:
    """A stage by its name."""
    return declared.stage(name)
