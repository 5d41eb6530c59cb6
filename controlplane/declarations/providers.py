"""Every provider that we run: what it may be told, and what it needs. One literal table.

Read it as the reference of `with:` in a pipeline; the validation, the editors' schema and the
friendly names are made from it. Owner AWS means CodePipeline's own provider of that name with
CodePipeline's own keys
(https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference.html), and those of
WAY_BACK; a provider that CodePipeline does not have is of owner Custom.
"""

from collections.abc import Mapping
from types import MappingProxyType

from controlplane.declarations.approval_keys import APPROVAL_KEYS
from controlplane.declarations.build_keys import COMMANDS, PROJECT
from controlplane.declarations.gate_providers import GATE_RULES
from controlplane.declarations.keys import Key, Kind
from controlplane.declarations.model import ActionTypeId, RuleTypeId
from controlplane.declarations.provider import Need, Provider
from controlplane.declarations.wave_keys import GATE, GATE_KEYS
from controlplane.declarations.words import CONSEQUENCES
from monitors.judge.rules import DIRECTIONS, TESTS
from rollback.consequences import LEGAL, WHY_NOT

WEEK = 7 * 24 * 3600
SEVERITIES = ("INFORMATIONAL", "LOW", "MEDIUM", "HIGH", "CRITICAL", "UNTRIAGED")
COVERED = (
    "AWS_EC2_INSTANCE",
    "AWS_ECR_CONTAINER_IMAGE",
    "AWS_LAMBDA_FUNCTION",
)
COMPARISONS = (
    "GreaterThanThreshold",
    "GreaterThanOrEqualToThreshold",
    "LessThanThreshold",
    "LessThanOrEqualToThreshold",
)

CODEDEPLOY = {
    "ApplicationName": Key("CodeDeploy application", required=True),
    "DeploymentGroupName": Key("CodeDeploy deployment group", required=True),
}
STACK = {
    "StackName": Key("CloudFormation stack", required=True),
    "TemplatePath": Key("Artifact::path of the template, where the artifact is a zip"),
    "ParameterOverrides": Key("map of parameters", Kind.JSON_OBJECT),
    "Capabilities": Key("CAPABILITY_IAM ..., with commas between them"),
    "RoleArn": Key("role that CloudFormation acts by, where it is not the stack's own"),
}
MODE = {
    "ActionMode": Key("create the stack or update it", Kind.ENUM, True, choices=("CREATE_UPDATE",))
}
UNDONE = {"DeploymentToken": Key("token of the operation that is undone", required=True)}
REVISION = {
    "RevisionLocation": Key("the copy to go back to, s3://bucket/key", required=True),
    "RevisionVersion": Key("its VersionId", required=True, empty=True),
    "RevisionDigest": Key("its digest, sha256:...", required=True),
}
WAY_BACK = {
    "RollbackSafe": Key(
        "false: a one-way door, which asks for an approval and is never rolled back by itself",
        Kind.BOOLEAN,
        literal=True,
    ),
    "MaxRollbacks": Key(
        "rollbacks in the window that hold the pipeline (3)", Kind.INTEGER, least=1, literal=True
    ),
    "RollbackWindow": Key(
        "how far back rollbacks are counted (24h)", Kind.DURATION, least=60, literal=True
    ),
}
"""What the way back of a deployment may be told: ours, not CodePipeline's."""

BAKE = {
    "BakeTime": Key("how long to watch after the last action", Kind.DURATION, most=WEEK),
    "Interval": Key("how often to look", Kind.DURATION, least=1, most=3600),
    "MinimumSamples": Key("points needed for a verdict", Kind.INTEGER, least=1),
    "MaxAge": Key("a newest point older than this is no data", Kind.DURATION, least=1, most=WEEK),
    "Baseline": Key(
        "how far before the deployment the level before is read", Kind.DURATION, most=8 * WEEK
    ),
    "ExtendUpTo": Key(
        "how much longer it may last where too little was seen", Kind.DURATION, least=1, most=WEEK
    ),
    "Quorum": Key("so many signals must FAIL, where none is critical", Kind.INTEGER, least=1),
    "EndEarly": Key("end before its time once enough was seen", Kind.BOOLEAN),
    "EarlyPower": Key("the chance to have seen a regression by then", Kind.NUMBER),
    "Watch": Key("how long to look on after the stage is done", Kind.DURATION, least=60, most=WEEK),
    **{
        key: Key(
            f"what follows from {verdict}",
            Kind.ENUM,
            choices=tuple(str(one) for one in LEGAL[verdict]),
            why=WHY_NOT[verdict],
        )
        for verdict, key in CONSEQUENCES.items()
    },
}
"""What `bake:` itself may say of all its signals."""

WATCH = {
    **BAKE,
    "Critical": Key("a FAIL of it alone is enough, whatever the quorum", Kind.BOOLEAN),
    "DatapointsToFail": Key("bad points that make a breach", Kind.INTEGER, least=1),
    "RecoveryDatapoints": Key("good points after a rollback", Kind.INTEGER, least=1),
    "DatapointsWindow": Key("of how many of the last points", Kind.INTEGER, least=1),
    "WorseBy": Key(
        "how many times worse than before, where it was bad before", Kind.NUMBER, least=1
    ),
}
JUDGED = {
    **WATCH,
    "Test": Key("how it is judged (threshold)", Kind.ENUM, choices=TESTS),
    "Threshold": Key("the limit", Kind.NUMBER),
    "Comparison": Key("how a bad point compares with it", Kind.ENUM, choices=COMPARISONS),
    "Direction": Key("which way is worse (increase)", Kind.ENUM, choices=DIRECTIONS),
    "MinimumEffect": Key("how many times worse matters (1.5)", Kind.NUMBER, least=1),
    "MinimumRate": Key("share of failed requests that matters (0.005)", Kind.NUMBER),
    "Alpha": Key("false alarms let through in each release (0.01)", Kind.NUMBER),
    "MinimumPower": Key("how surely it would be seen, for a PASS (0.8)", Kind.NUMBER),
    "Objective": Key("per cent of requests promised to be good, such as 99.9", Kind.NUMBER),
}
"""Of rules over numbers; check_tests says which belong to which Test."""

ACTIONS: tuple[Provider, ...] = (
    Provider(
        "Source",
        "AWS",
        "S3",
        {
            "S3Bucket": Key("bucket, versioned", required=True),
            "S3ObjectKey": Key("key of the bundle", required=True),
            "PollForSourceChanges": Key("look instead of waiting for events", Kind.BOOLEAN),
        },
        outputs=(1, 1),
    ),
    Provider(
        "Source",
        "AWS",
        "CodeStarSourceConnection",
        {
            "ConnectionArn": Key("connection: a Git host of TOWPATH_GIT", required=True),
            "FullRepositoryName": Key("repository, such as team/shop", required=True),
            "BranchName": Key("branch to follow", required=True),
            "OutputArtifactFormat": Key(
                "the files, or what to clone them by (CODE_ZIP)",
                Kind.ENUM,
                choices=("CODE_ZIP", "CODEBUILD_CLONE_REF"),
            ),
            "DetectChanges": Key("start where the branch moves (true)", Kind.BOOLEAN),
        },
        outputs=(1, 1),
    ),
    Provider(
        "Source",
        "AWS",
        "ECR",
        {
            "RepositoryName": Key("repository", required=True),
            "ImageTag": Key("tag to follow (latest where left out)"),
        },
        outputs=(1, 1),
    ),
    Provider("Build", "AWS", "CodeBuild", PROJECT, inputs=(1, 5), outputs=(0, 5)),
    Provider("Test", "AWS", "CodeBuild", PROJECT, inputs=(1, 5), outputs=(0, 5)),
    Provider(
        "Compute", "AWS", "Commands", COMMANDS, inputs=(0, 10), outputs=(0, 1), runs_commands=True
    ),
    Provider(
        "Deploy",
        "Custom",
        "S3Promote",
        {"KeyPrefix": Key("prefix of the copy's key in the account's artifact bucket")},
        inputs=(1, 1),
        outputs=(1, 1),
    ),
    Provider(
        "Deploy",
        "Custom",
        "ECRPromote",
        {"RepositoryName": Key("repository to promote into", required=True)},
        inputs=(1, 1),
        outputs=(1, 1),
    ),
    Provider(
        "Deploy", "AWS", "CodeDeploy", {**CODEDEPLOY, **WAY_BACK}, inputs=(1, 1), deploys=True
    ),
    Provider(
        "Deploy",
        "Custom",
        "CodeDeployStop",
        {
            **CODEDEPLOY,
            "DeploymentToken": Key("token that the deployment was started under", required=True),
            "DeploymentId": Key("its id, empty where unknown", required=True, empty=True),
            "QuarantinedRevisions": Key(
                "copies that CodeDeploy must not put back: a list of [location, version]"
            ),
        },
    ),
    Provider(
        "Deploy",
        "Custom",
        "CodeDeployRestore",
        {
            **CODEDEPLOY,
            **REVISION,
            "DeploymentToken": Key("token of the deployment that is undone: no other is"),
            "DeploymentId": Key("and its id, empty where unknown", empty=True),
        },
        deploys=True,
    ),
    Provider(
        "Deploy",
        "AWS",
        "CloudFormation",
        {**MODE, **STACK, **WAY_BACK},
        inputs=(1, 1),
        deploys=True,
    ),
    Provider("Deploy", "Custom", "CloudFormationStop", {**STACK, **UNDONE}),
    Provider(
        "Deploy", "Custom", "CloudFormationRestore", {**STACK, **UNDONE, **REVISION}, deploys=True
    ),
    Provider(
        "Test",
        "Custom",
        "InspectorFindings",
        {
            "ResourceType": Key("what Inspector covers", Kind.ENUM, True, choices=COVERED),
            "ResourceIds": Key("resources, with commas between them"),
            "TagKey": Key("tag by which the resources are found"),
            "TagValue": Key("and its value"),
            "FailOn": Key("lowest severity that fails (HIGH)", Kind.ENUM, choices=SEVERITIES),
            "NewOnly": Key("only what the digest now in the target has not", Kind.BOOLEAN),
            "FixAvailable": Key("only what has a fix", Kind.BOOLEAN),
            "Exploit": Key("only what has a known exploit", Kind.BOOLEAN),
            "Suppressions": Key("list of id, until (a date), reason", Kind.JSON_LIST),
            "CoverageTimeout": Key("how long to wait for the scan", Kind.DURATION, least=1),
        },
        inputs=(0, 1),
        most_one=(("ResourceIds", "TagKey"),),
    ),
    Provider(
        "Test",
        "Custom",
        "SyntheticsCanary",
        {
            "CanaryName": Key("canary", required=True),
            "Runs": Key("passed runs wanted after the deployment", Kind.INTEGER, least=1),
            "HarnessRetries": Key("runs that may fail in the canary itself", Kind.INTEGER),
        },
    ),
    Provider(
        "Test",
        "Custom",
        "HttpJourney",
        {
            "Steps": Key(
                "list of name, method, url, headers, body, expect (status, json, contains, "
                "maxLatencyMs)",
                Kind.JSON_LIST,
                required=True,
            ),
            "BaseUrl": Key("what the steps' urls start from", Kind.URL),
            "Site": Key("the same, by a name from the settings"),
            "Timeout": Key("for each step", Kind.DURATION, least=1, most=10),
            "Attempts": Key("how often to try the whole journey", Kind.INTEGER, least=1),
            "Every": Key("how far apart the tries are", Kind.DURATION, least=1),
        },
        place=Need.NONE,
        most_one=(("BaseUrl", "Site"),),
    ),
    Provider(
        "Test",
        "Custom",
        "NoOp",
        {"Result": Key("how it ends", Kind.ENUM, choices=("SUCCEEDED", "FAILED"))},
        inputs=(0, 5),
        place=Need.NONE,
    ),
    Provider("Test", "Custom", GATE, GATE_KEYS, place=Need.NONE),
    Provider(
        "Invoke",
        "AWS",
        "Lambda",
        {
            "FunctionName": Key("function", required=True),
            "UserParameters": Key("text handed to it", empty=True),
            "ResultFrom": Key(
                "report: it tells by PutJobSuccessResult or PutJobFailureResult how it went (report); "
                "answer: what it answers is the result",
                Kind.ENUM,
                choices=("report", "answer"),
                literal=True,
            ),
        },
        inputs=(0, 5),
        outputs=(0, 5),
    ),
    Provider(
        "Approval",
        "AWS",
        "Manual",
        {
            "CustomData": Key("what the approver should know", empty=True),
            "ExternalEntityLink": Key("where to look", Kind.URL),
            "NotificationArn": Key("SNS topic to tell"),
            **APPROVAL_KEYS,
        },
        place=Need.OPTIONAL,
    ),
)

EVERYWHERE = ("beforeEntry", "onSuccess", "onFailure")
RULES: tuple[Provider, ...] = (
    Provider(
        "Rule",
        "AWS",
        "CloudWatchAlarm",
        {"AlarmName": Key("alarm", required=True), **WATCH},
        stands=EVERYWHERE,
    ),
    Provider(
        "Rule",
        "Custom",
        "CloudWatchMetric",
        {
            "Namespace": Key("namespace of the metric"),
            "MetricName": Key("metric"),
            "Dimensions": Key("map of dimensions", Kind.JSON_OBJECT),
            "Statistic": Key("Average, Sum, p99 ..."),
            "Period": Key("seconds", Kind.INTEGER, least=1, most=86400),
            "MetricDataQueries": Key("list as GetMetricData takes it", Kind.JSON_LIST),
            "ResultId": Key("which of the queries is judged"),
            "RequestsMetricName": Key("metric of the requests that errors are of"),
            "RequestsId": Key("the same, as one of the queries"),
            "ControlDimensions": Key("dimensions of what it is compared with", Kind.JSON_OBJECT),
            "ControlId": Key("the same, as one of the queries"),
            **JUDGED,
        },
        stands=EVERYWHERE,
        one_of=(("MetricName", "MetricDataQueries"),),
        most_one=(("RequestsMetricName", "RequestsId"), ("ControlDimensions", "ControlId")),
    ),
    Provider(
        "Rule",
        "Custom",
        "PrometheusQuery",
        {
            "Query": Key("PromQL that answers one number", required=True),
            "Prometheus": Key("server, by a name from the settings"),
            "Url": Key("server, by its address", Kind.URL),
            "Step": Key("distance of the points", Kind.DURATION, least=1),
            "TokenEnv": Key("environment variable that holds a bearer token"),
            "Requests": Key("PromQL of the requests that errors are of"),
            "Control": Key("PromQL of what it is compared with, such as the old version"),
            **JUDGED,
        },
        place=Need.NONE,
        stands=EVERYWHERE,
        one_of=(("Prometheus", "Url"),),
    ),
    *GATE_RULES,
)

TOGETHER: Mapping[str, tuple[str, ...]] = {
    "MetricName": ("Namespace", "Statistic"),
    "MetricDataQueries": ("ResultId",),
    "TagKey": ("TagValue",),
}
"""Keys that are asked for as soon as another one is there."""

BY_ID = MappingProxyType({one.id: one for one in (*ACTIONS, *RULES)})
ACTION_NAMES = MappingProxyType({one.provider: one for one in reversed(ACTIONS)})
"""By the bare name; where several share it, the first of the table is meant."""
RULE_NAMES = MappingProxyType({one.provider: one for one in RULES})


def action_type(name: str) -> ActionTypeId:
    """Answer the type id behind a bare provider name; KeyError where we run none of that name."""
    return ActionTypeId.model_validate(type_id(ACTION_NAMES[name]))


def rule_type(name: str) -> RuleTypeId:
    """Answer the type id behind the bare name of a rule's provider; KeyError as above."""
    return RuleTypeId.model_validate(type_id(RULE_NAMES[name]))


def type_id(found: Provider) -> dict[str, str]:
    """Spell a provider as an actionTypeId or ruleTypeId."""
    return dict(zip(("category", "owner", "provider", "version"), found.id, strict=True))


def provider_by(type_id_: object) -> Provider | None:
    """Answer what we know of a type id as it is spelled; None where we do not run it."""
    entries = type_id_ if isinstance(type_id_, dict) else {}
    texts = [str(entries.get(key, "")) for key in ("category", "owner", "provider", "version")]
    category, owner, provider, version = texts
    return BY_ID.get((category, owner or "AWS", provider, version or "1"))


def provider_of(declared: ActionTypeId | RuleTypeId) -> Provider | None:
    """Answer what we know of a declared type; None where we do not run it."""
    return BY_ID.get((declared.category, declared.owner, declared.provider, declared.version))
